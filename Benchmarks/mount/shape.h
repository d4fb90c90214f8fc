/* What a measured mount holds: shapes of configuration in which every value carries the number of
 * its generation, so that a reader can tell whether what it was given belongs together.
 *
 * It never touches a file: how a shape gets into a mount is kubelet.h.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <stddef.h>
#include <stdint.h>

enum { SHAPE_KEY_SIZE = 32, SHAPE_STAMPS = 2 };

typedef struct shape_value {
    char key[SHAPE_KEY_SIZE];
    char *bytes;
    size_t size;
    size_t stamps[SHAPE_STAMPS]; /* where the generation stands; a value without stamps *is* it */
    size_t stamp_count;
} shape_value;

typedef struct shape {
    shape_value *values;
    size_t count;
    size_t total; /* bytes of all values together */
} shape;

/* "small": 4 keys, 273 bytes; "medium": 20 keys, 10 KB; "large": 200 keys, 1 MiB, half of it JSON;
 * "keys=N": so many of 100 bytes; "bytes=N": one key of so many.
 * Equal seeds give equal bytes. Answers 0, or -1 when there is no such shape or no memory. */
int shape_make(shape *made, const char *name, uint64_t seed);
void shape_free(shape *made);

/* Writes a generation's number into every value. */
void shape_stamp(shape *made, uint64_t generation);

/* The generation that a value carries: a number itself, of a JSON object its "gen" (and "gen_end",
 * which must agree when it is there), of other text the digits after "gen="; -1 when none. */
int64_t shape_generation(const void *bytes, size_t size);

#endif
