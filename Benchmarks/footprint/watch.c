/* What watchers cost the process that they live in: memory, wake-ups while nothing happens, threads
 * and descriptors, and what an update costs when there are a thousand of them. Prints a figure a
 * line, "name value".
 *
 *     watch DIRECTORY IDLE_SECONDS WATCHERS UPDATES
 */
#define _GNU_SOURCE
#include <cmreload.h>

#include <dirent.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kubelet.h"
#include "resident.h"

enum { NEVER_MS = 24 * 60 * 60 * 1000, SECOND_MS = 1000 };

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

static void begin(place *here, const char *directory, int number, shape *content, int64_t rescan) {
    cmr_error error = CMR_ERROR_INIT;
    snprintf(here->path, sizeof here->path, "%s/%d", directory, number);
    require(mkdir(here->path, 0755) == 0, "no directory");
    require(kubelet_write(here->path, content, NULL) == 0, "no mount");
    require(sem_init(&here->heard, 0, 0) == 0, "no semaphore");
    require(cmr_watcher_create(&here->watcher) == CMR_OK, "no watcher");
    require(cmr_watcher_set_option(here->watcher, CMR_OPTION_RESCAN_MS, rescan) == CMR_OK, "rate");
    require(cmr_watcher_add_mount(here->watcher, here->path, &error) == CMR_OK, error.message);
    require(cmr_watcher_subscribe(here->watcher, NULL, 0, on_event, here, NULL, &error) == CMR_OK,
            error.message);
    require(cmr_watcher_start(here->watcher, &error) == CMR_OK, error.message);
    sem_wait(&here->heard); /* of version 1 */
}

static void end(place *here) {
    cmr_watcher_destroy(here->watcher);
    sem_destroy(&here->heard);
}

/* Microseconds from the rename to the callback. Counted from its start: the callback may run before
 * the writer is put back on a processor to see its end. */
static double update(place *here, shape *content, uint64_t generation) {
    kubelet_times times;
    struct timespec deadline;
    shape_stamp(content, generation);
    require(kubelet_write(here->path, content, &times) == 0, "no update");
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    require(sem_timedwait(&here->heard, &deadline) == 0, "an update was not delivered");
    return (double)(here->moment - times.rename_start) / 1000;
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* The median over updates of places in turn, each after a pause in which everything comes to rest.
 * */
static double latency(place *places, int count, int updates, shape *content, uint64_t *generation) {
    double *all = calloc((size_t)updates, sizeof *all);
    require(all != NULL, "no memory");
    for (int index = 0; index < updates; index++) {
        usleep(5000);
        all[index] = update(&places[(index * 37) % count], content, ++*generation);
    }
    qsort(all, (size_t)updates, sizeof *all, ascending);
    double median = all[updates / 2];
    free(all);
    return median;
}

static long wake_ups_within(int seconds) {
    usleep(200000); /* what start left to do is done */
    long before = wake_ups();
    sleep((unsigned)seconds);
    return wake_ups() - before;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 5) return 2;
    const char *directory = arguments[1];
    int seconds = atoi(arguments[2]), count = atoi(arguments[3]), updates = atoi(arguments[4]);
    uint64_t generation = 1;
    shape content;
    place *places = calloc((size_t)count + 1, sizeof *places);
    require(places && count > 1 && shape_make(&content, "small", 1) == 0, "no memory");
    shape_stamp(&content, generation);

    long resident = resident_kib();
    begin(&places[0], directory, 0, &content, NEVER_MS);
    printf("watcher_kib %ld\n", resident_kib() - resident);
    printf("idle_wake_ups %ld\n", wake_ups_within(seconds));
    printf("one_threads %ld\none_descriptors %ld\n", threads(), descriptors());

    begin(&places[count], directory, count, &content, SECOND_MS);
    cmr_stats before = CMR_STATS_INIT, after = CMR_STATS_INIT;
    cmr_watcher_stats(places[count].watcher, &before);
    long woken = wake_ups_within(seconds);
    cmr_watcher_stats(places[count].watcher, &after);
    printf("rescans %llu\n", (unsigned long long)(after.rescans - before.rescans));
    printf("rescan_wake_ups %ld\n", woken);
    end(&places[count]);

    printf("one_latency_us %.1f\n", latency(places, 1, updates, &content, &generation));

    resident = resident_kib();
    for (int index = 1; index < count; index++)
        begin(&places[index], directory, index, &content, NEVER_MS);
    printf("many_watcher_kib %.1f\n", (double)(resident_kib() - resident) / (count - 1));
    printf("many_threads %ld\nmany_descriptors %ld\n", threads(), descriptors());
    printf("many_idle_wake_ups %ld\n", wake_ups_within(seconds));
    printf("many_latency_us %.1f\n", latency(places, count, updates, &content, &generation));
    printf("same_latency_us %.1f\n", latency(places, 1, updates, &content, &generation));

    for (int index = 0; index < count; index++) end(&places[index]);
    free(places);
    shape_free(&content);
    return 0;
}
