/* A reader holds one snapshot over a thousand reloads: it stays what it was, byte for byte, beyond
 * the watcher's end, and memory is bounded by what is held and not by what went by.
 *
 *     hold RELOADS       1000 when left out; with 20 keys and with 200
 */
#define _GNU_SOURCE
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Over the reloads after the first tenth: less than one copy of the large shape in what is
 * allocated; pages are also a matter of how that lies about. */
enum { ALLOCATED_GROWTH = 512 << 10, RESIDENT_GROWTH = 8 << 20 };

static int differences(const cmr_snapshot *snapshot, const shape *content) {
    int different = cmr_snapshot_count(snapshot) != content->count;
    for (size_t index = 0; index < content->count; index++) {
        const shape_value *value = &content->values[index];
        const void *bytes;
        size_t size;
        different += cmr_snapshot_bytes(snapshot, value->key, &bytes, &size) != CMR_OK
            || size != value->size || memcmp(bytes, value->bytes, size);
    }
    return different;
}

static void hold(const char *name, uint64_t reloads) {
    char mount[64], checksum[64];
    shape first, content;
    holdings settled = { 0 };
    make_mount(mount);
    require(!shape_make(&first, name, 1) && !shape_make(&content, name, 1), "no shape");
    require(!kubelet_write(mount, &first, NULL), "no mount");
    cmr_watcher *watcher = start_watcher(mount, NULL, NULL);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    snprintf(checksum, sizeof checksum, "%s", cmr_snapshot_checksum(held));

    for (uint64_t version = 2; version <= reloads + 1; version++) {
        uint64_t now = 0;
        shape_stamp(&content, version);
        require(!kubelet_write(mount, &content, NULL), "no update");
        cmr_status status = cmr_watcher_wait(watcher, version - 1, DEADLINE_SECONDS * 1000, &now);
        if (!check(status == CMR_OK && now == version, "%s: version %llu after update %llu: %s",
                   name, (unsigned long long)now, (unsigned long long)version,
                   cmr_status_name(status)))
            break;
        const cmr_snapshot *current = cmr_watcher_acquire(watcher);
        int64_t generation = snapshot_generation(current, content.count);
        cmr_snapshot_release(current);
        check(generation == (int64_t)version, "%s: generation %lld, not %llu", name,
              (long long)generation, (unsigned long long)version);
        if (version == reloads / 10 + 1) settled = holdings_now();
    }
    holdings after = holdings_within(settled.allocated + ALLOCATED_GROWTH);
    check(after.allocated <= settled.allocated + ALLOCATED_GROWTH,
          "%s: %zu KiB allocated, %zu before", name, after.allocated >> 10,
          settled.allocated >> 10);
    check(after.resident <= settled.resident + RESIDENT_GROWTH,
          "%s: %zu KiB resident, %zu before", name, after.resident >> 10, settled.resident >> 10);
    cmr_stats stats = CMR_STATS_INIT;
    check(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.held_snapshots == 1,
          "%s: %u snapshots held, not 1", name, stats.held_snapshots);
    check(cmr_snapshot_version(held) == 1 && !strcmp(cmr_snapshot_checksum(held), checksum),
          "%s: the held snapshot is another one", name);
    check(!differences(held, &first), "%s: the held snapshot changed", name);
    cmr_watcher_destroy(watcher);
    check(!differences(held, &first), "%s: the held snapshot did not outlive its watcher", name);
    cmr_snapshot_release(held);
    printf("%s: %llu reloads, %zu KiB allocated and %zu resident, after a tenth of them %zu, %zu\n",
           name, (unsigned long long)reloads, after.allocated >> 10, after.resident >> 10,
           settled.allocated >> 10, settled.resident >> 10);
    shape_free(&first);
    shape_free(&content);
    remove_mount(mount);
}

int main(int count, char **arguments) {
    int reloads = count > 1 ? atoi(arguments[1]) : 1000;
    require(reloads >= 10, "usage: hold RELOADS (at least 10)");
    hold("medium", (uint64_t)reloads);
    hold("large", (uint64_t)reloads);
    return finish();
}
