/* The allocator of memory whose size follows input.
 *
 * Blocks from 4 KiB up come in size classes, four to a power of two; a freed one goes onto its
 * class's list and is handed out again with its pages warm: on a virtual machine a fresh page costs
 * about 2 µs, more than reading and parsing what goes into it. Smaller blocks are malloc's. One
 * lock guards the lists; it is held for a few instructions and across fork(2).
 */
#define _GNU_SOURCE
#include "csystem.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_LOG2 = 12, CLASSES = 4 * 20, KEPT_DEFAULT = 8 << 20 };

typedef struct block {
    struct block *next;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block *kept[CLASSES];
static size_t kept_bytes;

/* The class that holds `size`, or −1 (malloc's), and the size of its blocks. */
static int class_of(size_t size, size_t *rounded) {
    if (size < (size_t)1 << SMALLEST_LOG2) return -1;
    int log2 = 63 - __builtin_clzll(size);
    size_t step = (size_t)1 << (log2 - 2);
    size_t quarters = (size - ((size_t)1 << log2) + step - 1) / step;
    *rounded = ((size_t)1 << log2) + quarters * step;
    int index = (log2 - SMALLEST_LOG2) * 4 + (int)quarters;
    return index < CLASSES ? index : -1;
}

void *cs_allocate(ptrdiff_t size) {
    if (size <= 0) return NULL;
    size_t rounded = 0;
    int class = class_of((size_t)size, &rounded);
    if (class < 0) return malloc((size_t)size);
    pthread_mutex_lock(&lock);
    block *found = kept[class];
    if (found) {
        kept[class] = found->next;
        kept_bytes -= rounded;
    }
    pthread_mutex_unlock(&lock);
    return found ? (void *)found : malloc(rounded);
}

void cs_free(void *memory, ptrdiff_t size) {
    size_t rounded = 0;
    int class = memory && size > 0 ? class_of((size_t)size, &rounded) : -1;
    if (class >= 0) {
        pthread_mutex_lock(&lock);
        if (kept_bytes + rounded <= KEPT_DEFAULT) {
            block *freed = memory;
            freed->next = kept[class];
            kept[class] = freed;
            kept_bytes += rounded;
            memory = NULL;
        }
        pthread_mutex_unlock(&lock);
    }
    free(memory);
}

void cs_free_wiped(void *memory, ptrdiff_t size) {
    if (memory && size > 0) explicit_bzero(memory, (size_t)size);
    cs_free(memory, size);
}

void *cs_allocate_lines(ptrdiff_t size) {
    void *lines = aligned_alloc(64, (size_t)size);
    return lines ? memset(lines, 0, (size_t)size) : NULL;
}

void cs_memory_before_fork(void) { pthread_mutex_lock(&lock); }
void cs_memory_after_fork(void) { pthread_mutex_unlock(&lock); }

void *cs_allocate_for_caller(ptrdiff_t size) { return size > 0 ? malloc((size_t)size) : NULL; }
void cs_free_for_caller(void *memory) {
    if (memory) explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

/* Deeper than a load goes, and less than the smallest stack that a host would load from. */
__attribute__((noinline)) void cs_wipe_stack(void) {
    char room[24 << 10];
    explicit_bzero(room, sizeof room);
}

int cs_compare(const void *a, const void *b, size_t size) { return memcmp(a, b, size); }

#ifdef CS_EMBEDDED
/* What Swift allocates objects with. glibc's goes past the thread's cache of free blocks, which
 * makes each object cost several times what malloc(3) takes; and malloc aligns as far as any object
 * asks. */
__attribute__((visibility("hidden")))
int posix_memalign(void **start, size_t alignment, size_t size) {
    void *room = alignment <= _Alignof(max_align_t) ? malloc(size) : aligned_alloc(alignment, size);
    if (!room) return ENOMEM;
    *start = room;
    return 0;
}
#endif

/* Swift's standard library asks for these two of libm; the library needs libc alone. */
double trunc(double number) {
    if (!(number > -4503599627370496.0 && number < 4503599627370496.0))
        return number; /* integers, NaN */
    double truncated = (double)(int64_t)number;
    return number < 0 && truncated == 0 ? -0.0 : truncated;
}
double ceil(double number) {
    double truncated = trunc(number);
    return truncated < number ? truncated + 1 : truncated;
}
