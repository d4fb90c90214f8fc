/* A host in C: follows all mounts of a soak with a watcher each, reads them from two threads, and
 * checks all that it is told.
 *
 *     host DIRECTORY BOARD HOST MOUNTS [FAULTS]
 *
 * On every tenth mount a subscriber is slow. On every fifth one calls what no callback may, and
 * subscribes itself anew each time. Validators refuse what is marked. At the end it prints what the
 * library says that it did. FAULTS, of which "leak" is one: a KiB for each event.
 */
#define _GNU_SOURCE
#include "board.h"
#include "stress.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    PATH_SIZE = 256,
    SLOW_NS = 20000000,  /* twice what makes the library give a callback's thread a substitute */
    LOOK_NS = 1000000,   /* between two looks of a reader */
    HELD = 64,           /* snapshots that a reader holds at a time */
    VISIT_ROUNDS = 10,   /* of the main thread's, between two watchers that come and go */
    REPORT_ROUNDS = 100, /* and between two reports to the board */
    LEAK_SIZE = 1024,
};

typedef struct follow {
    uint64_t index;
    size_t keys;
    char path[PATH_SIZE];
    cmr_watcher *watcher;
    word *wanted, *heard;
    uint64_t misbehaving; /* the subscription of it */
    uint64_t version, rolled_back;
    int64_t generation;
    atomic_uint_least64_t calls;
} follow;

static board shared;
static word *mine;
static follow *all;
static uint64_t count;
static atomic_bool leave;
static const char *faults = "";

static bool holds(bool statement, const char *what, const follow *where) {
    if (!statement && atomic_fetch_add(&mine[FAILURES], 1) < 20)
        check(false, "%s: C, mount %" PRIu64, what, where->index);
    return statement;
}

/* ---- Who is told --------------------------------------------------------------------------- */

static void hear_published(follow *me, const cmr_event *event) {
    int64_t generation = snapshot_generation(event->snapshot, me->keys);
    bool back = event->cause == CMR_CAUSE_ROLLBACK;
    if (!holds(generation > 0, "torn: an event", me)) return;
    holds(event->version > me->version, "out of order: a version", me);
    holds(back ? generation < me->generation : generation > me->generation,
          "out of order: a generation", me);
    holds((event->previous ? cmr_snapshot_version(event->previous) : 0) == me->version,
          "out of order: the version before", me);
    holds(cmr_watcher_version(me->watcher) >= event->version, "stale: the version word", me);
    me->version = event->version;
    me->generation = generation;
    atomic_store(&me->heard[VERSION], event->version);
    atomic_store(&me->heard[GENERATION], (uint64_t)generation);
    atomic_fetch_add(&me->heard[PUBLISHED], 1);
    if (back) atomic_fetch_add(&me->heard[ROLLED_BACK], 1);
}

static void hear(void *context, const cmr_event *event) {
    follow *me = context;
    atomic_fetch_add(&me->calls, 1);
    atomic_fetch_add(&mine[EVENTS], 1);
    if (strstr(faults, "leak")) memset(malloc(LEAK_SIZE), 1, LEAK_SIZE);
    switch (event->kind) {
    case CMR_EVENT_PUBLISHED: hear_published(me, event); break;
    case CMR_EVENT_REJECTED: atomic_fetch_add(&me->heard[REJECTED], 1); break;
    case CMR_EVENT_SOURCE_LOST: atomic_fetch_add(&me->heard[LOST], 1); break;
    case CMR_EVENT_SOURCE_RECOVERED: atomic_fetch_add(&me->heard[RECOVERED], 1); break;
    default: holds(false, "an event of no known kind", me);
    }
}

static void hear_slowly(void *context, const cmr_event *event) {
    follow *me = context;
    (void)event;
    atomic_fetch_add(&me->calls, 1);
    nanosleep(&(struct timespec){ 0, SLOW_NS }, NULL);
}

static void misbehave(void *context, const cmr_event *event) {
    follow *me = context;
    (void)event;
    atomic_fetch_add(&me->calls, 1);
    if (!me->misbehaving) return; /* start tells of the first version before it returns */
    holds(cmr_watcher_wait(me->watcher, 0, -1, NULL) == CMR_E_STATE
          && cmr_watcher_reload(me->watcher, -1, NULL, NULL) == CMR_E_STATE
          && cmr_watcher_drain(me->watcher, 0, -1, NULL) == CMR_E_STATE
          && cmr_watcher_dispatch(me->watcher, NULL) == CMR_E_STATE
          && cmr_watcher_stop(me->watcher, -1) == CMR_E_STATE,
          "what waits is not refused in a callback", me);
    holds(cmr_watcher_unsubscribe(me->watcher, me->misbehaving) == CMR_OK
          && cmr_watcher_subscribe(me->watcher, NULL, 0, misbehave, me, &me->misbehaving, NULL)
                 == CMR_OK, "a subscriber cannot end itself and begin again", me);
}

/* Text ends in a full stop; what is to be refused, in an exclamation mark. */
static bool is_marked(const cmr_snapshot *snapshot) {
    const char *text = "";
    size_t size = 0;
    return cmr_snapshot_string(snapshot, "LOG_LEVEL", &text, &size) == CMR_OK && size
           && text[size - 1] == '!';
}

static cmr_status refuse_marked(void *context, const cmr_snapshot *candidate, cmr_error *error) {
    (void)context, (void)error;
    return is_marked(candidate) ? CMR_E_REJECTED : CMR_OK;
}

/* ---- Who reads ----------------------------------------------------------------------------- */

/* Looks at a snapshot that is at least as new as `told`; gives its generation. */
static int64_t look(follow *where, const cmr_snapshot *snapshot, uint64_t told) {
    atomic_fetch_add(&mine[READS], 1);
    int64_t generation = snapshot_generation(snapshot, where->keys);
    holds(generation > 0 && !is_marked(snapshot), "torn: a snapshot", where);
    holds(cmr_snapshot_version(snapshot) >= told, "stale: a snapshot", where);
    return generation;
}

static void *hold_snapshots(void *argument) {
    struct { follow *where; const cmr_snapshot *snapshot; int64_t generation; } held[HELD] = { 0 };
    unsigned random = 1;
    (void)argument;
    for (size_t at = 0; !atomic_load(&leave); at = (at + 1) % HELD) {
        if (held[at].snapshot)
            holds(look(held[at].where, held[at].snapshot, 0) == held[at].generation,
                  "torn: a snapshot that was held", held[at].where);
        cmr_snapshot_release(held[at].snapshot);
        held[at].where = &all[(unsigned)rand_r(&random) % count];
        uint64_t told = atomic_load(&held[at].where->heard[VERSION]);
        held[at].snapshot = cmr_watcher_acquire(held[at].where->watcher);
        held[at].generation = look(held[at].where, held[at].snapshot, told);
        nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
    }
    for (size_t at = 0; at < HELD; at++) cmr_snapshot_release(held[at].snapshot);
    return NULL;
}

static void *read_current(void *argument) {
    cmr_reader **readers = calloc(count, sizeof *readers);
    unsigned random = 2;
    (void)argument;
    for (uint64_t index = 0; index < count; index++)
        require(cmr_reader_create(all[index].watcher, &readers[index]) == CMR_OK, "no reader");
    while (!atomic_load(&leave)) {
        follow *where = &all[(unsigned)rand_r(&random) % count];
        uint64_t told = atomic_load(&where->heard[VERSION]);
        look(where, cmr_reader_current(readers[where->index]), told);
        if (told % 4 == 0) cmr_reader_park(readers[where->index]);
        nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
    }
    for (uint64_t index = 0; index < count; index++) cmr_reader_destroy(readers[index]);
    free(readers);
    return NULL;
}

/* ---- One watcher for each mount ------------------------------------------------------------ */

static cmr_watcher *watch(follow *where) {
    cmr_watcher *watcher;
    require(cmr_watcher_create(&watcher) == CMR_OK
            && cmr_watcher_add_mount(watcher, where->path, NULL) == CMR_OK
            && cmr_watcher_set_validator(watcher, refuse_marked, NULL) == CMR_OK, "no watcher");
    return watcher;
}

static void subscribe(follow *me, cmr_event_fn callback, uint64_t *id) {
    require(cmr_watcher_subscribe(me->watcher, NULL, 0, callback, me, id, NULL) == CMR_OK,
            "no subscriber");
}

static void begin(follow *me, const char *directory, uint64_t host) {
    cmr_error error = CMR_ERROR_INIT;
    snprintf(me->path, PATH_SIZE, "%s/%" PRIu64, directory, me->index);
    me->keys = me->index % 10 ? 4 : 20;
    me->wanted = board_mount(&shared, me->index);
    me->heard = board_heard(&shared, host, me->index);
    me->watcher = watch(me);
    /* Behind half of the mounts stands nothing that finds what a notification missed. */
    cmr_watcher_set_option(me->watcher, CMR_OPTION_RESCAN_MS, me->index % 2 ? 1000 : 0);
    uint64_t misbehaving = 0;
    if (me->index % 5 == 1) subscribe(me, misbehave, &misbehaving);
    subscribe(me, hear, NULL);
    if (me->index % 10 == 3) subscribe(me, hear_slowly, NULL);
    require(cmr_watcher_start(me->watcher, &error) == CMR_OK, "%s: %s", me->path, error.message);
    me->misbehaving = misbehaving;
}

static void roll_back_as_told(follow *me) {
    uint64_t asked = atomic_load(&me->wanted[ROLLBACKS]);
    if (asked == me->rolled_back) return;
    me->rolled_back = asked;
    holds(cmr_watcher_rollback(me->watcher, 0, NULL, NULL) == CMR_OK, "no way back", me);
}

/* A watcher that comes and goes. It cannot start while its mount is broken or gone. */
static void visit(follow *where) {
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = watch(where);
    cmr_status status = cmr_watcher_start(watcher, &error);
    if (status == CMR_OK && cmr_watcher_version(watcher) == 1) {
        const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
        if (cmr_snapshot_count(snapshot)) look(where, snapshot, 1);
        cmr_snapshot_release(snapshot);
    }
    holds(status == CMR_OK || status == CMR_E_PARSE || status == CMR_E_REJECTED
          || status == CMR_E_IO, "a watcher cannot start", where);
    cmr_watcher_destroy(watcher);
    atomic_fetch_add(&mine[VISITORS], 1);
}

static void report(void) {
    uint64_t held = 0;
    for (uint64_t index = 0; index < count; index++) {
        cmr_stats stats = CMR_STATS_INIT;
        cmr_watcher_stats(all[index].watcher, &stats);
        held += stats.held_snapshots;
    }
    malloc_trim(0); /* what is resident then is not how free memory happens to lie about */
    struct mallinfo2 used = mallinfo2();
    atomic_store(&mine[HELD_SNAPSHOTS], held);
    atomic_store(&mine[HEAP], used.uordblks + used.hblkhd);
}

static void print_stats(const follow *me) {
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher_stats(me->watcher, &stats);
    printf("mount %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
           " %u %u\n", me->index, stats.version, stats.reloads_succeeded, stats.reloads_rejected,
           stats.source_errors, stats.callbacks, (uint64_t)atomic_load(&me->calls),
           stats.held_snapshots, stats.healthy);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 5) return 2;
    uint64_t host = strtoull(arguments[3], NULL, 10);
    count = strtoull(arguments[4], NULL, 10);
    faults = argument_count > 5 ? arguments[5] : "";
    all = calloc(count, sizeof *all);
    require(all && !board_open(&shared, arguments[2], count), "no board");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mine = board_host(&shared, host);
    holdings before = holdings_now();
    for (uint64_t index = 0; index < count; index++) {
        all[index].index = index;
        begin(&all[index], arguments[1], host);
    }
    pthread_t readers[2];
    require(!pthread_create(&readers[0], NULL, hold_snapshots, NULL)
            && !pthread_create(&readers[1], NULL, read_current, NULL), "no thread");
    atomic_store(&mine[READY], 1);

    unsigned random = 3;
    for (uint64_t round = 0; !atomic_load(&shared.words[LEAVE]); round++) {
        for (uint64_t index = 0; index < count; index++) roll_back_as_told(&all[index]);
        if (round % VISIT_ROUNDS == 0) visit(&all[(unsigned)rand_r(&random) % count]);
        if (round % REPORT_ROUNDS == 0) report();
        nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
    }
    atomic_store(&leave, true);
    for (int index = 0; index < 2; index++) pthread_join(readers[index], NULL);
    for (uint64_t index = 0; index < count; index++) print_stats(&all[index]);
    for (uint64_t index = 0; index < count; index++) cmr_watcher_destroy(all[index].watcher);
    check_no_leak(&before, "C, at the end");
    free(all);
    return 0;
}
