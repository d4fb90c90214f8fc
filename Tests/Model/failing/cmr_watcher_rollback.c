/* Answers with the version that it left, not with the one that it made. */
#include <cmreload.h>

cmr_status __real_cmr_watcher_rollback(cmr_watcher *watcher, uint64_t version,
                                       uint64_t *version_out, cmr_error *error);

cmr_status __wrap_cmr_watcher_rollback(cmr_watcher *watcher, uint64_t version,
                                       uint64_t *version_out, cmr_error *error) {
    cmr_status status = __real_cmr_watcher_rollback(watcher, version, version_out, error);
    if (status == CMR_OK) --*version_out;
    return status;
}
