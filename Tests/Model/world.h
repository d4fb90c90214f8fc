/* The world that the library sees, in the hands of the test: functions of libc's that the program
 * defines itself stand before libc's for every library that it loads. So the clock stands still
 * until a step moves it, the kernel may have no watch left to give, a file may be denied to root;
 * and the test knows when the library has nothing left to do.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stdint.h>

/* Whether inotify may be had; set before a watcher is started. */
void world_allow_watching(bool allowed);

/* Whether a file whose name ends so can be opened for reading. */
void world_deny(int number, const char *name, bool denied);

/* Moves the monotonic clock. The library looks at once. */
void world_pass(int64_t milliseconds);

/* What the kernel tells between these two of is read at once: a directory that is moved is told of
 * twice, by its parent and by itself, and between the two the library may have looked already. */
void world_hold(void);
void world_let_go(void);

/* Waits until the library's thread waits for something that has not happened. A watcher must be
 * started. */
void world_settle(void);

/* In a forked child, before anything else: it has a world of its own. */
void world_fork(void);

#endif
