/* What every measured program says of a load: one line, one write(2),
 *
 *     APPLIED <generation> <CLOCK_MONOTONIC ns> n=<values> lo=<lowest generation> hi=<highest>
 *
 * The moment is taken first, the values are checked after; lo and hi differ when a load is torn.
 * The generation is that of the key GENERATION.
 */
#ifndef APPLIED_H
#define APPLIED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubelet.h"

typedef struct tally {
    int64_t generation, lowest, highest;
    size_t count;
} tally;

static inline tally tally_begin(void) {
    tally begun = { -1, INT64_MAX, -1, 0 };
    return begun;
}

static inline void tally_add(tally *so_far, const char *key, int64_t generation) {
    so_far->count++;
    if (generation < so_far->lowest) so_far->lowest = generation;
    if (generation > so_far->highest) so_far->highest = generation;
    if (!strcmp(key, "GENERATION")) so_far->generation = generation;
}

static inline void tally_print(const tally *done, uint64_t moment) {
    char line[256];
    int size = snprintf(line, sizeof line,
                        "APPLIED %" PRId64 " %" PRIu64 " n=%zu lo=%" PRId64 " hi=%" PRId64 "\n",
                        done->generation, moment, done->count, done->lowest, done->highest);
    if (write(1, line, (size_t)size) != size) exit(1);
}

#endif
