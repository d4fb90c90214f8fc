/* Versions are published and taken back, thousands of times, under eight readers: none of them ever
 * sees a version with the content of another, nothing stays held, and memory is bounded by the
 * history and not by what went by.
 *
 *     rollback CYCLES       10000 when left out
 */
#define _GNU_SOURCE
#include "stress.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Over the cycles after the first tenth: less than one small document of each hundredth of them. */
enum { READERS = 8, LOOKS = 50, ALLOCATED_GROWTH = 64 << 10 };

typedef struct requests {
    cmr_watcher *watcher;
    size_t keys;
    atomic_bool over;
    atomic_ullong served, seen; /* by all readers; how often one of them saw another version */
} requests;

/* Version 1 and each that a rollback makes have the first content, version 2n the nth after it. */
static int64_t generation_of(uint64_t version) {
    return version % 2 ? 1 : (int64_t)(version / 2 + 1);
}

/* Looks at a snapshot as a request does, from beginning to end. There are too many requests to
 * count those in which all was well. */
static void serve(requests *run, const cmr_snapshot *snapshot, uint64_t *last) {
    uint64_t version = cmr_snapshot_version(snapshot);
    for (int look = 0; look < LOOKS; look++) {
        int64_t generation = snapshot_generation(snapshot, run->keys);
        if (generation != generation_of(version))
            check(false, "version %llu has the content of generation %lld",
                  (unsigned long long)version, (long long)generation);
    }
    if (version < *last)
        check(false, "version %llu after %llu", (unsigned long long)version,
              (unsigned long long)*last);
    atomic_fetch_add(&run->served, 1);
    if (version != *last) atomic_fetch_add(&run->seen, 1);
    *last = version;
    sched_yield(); /* whoever publishes gets its turn */
}

static void *acquire(void *argument) {
    requests *run = argument;
    for (uint64_t last = 0; !atomic_load(&run->over);) {
        const cmr_snapshot *snapshot = cmr_watcher_acquire(run->watcher);
        serve(run, snapshot, &last);
        cmr_snapshot_release(snapshot);
    }
    return NULL;
}

static void *read_current(void *argument) {
    requests *run = argument;
    cmr_reader *reader = NULL;
    require(cmr_reader_create(run->watcher, &reader) == CMR_OK, "no reader");
    for (uint64_t last = 0; !atomic_load(&run->over);)
        serve(run, cmr_reader_current(reader), &last);
    cmr_reader_destroy(reader);
    return NULL;
}

int main(int argument_count, char **arguments) {
    int cycles = argument_count > 1 ? atoi(arguments[1]) : 10000;
    char mount[64];
    shape content;
    pthread_t readers[READERS];
    holdings settled = { 0 };
    require(cycles >= 10, "usage: rollback CYCLES (at least 10)");
    make_mount(mount);
    require(!shape_make(&content, "small", 1), "no shape");
    require(!kubelet_write(mount, &content, NULL), "no mount");
    holdings before = holdings_now();
    cmr_watcher *watcher = start_watcher(mount, NULL, NULL);
    requests run = { .watcher = watcher, .keys = content.count };
    for (int index = 0; index < READERS; index++)
        require(!pthread_create(&readers[index], NULL, index % 2 ? read_current : acquire, &run),
                "no thread");

    for (uint64_t cycle = 1; cycle <= (uint64_t)cycles; cycle++) {
        uint64_t version = 0, back = 0;
        shape_stamp(&content, cycle + 1);
        require(!kubelet_write(mount, &content, NULL), "no update");
        cmr_status status = cmr_watcher_wait(watcher, 2 * cycle - 1, DEADLINE_SECONDS * 1000,
                                             &version);
        if (!check(status == CMR_OK && version == 2 * cycle, "cycle %llu: version %llu: %s",
                   (unsigned long long)cycle, (unsigned long long)version, cmr_status_name(status)))
            break;
        status = cmr_watcher_rollback(watcher, 0, &back, NULL);
        if (!check(status == CMR_OK && back == version + 1, "cycle %llu: back to %llu: %s",
                   (unsigned long long)cycle, (unsigned long long)back, cmr_status_name(status)))
            break;
        if (cycle == (uint64_t)cycles / 10) settled = holdings_now();
    }
    holdings after = holdings_within(settled.allocated + ALLOCATED_GROWTH);
    atomic_store(&run.over, true);
    for (int index = 0; index < READERS; index++) pthread_join(readers[index], NULL);
    check(after.allocated <= settled.allocated + ALLOCATED_GROWTH, "%zu KiB allocated, %zu before",
          after.allocated >> 10, settled.allocated >> 10);

    size_t held = 99;
    cmr_status status = cmr_watcher_drain(watcher, UINT64_MAX, DEADLINE_SECONDS * 1000, &held);
    check(status == CMR_OK && held == 0, "%zu snapshots are held: %s", held,
          cmr_status_name(status));
    cmr_stats stats = CMR_STATS_INIT;
    require(cmr_watcher_stats(watcher, &stats) == CMR_OK, "no statistics");
    check(stats.held_snapshots == 0, "%u snapshots are held", stats.held_snapshots);
    check(stats.reloads_succeeded == 2 * (uint64_t)cycles + 1, "%llu versions",
          (unsigned long long)stats.reloads_succeeded);
    check(run.seen > READERS, "the readers saw no version come");
    cmr_watcher_destroy(watcher);
    check_no_leak(&before, "at the end");
    printf("%d cycles, %llu requests, %llu of them of another version than the one before; "
           "%zu KiB allocated, after a tenth of the cycles %zu\n",
           cycles, (unsigned long long)run.served, (unsigned long long)run.seen,
           after.allocated >> 10, settled.allocated >> 10);
    shape_free(&content);
    remove_mount(mount);
    return finish();
}
