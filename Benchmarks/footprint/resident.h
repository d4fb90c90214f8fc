/* How much memory of this process is resident, exactly: /proc/self/statm lags behind by design
 * (counters are folded in batches), smaps_rollup walks the pages.
 */
#ifndef RESIDENT_H
#define RESIDENT_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In KiB, or -1. Allocates nothing, so that it does not measure itself. */
static inline long resident_kib(void) {
    char text[512];
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (size <= 0) return -1;
    text[size] = 0;
    const char *line = strstr(text, "\nRss:");
    return line ? strtol(line + 5, NULL, 10) : -1;
}

#endif
