/* What the stress programs share: counting what holds, waiting for what must come, and what the
 * process holds of the system. Deadlines are generous and mean failure; nothing else here is timed.
 */
#ifndef STRESS_H
#define STRESS_H

#include <cmreload.h>

#include "kubelet.h"

enum { DEADLINE_SECONDS = 60 };

/* Counts one statement that must hold; prints it when it does not. Any thread. */
bool check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "N passed, N failed" and gives the program's exit status. */
int finish(void);

/* Ends the program when there is no sense in going on. */
void require(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until it holds or the deadline is over; says whether it holds. For states that nobody
 * announces; what is announced is waited for where it is announced. */
bool wait_until(bool (*holds)(void *context), void *context);

/* What the process holds of the system. */
typedef struct holdings {
    int descriptors, threads;
    size_t allocated; /* bytes that were not given back to malloc */
    size_t resident;  /* bytes in memory, once what is free was trimmed */
} holdings;

holdings holdings_now(void);

/* The same, once no more than `bytes` are allocated, or at the deadline: what a reload worked with
 * is given back a moment after its version was published. */
holdings holdings_within(size_t bytes);

/* Threads and descriptors that are given back a moment after they were let go of: checks that there
 * are no more than there were. */
void check_no_leak(const holdings *before, const char *when);

/* Writes an empty directory's path, for a mount; and removes it with all that it holds. */
void make_mount(char path[64]);
void remove_mount(const char *path);

/* A started watcher on one mount, without a rescan behind it: what a notification misses stays
 * missed. `callback` may be NULL. */
cmr_watcher *start_watcher(const char *mount, cmr_event_fn callback, void *context);

/* The one generation that every value of the snapshot carries, -1 when they do not agree, are not
 * `count`, or a value is not what its key holds in the kubelet's file. */
int64_t snapshot_generation(const cmr_snapshot *snapshot, size_t count);

#endif
