/* What is measured: a service that follows a mount through libcmreload. The callback takes the
 * moment first thing, then reads every key of its snapshot and says whether they belong together.
 *
 *     ours DIR
 */
#include <cmreload.h>

#include "applied.h"
#include "shape.h"

/* From the parsed value, as a service reads it: a member of an object, else the text. */
static int64_t generation(const cmr_snapshot *snapshot, const char *key) {
    const cmr_value *value = cmr_snapshot_value(snapshot, key);
    const char *text;
    size_t size;
    int64_t number;
    if (cmr_value_type(value) == CMR_TYPE_OBJECT)
        return cmr_value_int64(cmr_value_member(value, "gen"), &number) == CMR_OK ? number : -1;
    return cmr_value_string(value, &text, &size) == CMR_OK ? shape_generation(text, size) : -1;
}

static void on_event(void *context, const cmr_event *event) {
    uint64_t moment = monotonic_ns();
    (void)context;
    if (event->kind != CMR_EVENT_PUBLISHED) return;
    tally checked = tally_begin();
    size_t count = cmr_snapshot_count(event->snapshot);
    for (size_t index = 0; index < count; index++) {
        const char *key;
        if (cmr_snapshot_key(event->snapshot, index, &key, NULL) != CMR_OK) continue;
        tally_add(&checked, key, generation(event->snapshot, key));
    }
    tally_print(&checked, moment);
}

int main(int count, char **arguments) {
    cmr_watcher *watcher;
    cmr_error error = CMR_ERROR_INIT;
    if (count != 2) return 2;
    if (cmr_watcher_create(&watcher) != CMR_OK
        || cmr_watcher_add_mount(watcher, arguments[1], &error) != CMR_OK
        || cmr_watcher_subscribe(watcher, NULL, 0, on_event, NULL, NULL, &error) != CMR_OK
        || cmr_watcher_start(watcher, &error) != CMR_OK) {
        fprintf(stderr, "ours: %s\n", error.message);
        return 1;
    }
    for (;;) pause(); /* until the harness ends it */
}
