/* One process swaps a mount as fast as it can while eight threads here acquire, check and release
 * and a subscriber listens: through our own kubelet and through cmr_mount_write, with 20 keys and
 * with 200.
 *
 *     consistency SECONDS       all four together; 60 when left out
 *
 * What must hold: no snapshot mixes generations; no generation and no version goes backwards for
 * any reader or the subscriber; one version is one generation; nothing is rejected and no source
 * lost; the last generation written is delivered; nothing leaks. And no gap between versions
 * exceeds ten loads, begun ones and not just those that succeed: loads.h counts them from outside.
 */
#define _GNU_SOURCE
#include "loads.h"
#include "stress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef __has_feature /* clang's */
#define __has_feature(name) 0
#endif

enum {
    READERS = 8,
    LOADS_A_VERSION = 10,
    /* What the process may have grown by in the end, of the gigabytes that went through it: less
     * than one snapshot in what is allocated; pages are also a matter of how that lies about. */
    ALLOCATED_GROWTH = 512 << 10,
    RESIDENT_GROWTH = 16 << 20,
};

typedef struct scene {
    const char *shape;
    bool through_library;
} scene;

static const scene scenes[] = {
    { "medium", false }, { "medium", true }, { "large", false }, { "large", true },
};
enum { SCENES = sizeof scenes / sizeof *scenes };

/* ---- The writer, a process of its own ------------------------------------------------------ */

typedef struct shared {
    atomic_bool stop;
    atomic_uint_least64_t written; /* the last generation that is in place */
} shared;

typedef struct order {
    size_t scene;
    char mount[64];
    uint64_t first, last; /* generations */
} order;

static shared *board;

static bool write_generation(const scene *plan, const char *mount, shape *content, cmr_file *files,
                             uint64_t generation) {
    cmr_error error = CMR_ERROR_INIT;
    shape_stamp(content, generation);
    if (!plan->through_library) return !kubelet_write(mount, content, NULL);
    for (size_t index = 0; index < content->count; index++) {
        const shape_value *value = &content->values[index];
        files[index] = (cmr_file){ value->key, value->bytes, value->size, 0, 0 };
    }
    if (cmr_mount_write(mount, files, content->count, &error) == CMR_OK) return true;
    fprintf(stderr, "cmr_mount_write: %s: %s\n", error.key, error.message);
    return false;
}

/* Obeys orders until the other end closes: writes generations until the last or until told to stop,
 * then says how many descriptors too many it has; a million when a write failed. */
static void serve(int orders) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (order given; read(orders, &given, sizeof given) == sizeof given;) {
        shape content;
        require(!shape_make(&content, scenes[given.scene].shape, 1), "no shape");
        cmr_file *files = calloc(content.count, sizeof *files);
        int result = holdings_now().descriptors;
        for (uint64_t generation = given.first;
             generation <= given.last && !atomic_load(&board->stop); generation++) {
            if (!write_generation(&scenes[given.scene], given.mount, &content, files, generation)) {
                result -= 1000000;
                break;
            }
            atomic_store(&board->written, generation);
        }
        result = holdings_now().descriptors - result;
        free(files);
        shape_free(&content);
        if (write(orders, &result, sizeof result) != sizeof result) break;
    }
    _exit(0);
}

/* Forked before the library has anything in this process. */
static int start_writer(void) {
    int ends[2];
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(board != MAP_FAILED && !socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "no writer");
    pid_t child = fork();
    require(child >= 0, "no writer");
    close(ends[child ? 1 : 0]);
    if (!child) serve(ends[1]);
    return ends[0];
}

/* ---- Who reads ----------------------------------------------------------------------------- */

typedef struct place {
    uint64_t version;
    int64_t generation;
} place;

typedef struct reader {
    pthread_t thread;
    cmr_watcher *watcher;
    size_t keys;
    uint64_t reads, mixed, backwards;
} reader;

static atomic_bool readers_stop;

/* Versions and generations rise together or stay together. */
static bool follows(place before, place now) {
    if (now.version == before.version) return now.generation == before.generation;
    return now.version > before.version && now.generation > before.generation;
}

static void *read_on(void *argument) {
    reader *me = argument;
    place last = { 0, 0 };
    /* Eight that never rest would leave the writer a tenth of a small machine, and few swaps. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
    while (!atomic_load_explicit(&readers_stop, memory_order_relaxed)) {
        const cmr_snapshot *snapshot = cmr_watcher_acquire(me->watcher);
        place now = { cmr_snapshot_version(snapshot), snapshot_generation(snapshot, me->keys) };
        cmr_snapshot_release(snapshot);
        me->reads++;
        if (now.generation < 0) {
            me->mixed++;
            continue;
        }
        me->backwards += !follows(last, now);
        last = now;
    }
    return NULL;
}

typedef struct listener {
    pthread_mutex_t lock;
    pthread_cond_t heard;
    size_t keys;
    place last;
    place *places; /* all that were heard of, in order */
    size_t published, capacity;
    uint64_t others, mixed, backwards, wrong_changes, wrong_previous;
    char other[600];
} listener;

static void remember(listener *me, place now) {
    if (me->published == me->capacity) {
        me->capacity = me->capacity ? me->capacity * 2 : 1024;
        me->places = realloc(me->places, me->capacity * sizeof *me->places);
        require(me->places, "no memory");
    }
    me->places[me->published++] = now;
}

static void hear(void *context, const cmr_event *event) {
    listener *me = context;
    pthread_mutex_lock(&me->lock);
    if (event->kind != CMR_EVENT_PUBLISHED) {
        me->others++;
        snprintf(me->other, sizeof me->other, "event %u: %s", event->kind,
                 event->error ? event->error->message : "");
    } else {
        place now = { event->version, snapshot_generation(event->snapshot, me->keys) };
        remember(me, now);
        me->mixed += now.generation < 0;
        me->backwards += me->last.version >= now.version || !follows(me->last, now);
        me->wrong_changes += event->change_count != me->keys;
        me->wrong_previous += event->previous
            ? cmr_snapshot_version(event->previous) != me->last.version : me->last.version != 0;
        me->last = now;
    }
    pthread_cond_broadcast(&me->heard);
    pthread_mutex_unlock(&me->lock);
}

static bool wait_for_generation(listener *me, int64_t generation) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_SECONDS;
    pthread_mutex_lock(&me->lock);
    while (me->last.generation < generation
           && !pthread_cond_timedwait(&me->heard, &me->lock, &deadline)) {}
    bool delivered = me->last.generation == generation;
    pthread_mutex_unlock(&me->lock);
    return delivered;
}

/* The most loads that a version took; of versions that were heard of as one, the mean. */
static double worst_gap(const listener *ears, const load_counter *counter, int by_writer) {
    double worst = 0;
    for (size_t index = 1; index < ears->published; index++) {
        place before = ears->places[index - 1], now = ears->places[index];
        uint64_t loads = load_counter_sum(counter, (uint64_t)before.generation,
                                          (uint64_t)now.generation, by_writer);
        double gap = (double)loads / (double)(now.version - before.version);
        if (gap > worst) worst = gap;
    }
    return worst;
}

/* ---- One scene ----------------------------------------------------------------------------- */

static void give_order(int writer, const order *given) {
    atomic_store(&board->stop, false);
    require(write(writer, given, sizeof *given) == sizeof *given, "the writer is gone");
}

/* How many descriptors the writer has too many. */
static int await_writer(int writer) {
    int leaked;
    require(read(writer, &leaked, sizeof leaked) == sizeof leaked, "the writer is gone");
    return leaked;
}

static void play(size_t number, int writer, double seconds, bool print) {
    const scene *plan = &scenes[number];
    const char *name = plan->through_library ? "cmr_mount_write" : "kubelet";
    order given = { .scene = number, .first = 2, .last = 6 };
    shape content;
    reader readers[READERS] = { 0 };
    listener ears = { .lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER };
    make_mount(given.mount);
    require(!shape_make(&content, plan->shape, 1), "no shape %s", plan->shape);
    require(!kubelet_write(given.mount, &content, NULL), "%s cannot be written", given.mount);

    /* A few generations that nobody reads: what is opened of them, the writer opens. */
    load_counter *counter = load_counter_start(given.mount, given.first);
    give_order(writer, &given);
    check(await_writer(writer) == 0, "%s %s: the writer failed at once", plan->shape, name);
    int by_writer = load_counter_opened(counter, 3);

    ears.keys = content.count;
    cmr_watcher *watcher = start_watcher(given.mount, hear, &ears);
    atomic_store(&readers_stop, false);
    for (int index = 0; index < READERS; index++) {
        readers[index].watcher = watcher;
        readers[index].keys = content.count;
        require(!pthread_create(&readers[index].thread, NULL, read_on, &readers[index]), "thread");
    }

    given.first = given.last + 1;
    given.last = UINT64_MAX;
    give_order(writer, &given);
    struct timespec length = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&length, NULL); /* the length of the scene; nothing is expected of the moment */
    wait_for_generation(&ears, (int64_t)given.first); /* which may come later on a slow machine */
    atomic_store(&board->stop, true);
    int leaked = await_writer(writer);
    int64_t last = (int64_t)atomic_load(&board->written);

    bool delivered = wait_for_generation(&ears, last);
    atomic_store(&readers_stop, true);
    uint64_t reads = 0, mixed = 0, backwards = 0;
    for (int index = 0; index < READERS; index++) {
        pthread_join(readers[index].thread, NULL);
        reads += readers[index].reads;
        mixed += readers[index].mixed;
        backwards += readers[index].backwards;
        check(readers[index].reads > 0, "%s %s: reader %d read nothing", plan->shape, name, index);
    }
    const cmr_snapshot *current = cmr_watcher_acquire(watcher);
    int64_t held = snapshot_generation(current, content.count);
    cmr_snapshot_release(current);
    cmr_stats stats = CMR_STATS_INIT;
    check(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.healthy == 1,
          "%s %s: not healthy in the end", plan->shape, name);
    check(stats.held_snapshots == 0, "%s %s: %u snapshots held by nobody", plan->shape, name,
          stats.held_snapshots);
    cmr_watcher_destroy(watcher);
    bool counted = load_counter_stop(counter);
    double gap = worst_gap(&ears, counter, by_writer);
    load_counter_free(counter);

    check(leaked == 0, "%s %s: the writer failed or leaked %d", plan->shape, name, leaked);
    check(ears.published > 1 && last > 1, "%s %s: nothing happened", plan->shape, name);
    check(!mixed, "%s %s: %llu snapshots mix generations", plan->shape, name,
          (unsigned long long)mixed);
    check(!backwards, "%s %s: %llu times backwards for a reader", plan->shape, name,
          (unsigned long long)backwards);
    check(!ears.mixed, "%s %s: %llu events mix generations", plan->shape, name,
          (unsigned long long)ears.mixed);
    check(!ears.backwards, "%s %s: %llu events out of order", plan->shape, name,
          (unsigned long long)ears.backwards);
    check(!ears.wrong_changes, "%s %s: %llu events without all changes", plan->shape, name,
          (unsigned long long)ears.wrong_changes);
    check(!ears.wrong_previous, "%s %s: %llu events skip a version", plan->shape, name,
          (unsigned long long)ears.wrong_previous);
    check(!ears.others, "%s %s: %llu other events, the last: %s", plan->shape, name,
          (unsigned long long)ears.others, ears.other);
    check(counted && gap >= 1 && gap <= LOADS_A_VERSION, "%s %s: %.1f loads for a version%s",
          plan->shape, name, gap, counted ? "" : ", and some were not counted");
    check(delivered && held == last,
          "%s %s: generation %lld was written last, %lld heard, %lld current", plan->shape, name,
          (long long)last, (long long)ears.last.generation, (long long)held);
    if (print)
        printf("%s %s: %lld generations, %llu versions, %llu reads, at most %.1f loads a version\n",
               plan->shape, name, (long long)last, (unsigned long long)ears.last.version,
               (unsigned long long)reads, gap);
    fflush(stdout);
    remove_mount(given.mount);
    shape_free(&content);
    free(ears.places);
}

int main(int count, char **arguments) {
    double seconds = count > 1 ? atof(arguments[1]) : 60;
    require(seconds > 0, "usage: consistency SECONDS");
    int writer = start_writer();
    /* Once quickly: what stays for good (the library's threads, the allocator's arenas) comes. */
    for (size_t number = 0; number < SCENES; number++) play(number, writer, 0.5, false);
    holdings before = holdings_now();
    for (size_t number = 0; number < SCENES; number++) {
        play(number, writer, seconds / SCENES, true);
        check_no_leak(&before, scenes[number].shape);
    }
    holdings after = holdings_within(before.allocated + ALLOCATED_GROWTH);
    check(after.allocated <= before.allocated + ALLOCATED_GROWTH, "%zu KiB allocated, %zu before",
          after.allocated >> 10, before.allocated >> 10);
#if !__has_feature(thread_sanitizer) /* whose shadow of memory grows by itself */
    check(after.resident <= before.resident + RESIDENT_GROWTH, "%zu KiB resident, %zu before",
          after.resident >> 10, before.resident >> 10);
#endif
    printf("%d descriptors, %d threads, %zu KiB allocated, %zu resident; before %d, %d, %zu, %zu\n",
           after.descriptors, after.threads, after.allocated >> 10, after.resident >> 10,
           before.descriptors, before.threads, before.allocated >> 10, before.resident >> 10);
    close(writer);
    return finish();
}
