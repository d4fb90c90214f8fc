/* The writer that the harness drives: creates a mount of one shape and updates it on command.
 *
 *     writer DIR small|medium|large SEED LOG
 *
 * It prints "READY keys bytes", then obeys lines on its standard input and answers each with
 * "DONE first last", the generations it wrote: `steady COUNT INTERVAL_MS` (jittered by a fifth),
 * `hammer SECONDS` (without a pause). LOG gets "generation rename_start rename_end" a line, in ns.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kubelet.h"

typedef struct entry {
    uint64_t generation;
    kubelet_times times;
} entry;

static const char *mount;
static shape content;
static uint64_t generation;
static entry *entries; /* kept in memory while updates run: the log costs the measurement nothing */
static size_t entry_count, entry_capacity;

static void update(void) {
    if (entry_count == entry_capacity) {
        entry_capacity = entry_capacity ? entry_capacity * 2 : 4096;
        entries = realloc(entries, entry_capacity * sizeof *entries);
        if (!entries) exit(1);
    }
    shape_stamp(&content, ++generation);
    entry *next = &entries[entry_count++];
    next->generation = generation;
    if (kubelet_write(mount, &content, &next->times)) {
        perror(mount);
        exit(1);
    }
}

static void pause_ns(uint64_t nanoseconds) {
    struct timespec left = { (time_t)(nanoseconds / 1000000000u),
                             (long)(nanoseconds % 1000000000u) };
    while (nanosleep(&left, &left)) {}
}

static int obey(const char *line) {
    double first = 0, second = 0;
    if (sscanf(line, "steady %lf %lf", &first, &second) == 2) {
        uint64_t interval = (uint64_t)(second * 1e6);
        for (uint64_t index = 0; index < (uint64_t)first; index++) {
            uint64_t jitter = (generation * 0x9E3779B97F4A7C15u >> 32) % (interval * 2 / 5 + 1);
            pause_ns(interval * 4 / 5 + jitter);
            update();
        }
    } else if (sscanf(line, "hammer %lf", &first) == 1) {
        uint64_t end = monotonic_ns() + (uint64_t)(first * 1e9);
        while (monotonic_ns() < end) update();
    } else {
        return -1;
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: writer DIR small|medium|large SEED LOG\n");
        return 2;
    }
    mount = arguments[1];
    FILE *log = fopen(arguments[4], "w");
    if (!log || shape_make(&content, arguments[2], strtoull(arguments[3], NULL, 10))) {
        fprintf(stderr, "writer: no log, or no shape %s\n", arguments[2]);
        return 2;
    }
    mkdir(mount, 0755);
    update();
    printf("READY %zu %zu\n", content.count, content.total);
    fflush(stdout);
    for (char line[256]; fgets(line, sizeof line, stdin);) {
        entry_count = 0;
        if (obey(line)) {
            fprintf(stderr, "writer: cannot obey %s", line);
            return 2;
        }
        for (size_t index = 0; index < entry_count; index++)
            fprintf(log, "%llu %llu %llu\n", (unsigned long long)entries[index].generation,
                    (unsigned long long)entries[index].times.rename_start,
                    (unsigned long long)entries[index].times.rename_end);
        fflush(log);
        printf("DONE %llu %llu\n", (unsigned long long)(generation - entry_count + 1),
               (unsigned long long)generation);
        fflush(stdout);
    }
    return 0;
}
