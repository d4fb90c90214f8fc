/* Goes on holding what the reader saw. */
#include <cmreload.h>

void __wrap_cmr_reader_park(cmr_reader *reader) { (void)reader; }
