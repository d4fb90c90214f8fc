/* Counts from outside how often a reader tries to load a mount: a load begins by opening the data
 * directory, and inotify tells of every directory that is opened in the mount, whoever opens it.
 * What the writer itself opens of each generation is measured first and taken off.
 */
#ifndef LOADS_H
#define LOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct load_counter load_counter;

/* Counts from now on; generation `next` is the one that will be written next. */
load_counter *load_counter_start(const char *mount, uint64_t next);

/* How often the directory of a generation was opened in its whole life; waits until it is gone,
 * which it is when the second after it comes. */
int load_counter_opened(load_counter *counter, uint64_t generation);

/* Ends the counting, so that load_counter_sum may be asked; false when events were dropped. */
bool load_counter_stop(load_counter *counter);

/* How often the directories of the generations after `from`, up to `to`, were opened by others than
 * the writer, who opens each of them `by_writer` times once it has a successor. */
uint64_t load_counter_sum(const load_counter *counter, uint64_t from, uint64_t to, int by_writer);

void load_counter_free(load_counter *counter);

#endif
