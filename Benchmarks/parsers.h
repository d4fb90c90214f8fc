/* The parsers of the library, as ParserDriver.swift opens them, and the time that they are measured
 * in.
 */
#ifndef PARSERS_H
#define PARSERS_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FORMAT_JSON = 1, FORMAT_YAML, FORMAT_TOML, FORMAT_PROPERTIES, FORMAT_DOTENV, FORMAT_INI };
enum { NULL_TYPE, BOOL, INT64, DOUBLE, STRING, ARRAY, OBJECT };

/* Zeros that must follow a text. */
enum { PADDING = 64 };

#ifdef __cplusplus
extern "C" {
#endif

/* A node of a document's tape: the type in the lowest byte of the head. */
struct Node {
    uint64_t head, payload;
};

void *bench_create(int32_t format, void *(*allocate)(long), void (*release)(void *, long));
long bench_parse(void *bench, const char *bytes, long size);
const struct Node *bench_make(void *bench, const char *bytes, long size);
const char *bench_text(const struct Node *node);
void bench_free(void *bench, const struct Node *node);

#ifdef __cplusplus
}
#endif

/* Nanoseconds of CPU time of this thread. */
static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

#endif
