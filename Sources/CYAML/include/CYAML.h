/* libyaml's parser, of which Config uses the part that is pure: bytes in, events out. Linked from
 * Debian's static archive, so that whoever loads the library needs no libyaml.
 */
#include <stddef.h>
#include <yaml.h>

/* An allocator that may say no, and is told the size of what it takes back. */
typedef struct cyaml_memory {
    void *(*allocate)(ptrdiff_t size);
    void (*free)(void *memory, ptrdiff_t size);
} cyaml_memory;

/* From now on what libyaml allocates and frees on this thread is that memory's; NULL: libc's again.
 * What was allocated in between must be freed so too. The memory outlives the next call. */
void cyaml_lend(const cyaml_memory *memory);
