/* A hundred callbacks that block do not keep the 101st watcher waiting; nor do they keep their own
 * watchers from publishing, or anybody from reading. When they are let go, each hears of the newest
 * version, once, and the threads that stood in for them go.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKED = 100, WATCHERS = BLOCKED + 1 };

typedef struct station {
    char mount[64];
    cmr_watcher *watcher;
    bool blocks;
    int64_t heard; /* the newest generation */
    int events;
} station;

static station stations[WATCHERS];
static shape content;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released;

static void hear(void *context, const cmr_event *event) {
    station *me = context;
    pthread_mutex_lock(&lock);
    me->heard = snapshot_generation(event->snapshot, content.count);
    me->events++;
    pthread_cond_broadcast(&changed);
    while (me->blocks && event->cause != CMR_CAUSE_START && !released)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void update(const station *one, uint64_t generation) {
    shape_stamp(&content, generation);
    require(!kubelet_write(one->mount, &content, NULL), "no update");
}

/* How many of the stations from `first` to `last` have heard of a generation, once all have or the
 * deadline is over. */
static int wait_for(int first, int last, int64_t generation) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_SECONDS;
    pthread_mutex_lock(&lock);
    for (;;) {
        int heard = 0;
        for (int index = first; index < last; index++) heard += stations[index].heard == generation;
        if (heard == last - first || pthread_cond_timedwait(&changed, &lock, &deadline)) {
            pthread_mutex_unlock(&lock);
            return heard;
        }
    }
}

int main(void) {
    require(!shape_make(&content, "small", 1), "no shape");
    for (int index = 0; index < WATCHERS; index++) {
        station *one = &stations[index];
        one->blocks = index < BLOCKED;
        make_mount(one->mount);
        update(one, 1);
        one->watcher = start_watcher(one->mount, hear, one);
    }
    holdings before = holdings_now();
    check(wait_for(0, WATCHERS, 1) == WATCHERS, "not every subscriber heard of the start");

    for (int index = 0; index < BLOCKED; index++) update(&stations[index], 2);
    int blocked = wait_for(0, BLOCKED, 2);
    check(blocked == BLOCKED, "%d of %d callbacks run at once", blocked, BLOCKED);

    update(&stations[BLOCKED], 2);
    check(wait_for(BLOCKED, WATCHERS, 2) == 1, "the 101st watcher waits for the others");

    for (int index = 0; index < BLOCKED; index++) {
        cmr_watcher *watcher = stations[index].watcher;
        update(&stations[index], 3);
        if (!check(cmr_watcher_wait(watcher, 2, DEADLINE_SECONDS * 1000, NULL) == CMR_OK,
                   "watcher %d does not publish while its callback blocks", index)) break;
        const cmr_snapshot *current = cmr_watcher_acquire(watcher);
        check(snapshot_generation(current, content.count) == 3, "watcher %d reads old content",
              index);
        cmr_snapshot_release(current);
    }

    pthread_mutex_lock(&lock);
    released = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    check(wait_for(0, BLOCKED, 3) == BLOCKED, "not every callback heard of the newest version");
    check_no_leak(&before, "after the callbacks returned");
    for (int index = 0; index < WATCHERS; index++) {
        cmr_watcher_destroy(stations[index].watcher);
        check(stations[index].events == (index < BLOCKED ? 3 : 2), "watcher %d: %d events", index,
              stations[index].events);
        remove_mount(stations[index].mount);
    }
    shape_free(&content);
    return finish();
}
