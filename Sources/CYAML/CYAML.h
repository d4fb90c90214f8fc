/* libyaml's parser, of which Config uses the part that is pure: bytes in, events out. Linked from
 * Debian's static archive, so that whoever loads the library needs no libyaml.
 */
#include <yaml.h>
