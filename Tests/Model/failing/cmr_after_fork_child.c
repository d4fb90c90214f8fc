/* Takes the child with it. */
#include <cmreload.h>

#include <stdlib.h>

cmr_status __wrap_cmr_after_fork_child(void) { abort(); }
