/* Measures reads in C: ours beside their floors, slice by slice in one run, on one and on two
 * threads, first idle and then while a writer swaps the mount without a pause.
 *
 *     reads DIR SLICES        DIR: an empty directory to be used as the mount
 *
 * Prints "<idle|storm> <threads> <name> <median ns> <lowest ns>" a line, and for the storm
 * "reloads <count>". A slice is about a millisecond of one kind of read, all kinds take turns, and
 * what counts is the CPU time of the thread: being descheduled is not what a read costs.
 */
#define _GNU_SOURCE
#include <cmreload.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "floor.h"
#include "kubelet.h"

enum {
    THREADS = 2,
    LINE = 64,          /* bytes of a cache line */
    SLICE_NS = 1000000,
    WARM_UP = 3,        /* slices that only find out how many reads fill one */
    KEYS = 20,
};

typedef enum kind {
    FLOOR_LOAD, FLOOR_CALL, FLOOR_NUMBER, FLOOR_TEXT, FLOOR_ROTATING, FLOOR_COUNT,
    OUR_WORD, OUR_CELL, OUR_READER, OUR_INT64, OUR_STRING, OUR_ROTATING, OUR_ACQUIRE,
    KINDS
} kind;

static const char *const names[KINDS] = {
    "floor_load", "floor_call", "floor_number", "floor_text", "floor_rotating", "floor_add_sub",
    "version_word", "cell", "reader_current", "int64", "string", "string_rotating",
    "acquire_release",
};

typedef struct worker {
    _Alignas(LINE) atomic_long own_counter; /* nobody else's line: the cheapest counter there is */
    pthread_t thread;
    cmr_reader *reader;
    int cpu;
    kind what;
    uint64_t reads;
    double nanoseconds; /* of one read */
    uint64_t sum;
} worker;

static worker workers[THREADS];
static pthread_barrier_t gate;
static bool over;

/* What is asked for, and the floor's own copies: keys are compared, not pointers. Aligned, so that
 * none of them lies across two cache lines by chance. */
typedef struct key_text {
    _Alignas(SHAPE_KEY_SIZE) char text[SHAPE_KEY_SIZE];
} key_text;

static key_text asked[KEYS], stored[KEYS];
static const char *keys[KEYS];
static uint32_t key_sizes[KEYS];
static floor_table table;
static _Atomic(floor_table *) current;
static atomic_uint_least64_t plain;

static cmr_watcher *watcher;
static const cmr_snapshot *held;
static const uint64_t *word;
static const cmr_cell *bound; /* of MAX_CONNECTIONS */

/* Makes the compiler believe that a value may have changed, so that no read is moved or shared. */
#define FORGET(variable) __asm__ volatile("" : "+r"(variable))

#define REPEAT(body)                                                                               \
    for (uint64_t left = me->reads; left; left--) {                                                \
        FORGET(key);                                                                               \
        FORGET(size);                                                                              \
        body;                                                                                      \
        FORGET(sum);                                                                               \
    }

static uint64_t thread_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void slice(worker *me) {
    /* LOG_LEVEL, or MAX_CONNECTIONS: a floor looks up the same key as we do. */
    uint32_t turn = me->what == FLOOR_NUMBER || me->what == OUR_INT64 ? 2 : 1;
    const char *key = keys[turn];
    uint32_t size = key_sizes[turn];
    const uint64_t *version = word;
    const cmr_cell *cell = bound;
    cmr_reader *reader = me->reader;
    uint64_t sum = 0, begin = thread_ns();
    switch (me->what) {
    case FLOOR_LOAD:
        REPEAT(sum += atomic_load_explicit(&plain, memory_order_relaxed))
        break;
    case FLOOR_CALL:
        REPEAT(sum += floor_call(&plain))
        break;
    case FLOOR_NUMBER:
    case FLOOR_TEXT:
        REPEAT(sum += floor_find(atomic_load_explicit(&current, memory_order_acquire), key, size)
                          ->text_size)
        break;
    case FLOOR_ROTATING:
        REPEAT(key = keys[turn]; size = key_sizes[turn]; turn = turn == KEYS - 1 ? 0 : turn + 1;
               sum += floor_find(atomic_load_explicit(&current, memory_order_acquire), key, size)
                          ->text_size)
        break;
    case FLOOR_COUNT:
        REPEAT(atomic_fetch_add_explicit(&me->own_counter, 1, memory_order_acquire);
               atomic_fetch_sub_explicit(&me->own_counter, 1, memory_order_release))
        break;
    case OUR_WORD:
        REPEAT(sum += cmr_version_load(version))
        break;
    case OUR_CELL:
        REPEAT(sum += (uint64_t)cmr_cell_int64(cell))
        break;
    case OUR_READER:
        REPEAT(sum += (uint64_t)(uintptr_t)cmr_reader_current(reader))
        break;
    case OUR_INT64:
        REPEAT(int64_t number; cmr_snapshot_int64(held, key, &number); sum += (uint64_t)number)
        break;
    case OUR_STRING:
        REPEAT(const char *text; size_t length; cmr_snapshot_string(held, key, &text, &length);
               sum += length)
        break;
    case OUR_ROTATING:
        REPEAT(key = keys[turn]; turn = turn == KEYS - 1 ? 0 : turn + 1;
               const char *text; size_t length = 0;
               cmr_snapshot_string(held, key, &text, &length); sum += length)
        break;
    case OUR_ACQUIRE:
        REPEAT(cmr_snapshot_release(cmr_watcher_acquire(watcher)))
        break;
    case KINDS:
        break;
    }
    me->nanoseconds = (double)(thread_ns() - begin) / (double)me->reads;
    me->sum += sum;
}

static void *work(void *argument) {
    worker *me = argument;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(me->cpu, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    for (;;) {
        pthread_barrier_wait(&gate);
        if (over) return NULL;
        slice(me);
        pthread_barrier_wait(&gate);
    }
}

static int by_value(const void *one, const void *two) {
    double left = *(const double *)one, right = *(const double *)two;
    return (left > right) - (left < right);
}

/* All kinds in turn, `slices` times; of several threads the mean of what they paid counts. */
static void measure(const char *mode, int threads, int slices) {
    double *taken[KINDS];
    uint64_t reads[KINDS];
    for (int what = 0; what < KINDS; what++) {
        taken[what] = calloc((size_t)slices, sizeof(double));
        if (!taken[what]) exit(1);
        reads[what] = 10000;
    }
    over = false;
    pthread_barrier_init(&gate, NULL, (unsigned)threads + 1);
    for (int index = 0; index < threads; index++) {
        workers[index].cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 - index : 0;
        if (pthread_create(&workers[index].thread, NULL, work, &workers[index])) exit(1);
    }
    for (int round = -WARM_UP; round < slices; round++) {
        for (int what = 0; what < KINDS; what++) {
            double sum = 0;
            for (int index = 0; index < threads; index++) {
                workers[index].what = (kind)what;
                workers[index].reads = reads[what];
            }
            pthread_barrier_wait(&gate);
            pthread_barrier_wait(&gate);
            for (int index = 0; index < threads; index++) sum += workers[index].nanoseconds;
            if (round < 0) reads[what] = (uint64_t)(SLICE_NS / (sum / threads)) + 1;
            else taken[what][round] = sum / threads;
        }
    }
    over = true;
    pthread_barrier_wait(&gate);
    for (int index = 0; index < threads; index++) pthread_join(workers[index].thread, NULL);
    pthread_barrier_destroy(&gate);
    for (int what = 0; what < KINDS; what++) {
        qsort(taken[what], (size_t)slices, sizeof(double), by_value);
        printf("%s %d %s %.3f %.3f\n", mode, threads, names[what], taken[what][slices / 2],
               taken[what][0]);
        free(taken[what]);
    }
    fflush(stdout);
}

/* A process of its own, so that it takes nothing from ours but the CPU. Forked before the library
 * has threads; it waits at the other end of `go_out` until something is written there. */
static pid_t prepare_storm(const char *mount, shape *content, int *go_out) {
    int go[2];
    if (pipe(go)) exit(1);
    pid_t child = fork();
    *go_out = go[1];
    if (child) return child;
    char byte;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint64_t generation = 2;; generation++) {
        shape_stamp(content, generation);
        if (kubelet_write(mount, content, NULL)) _exit(1);
    }
}

int main(int count, char **arguments) {
    shape content;
    cmr_error error = CMR_ERROR_INIT;
    int go, slices = count == 3 ? atoi(arguments[2]) : 0;
    if (slices < 1) return 2;
    if (shape_make(&content, "medium", 1) || kubelet_write(arguments[1], &content, NULL)) return 1;
    pid_t storm = prepare_storm(arguments[1], &content, &go);
    for (size_t index = 0; index < KEYS; index++) {
        const shape_value *value = &content.values[index];
        memcpy(asked[index].text, value->key, SHAPE_KEY_SIZE);
        memcpy(stored[index].text, value->key, SHAPE_KEY_SIZE);
        keys[index] = asked[index].text;
        key_sizes[index] = (uint32_t)strlen(keys[index]);
        floor_insert(&table, stored[index].text, value->bytes, (uint32_t)value->size);
    }
    atomic_store(&current, &table);

    if (cmr_watcher_create(&watcher) != CMR_OK
        || cmr_watcher_add_mount(watcher, arguments[1], &error) != CMR_OK
        || cmr_watcher_bind_int64(watcher, keys[2], -1, &bound) != CMR_OK
        || cmr_watcher_start(watcher, &error) != CMR_OK) {
        fprintf(stderr, "reads: %s\n", error.message);
        return 1;
    }
    for (int index = 0; index < THREADS; index++)
        if (cmr_reader_create(watcher, &workers[index].reader) != CMR_OK) return 1;
    word = cmr_watcher_version_word(watcher);
    held = cmr_watcher_acquire(watcher);
    measure("idle", 1, slices);
    measure("idle", THREADS, slices);

    uint64_t before = cmr_watcher_version(watcher);
    if (write(go, "!", 1) != 1) return 1;
    measure("storm", 1, slices);
    measure("storm", THREADS, slices);
    printf("reloads %llu\n", (unsigned long long)(cmr_watcher_version(watcher) - before));
    kill(storm, SIGKILL);
    waitpid(storm, NULL, 0);
    cmr_snapshot_release(held);
    for (int index = 0; index < THREADS; index++) cmr_reader_destroy(workers[index].reader);
    cmr_watcher_destroy(watcher);
    shape_free(&content);
    return 0;
}
