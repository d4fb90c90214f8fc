/* What watchers cost the process that they live in: memory, wake-ups while nothing happens, threads
 * and descriptors, how long it takes to start them, and what an update costs when there are many,
 * beside what it costs, in turns with them, in a process that has but one.
 * Prints a figure a line, "name value"; those that begin with a number are of so many watchers.
 *
 *     watch DIRECTORY IDLE_SECONDS UPDATES WATCHERS…      in ascending order
 */
#define _GNU_SOURCE
#include <cmreload.h>

#include <dirent.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kubelet.h"
#include "resident.h"

enum { NEVER_MS = 24 * 60 * 60 * 1000, SECOND_MS = 1000, WRITER_CPU = 0, READER_CPU = 1 };
enum { TURN = 20 }; /* updates, before it is another's turn */

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "watch: %s\n", what);
    exit(1);
}

static long entries(const char *path) {
    DIR *directory = opendir(path);
    long count = -3; /* the two dots and, of descriptors, this directory's own */
    require(directory != NULL, path);
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

static long threads(void) { return entries("/proc/self/task") + 1; }
static long descriptors(void) { return entries("/proc/self/fd"); }

/* How often threads other than this one were put on a processor. */
static long wake_ups(void) {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    long sum = 0;
    require(tasks != NULL, "no /proc/self/task");
    while ((task = readdir(tasks))) {
        char path[300], line[128];
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid()) continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status = fopen(path, "re");
        if (!status) continue;
        while (fgets(line, sizeof line, status)) {
            const char *number = strstr(line, "ctxt_switches:");
            if (number) sum += atol(number + strlen("ctxt_switches:"));
        }
        fclose(status);
    }
    closedir(tasks);
    return sum;
}

/* The library's threads go where the thread that starts them is. */
static void run_on(int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) > 1 ? cpu : 0, &cpus);
    require(sched_setaffinity(0, sizeof cpus, &cpus) == 0, "no processor");
}

/* ---- One mount and its watcher ---- */

typedef struct place {
    char path[256];
    cmr_watcher *watcher;
    sem_t heard;
    uint64_t moment; /* when the last callback began */
} place;

static void on_event(void *context, const cmr_event *event) {
    uint64_t now = monotonic_ns();
    place *here = context;
    if (event->kind != CMR_EVENT_PUBLISHED) return;
    here->moment = now;
    sem_post(&here->heard);
}

static void make_mount(place *here, const char *directory, int number, const shape *content) {
    snprintf(here->path, sizeof here->path, "%s/%d", directory, number);
    require(mkdir(here->path, 0755) == 0, "no directory");
    require(kubelet_write(here->path, content, NULL) == 0, "no mount");
    require(sem_init(&here->heard, 0, 0) == 0, "no semaphore");
}

static void begin(place *here, int64_t rescan) {
    cmr_error error = CMR_ERROR_INIT;
    require(cmr_watcher_create(&here->watcher) == CMR_OK, "no watcher");
    require(cmr_watcher_set_option(here->watcher, CMR_OPTION_RESCAN_MS, rescan) == CMR_OK, "rate");
    require(cmr_watcher_add_mount(here->watcher, here->path, &error) == CMR_OK, error.message);
    require(cmr_watcher_subscribe(here->watcher, NULL, 0, on_event, here, NULL, &error) == CMR_OK,
            error.message);
    require(cmr_watcher_start(here->watcher, &error) == CMR_OK, error.message);
}

static void hear(place *here) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    require(sem_timedwait(&here->heard, &deadline) == 0, "a version was not delivered");
}

static void end(place *here) {
    cmr_watcher_destroy(here->watcher);
    sem_destroy(&here->heard);
}

/* Microseconds from the rename to the callback. Counted from its start: the callback may run before
 * the writer is put back on a processor to see its end. */
static double update(place *here, shape *content, uint64_t generation) {
    kubelet_times times;
    shape_stamp(content, generation);
    require(kubelet_write(here->path, content, &times) == 0, "no update");
    hear(here);
    return (double)(here->moment - times.rename_start) / 1000;
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* The CPU time of all threads but this one, which writes the mounts. */
static double library_us(void) {
    struct timespec all, own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    return (double)(all.tv_sec - own.tv_sec) * 1e6 + (double)(all.tv_nsec - own.tv_nsec) / 1e3;
}

/* What the updates of one kind cost, of all turns. */
typedef struct series {
    int count;
    double cpu_us;
    double *latencies_us;
} series;

/* `times` updates of places in turn, each after a pause in which everything comes to rest. */
static void updates(series *taken, place *places, int count, int times, shape *content,
                    uint64_t *generation) {
    double before = library_us();
    for (int index = 0; index < times; index++) {
        usleep(5000);
        place *next = &places[(taken->count * 37) % count];
        taken->latencies_us[taken->count++] = update(next, content, ++*generation);
    }
    taken->cpu_us += library_us() - before;
}

/* ---- A process with one watcher ---- */

typedef struct single {
    pid_t process;
    int ask, answer; /* a number of updates; the latency of each, and the CPU time of all */
} single;

static void serve(int ask, int answer, const char *directory, shape *content) {
    place here = {0};
    double latencies[TURN];
    uint64_t generation = 1;
    make_mount(&here, directory, 0, content);
    run_on(READER_CPU);
    begin(&here, NEVER_MS);
    run_on(WRITER_CPU);
    hear(&here);
    for (int times; read(ask, &times, sizeof times) == sizeof times;) {
        series taken = {.latencies_us = latencies};
        updates(&taken, &here, 1, times, content, &generation);
        size_t size = (size_t)times * sizeof *latencies;
        require(write(answer, latencies, size) == (ssize_t)size, "no answer");
        require(write(answer, &taken.cpu_us, sizeof taken.cpu_us) > 0, "no answer");
    }
    end(&here);
}

/* Forked before the library has threads; ends when nobody can ask it any more. */
static single prepare_single(const char *directory, shape *content) {
    char own[256];
    int ask[2], answer[2];
    snprintf(own, sizeof own, "%s/single", directory);
    require(mkdir(own, 0755) == 0 && pipe(ask) == 0 && pipe(answer) == 0, "no place for another");
    single made = {.process = fork(), .ask = ask[1], .answer = answer[0]};
    require(made.process >= 0, "no process");
    if (made.process == 0) {
        close(ask[1]);
        close(answer[0]);
        serve(ask[0], answer[1], own, content);
        exit(0);
    }
    close(ask[0]);
    close(answer[1]);
    return made;
}

static void ask(single *one, series *taken, int times) {
    double *latencies = taken->latencies_us + taken->count, cpu_us;
    ssize_t size = times * (ssize_t)sizeof *latencies;
    require(write(one->ask, &times, sizeof times) == sizeof times, "nobody to ask");
    require(read(one->answer, latencies, (size_t)size) == size, "no answer");
    require(read(one->answer, &cpu_us, sizeof cpu_us) == sizeof cpu_us, "no answer");
    taken->count += times;
    taken->cpu_us += cpu_us;
}

static void dismiss(single *one) {
    int status = 0;
    close(one->ask);
    close(one->answer);
    require(waitpid(one->process, &status, 0) == one->process && status == 0, "it failed");
}

/* ---- Many watchers ---- */

/* Medians of latency and means of CPU time, in turns: of the process that has but one watcher, of
 * one of many, and of many one after the other. */
static void compare(single *one, place *places, int count, int times, shape *content,
                    uint64_t *generation) {
    static const char *const names[] = {"single", "same", "another"};
    series taken[3] = {0};
    for (int kind = 0; kind < 3; kind++) {
        taken[kind].latencies_us = calloc((size_t)times, sizeof(double));
        require(taken[kind].latencies_us != NULL, "no memory");
    }
    for (int done = 0; done < times; done += TURN) {
        int turn = times - done < TURN ? times - done : TURN;
        ask(one, &taken[0], turn);
        updates(&taken[1], places, 1, turn, content, generation);
        updates(&taken[2], places, count, turn, content, generation);
    }
    for (int kind = 0; kind < 3; kind++) {
        qsort(taken[kind].latencies_us, (size_t)times, sizeof(double), ascending);
        double latency_us = taken[kind].latencies_us[times / 2];
        printf("%d %s latency_us %.1f\n", count, names[kind], latency_us);
        printf("%d %s cpu_us %.1f\n", count, names[kind], taken[kind].cpu_us / times);
        free(taken[kind].latencies_us);
    }
}

static long wake_ups_within(int seconds) {
    usleep(200000); /* what start left to do is done */
    long before = wake_ups();
    sleep((unsigned)seconds);
    return wake_ups() - before;
}

/* What the first one costs while nothing happens, without rescans and with one a second. */
static void alone(place *first, place *rescanned, const char *directory, int seconds,
                  const shape *content) {
    cmr_stats before = CMR_STATS_INIT, after = CMR_STATS_INIT;
    make_mount(first, directory, 0, content);
    long resident = resident_kib();
    run_on(READER_CPU);
    begin(first, NEVER_MS);
    run_on(WRITER_CPU);
    hear(first);
    printf("watcher_kib %ld\n", resident_kib() - resident);
    printf("idle_wake_ups %ld\n", wake_ups_within(seconds));

    make_mount(rescanned, directory, 1, content);
    begin(rescanned, SECOND_MS);
    hear(rescanned);
    cmr_watcher_stats(rescanned->watcher, &before);
    long woken = wake_ups_within(seconds);
    cmr_watcher_stats(rescanned->watcher, &after);
    printf("rescans %llu\n", (unsigned long long)(after.rescans - before.rescans));
    printf("rescan_wake_ups %ld\n", woken);
    end(rescanned);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 5) return 2;
    const char *directory = arguments[1];
    int seconds = atoi(arguments[2]), times = atoi(arguments[3]);
    int most = atoi(arguments[argument_count - 1]);
    uint64_t generation = 1, started_ns = 0;
    shape content;
    require(most > 0 && shape_make(&content, "small", 1) == 0, "no memory");
    single one = prepare_single(directory, &content);
    place *places = calloc((size_t)most + 1, sizeof *places);
    require(places != NULL, "no memory");
    /* Resident before anything is measured. */
    memset(places, 1, ((size_t)most + 1) * sizeof *places);

    alone(&places[0], &places[most], directory, seconds, &content);
    long base = resident_kib();
    for (int argument = 4, running = 1; argument < argument_count; argument++) {
        int count = atoi(arguments[argument]);
        for (int index = running; index < count; index++)
            make_mount(&places[index], directory, index + 1, &content);
        uint64_t begun = monotonic_ns();
        for (int index = running; index < count; index++) begin(&places[index], NEVER_MS);
        for (int index = running; index < count; index++) hear(&places[index]);
        started_ns += monotonic_ns() - begun;
        running = count;
        printf("%d started_ms %.1f\n", count, (double)started_ns / 1e6);
        if (count > 1)
            printf("%d watcher_kib %.2f\n", count, (double)(resident_kib() - base) / (count - 1));
        printf("%d threads %ld\n%d descriptors %ld\n", count, threads(), count, descriptors());
        printf("%d idle_wake_ups %ld\n", count, wake_ups_within(seconds));
        compare(&one, places, count, times, &content, &generation);
        fflush(stdout);
    }
    for (int index = 0; index < most; index++) end(&places[index]);
    dismiss(&one);
    free(places);
    shape_free(&content);
    return 0;
}
