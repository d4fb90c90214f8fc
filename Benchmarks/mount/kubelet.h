/* Updates a ConfigMap volume step by step as the kubelet does (pkg/volume/util/atomic_writer.go),
 * and says when the rename happened. Independent of the library, so that the library is measured
 * and tested against something it did not write itself.
 */
#ifndef KUBELET_H
#define KUBELET_H

#include <stdint.h>
#include <time.h>

#include "shape.h"

/* CLOCK_MONOTONIC nanoseconds. */
typedef struct kubelet_times {
    uint64_t begin, rename_start, rename_end, end;
} kubelet_times;

/* Publishes the shape's values in the directory `mount`, which must exist. `times` may be NULL.
 * Answers 0, or -1 with errno. Unchanged content writes nothing and leaves the renames 0. */
int kubelet_write(const char *mount, const shape *content, kubelet_times *times);

static inline uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
