/* An update at any moment around `start` is never lost: a thread renames `..data` while another
 * starts a watcher, with no rescan that could make up for what was missed. The distance between the
 * two is random: from half a start before it begins to half a start after it ended.
 *
 *     start_race REPETITIONS       2000 when left out
 *
 * Each time the subscriber must hear of the last of one to three updates; and taken together the
 * updates must have come before the start, within it and after it, or the race was none.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct race {
    char mount[64];
    shape content;
    pthread_barrier_t gate;
    uint64_t writer_waits, starter_waits; /* ns */
    int64_t last;                         /* the generation that must arrive */
    bool over;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t heard;
    uint64_t heard_version;
    bool in_order;
    uint64_t renamed; /* when `..data` was renamed for the last time */
} race;

static void spin(uint64_t nanoseconds) {
    for (uint64_t end = monotonic_ns() + nanoseconds; monotonic_ns() < end;) {}
}

static void *update(void *argument) {
    race *run = argument;
    for (;;) {
        pthread_barrier_wait(&run->gate);
        if (run->over) return NULL;
        spin(run->writer_waits);
        for (int64_t generation = 2; generation <= run->last; generation++) {
            kubelet_times times;
            shape_stamp(&run->content, (uint64_t)generation);
            require(!kubelet_write(run->mount, &run->content, &times), "no update");
            run->renamed = times.rename_end;
        }
        pthread_barrier_wait(&run->gate);
    }
}

static void hear(void *context, const cmr_event *event) {
    race *run = context;
    pthread_mutex_lock(&run->lock);
    int64_t generation = snapshot_generation(event->snapshot, run->content.count);
    run->in_order &= event->kind == CMR_EVENT_PUBLISHED && event->version > run->heard_version
        && generation > run->heard;
    run->heard = generation;
    run->heard_version = event->version;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

static bool hears_the_last(race *run) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_SECONDS;
    pthread_mutex_lock(&run->lock);
    while (run->heard != run->last
           && !pthread_cond_timedwait(&run->changed, &run->lock, &deadline)) {}
    bool heard = run->heard == run->last;
    pthread_mutex_unlock(&run->lock);
    return heard;
}

int main(int count, char **arguments) {
    int repetitions = count > 1 ? atoi(arguments[1]) : 2000;
    int before = 0, within = 0, after = 0, lost = 0;
    uint64_t random = 1;
    int64_t start_ns = 200000, update_ns = 200000; /* what they take of late: to aim with */
    race run = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    pthread_t writer;
    require(!shape_make(&run.content, "small", 1), "no shape");
    pthread_barrier_init(&run.gate, NULL, 2);
    require(!pthread_create(&writer, NULL, update, &run), "no thread");

    for (int index = 0; index < repetitions && !lost; index++) {
        make_mount(run.mount);
        shape_stamp(&run.content, 1);
        require(!kubelet_write(run.mount, &run.content, NULL), "no mount");
        random = random * 6364136223846793005u + 1442695040888963407u;
        run.last = 2 + (int64_t)(random >> 60) % 3;
        int64_t wish = (int64_t)((random >> 20) % (uint64_t)(2 * start_ns)) - start_ns / 2;
        int64_t head_start = update_ns * (run.last - 1) - wish;
        run.writer_waits = head_start < 0 ? (uint64_t)-head_start : 0;
        run.starter_waits = head_start > 0 ? (uint64_t)head_start : 0;
        run.heard = 0;
        run.heard_version = 0;
        run.in_order = true;

        pthread_barrier_wait(&run.gate);
        uint64_t ready = monotonic_ns();
        spin(run.starter_waits);
        uint64_t start = monotonic_ns();
        cmr_watcher *watcher = start_watcher(run.mount, hear, &run);
        uint64_t started = monotonic_ns();
        pthread_barrier_wait(&run.gate);
        bool heard = hears_the_last(&run);
        lost += !heard;
        check(heard, "repetition %d: generation %lld was lost: %lld is what was heard; it came "
              "%lld us after the start began, %lld us after it ended", index, (long long)run.last,
              (long long)run.heard, (long long)(run.renamed - start) / 1000,
              (long long)(run.renamed - started) / 1000);
        check(run.in_order, "repetition %d: an event out of order", index);
        cmr_watcher_destroy(watcher);
        before += run.renamed < start;
        within += run.renamed >= start && run.renamed <= started;
        after += run.renamed > started;
        start_ns += ((int64_t)(started - start) - start_ns) / 8;
        int64_t update = (int64_t)(run.renamed - ready - run.writer_waits) / (run.last - 1);
        update_ns += (update - update_ns) / 8;
        remove_mount(run.mount);
    }
    run.over = true;
    pthread_barrier_wait(&run.gate);
    pthread_join(writer, NULL);
    check(lost || (before && within && after), "no race: %d updates before, %d within, %d after",
          before, within, after);
    printf("last update %d times before the start, %d within it, %d after it\n", before, within,
           after);
    shape_free(&run.content);
    return finish();
}
