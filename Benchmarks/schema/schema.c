/* What compare.py calls: measures our parser and our validator on one text, in nanoseconds of CPU
 * time a byte, beside Python's validators in the same process. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void *bench_open(const char *schema, long schema_size, const char *text, long size,
                 void *(*allocate)(long), void (*release)(void *, long));
long bench_parse(void *bench);
long bench_validate(void *bench);

/* Swift's runtime asks for it; glibc has had it since 2.36 only. */
void arc4random_buf(void *buffer, size_t size) {
    if (getentropy(buffer, size)) abort();
}

static void *allocate(long size) { return malloc((size_t)size); }

static void release(void *memory, long size) {
    (void)size;
    free(memory);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Keeps copies for as long as the process lives. */
void *schema_open(const char *schema, long schema_size, const char *text, long size) {
    char *padded = calloc((size_t)size + 64, 1);
    char *copy = malloc((size_t)schema_size + 1);
    if (!padded || !copy) return NULL;
    memcpy(padded, text, (size_t)size);
    memcpy(copy, schema, (size_t)schema_size);
    return bench_open(copy, schema_size, padded, size, allocate, release);
}

/* Nanoseconds of one parse, or -1. */
double schema_parse(void *bench, int repeats) {
    double start = now();
    for (int repeat = 0; repeat < repeats; repeat++)
        if (bench_parse(bench) < 0) return -1;
    return (now() - start) / repeats;
}

/* Nanoseconds of one validation, or -1. */
double schema_validate(void *bench, int repeats) {
    double start = now();
    for (int repeat = 0; repeat < repeats; repeat++)
        if (bench_validate(bench) < 0) return -1;
    return (now() - start) / repeats;
}

long schema_violations(void *bench) { return bench_validate(bench); }
