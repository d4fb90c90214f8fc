/* What the library calls and Go answers. An exported Go function cannot take const, nor a handle as
 * a void *, so each has a C function in front of it; these hand it to the library. */
#ifndef CMRELOAD_GO_TRAMPOLINES_H
#define CMRELOAD_GO_TRAMPOLINES_H

#include <cmreload.h>

cmr_status cmreload_go_subscribe(cmr_watcher *watcher, uintptr_t handle, cmr_error *error);
cmr_status cmreload_go_set_closed(cmr_watcher *watcher, uintptr_t handle);
cmr_status cmreload_go_set_validator(cmr_watcher *watcher, uintptr_t handle);
cmr_status cmreload_go_set_parser(cmr_watcher *watcher, const char *key_pattern, uintptr_t handle,
                                  cmr_error *error);
cmr_status cmreload_go_set_log(int32_t level); /* 0: no log any more */

#endif
