/* Counts loads by what inotify tells of opened directories. See loads.h. */
#define _GNU_SOURCE
#include "loads.h"

#include "stress.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

typedef struct directory {
    char name[NAME_SIZE];
    int opened;
} directory;

struct load_counter {
    int inotify, stop;
    pthread_t thread;
    pthread_mutex_t lock;
    uint64_t first; /* the generation of the first directory */
    directory *directories;
    size_t count, capacity;
    bool overflowed;
};

static void add(load_counter *me, const char *name) {
    if (me->count == me->capacity) {
        me->capacity = me->capacity ? me->capacity * 2 : 1024;
        me->directories = realloc(me->directories, me->capacity * sizeof *me->directories);
        require(me->directories, "no memory");
    }
    directory *added = &me->directories[me->count++];
    strncpy(added->name, name, NAME_SIZE - 1);
    added->name[NAME_SIZE - 1] = 0;
    added->opened = 0;
}

static void take(load_counter *me, const struct inotify_event *event) {
    if (event->mask & IN_Q_OVERFLOW) me->overflowed = true;
    if (!event->len || !(event->mask & IN_ISDIR)) return;
    if (event->mask & IN_CREATE) add(me, event->name);
    if (!(event->mask & IN_OPEN)) return;
    for (size_t index = me->count; index--;) {
        if (strcmp(me->directories[index].name, event->name)) continue;
        me->directories[index].opened++;
        return;
    }
}

static void *count_on(void *argument) {
    load_counter *me = argument;
    _Alignas(struct inotify_event) static char events[1 << 16];
    struct pollfd ready[] = { { me->inotify, POLLIN, 0 }, { me->stop, POLLIN, 0 } };
    for (;;) {
        poll(ready, 2, -1);
        ssize_t size = ready[0].revents ? read(me->inotify, events, sizeof events) : 0;
        pthread_mutex_lock(&me->lock);
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const void *)(events + at);
            at += (ssize_t)(sizeof *event + event->len);
            take(me, event);
        }
        pthread_mutex_unlock(&me->lock);
        if (!size && ready[1].revents) return NULL; /* nothing is left that came before the stop */
    }
}

load_counter *load_counter_start(const char *mount, uint64_t next) {
    load_counter *me = calloc(1, sizeof *me);
    require(me, "no memory");
    me->first = next;
    me->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    me->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&me->lock, NULL);
    /* Closing is told of too, for equal events that follow each other would become one. */
    require(inotify_add_watch(me->inotify, mount, IN_CREATE | IN_OPEN | IN_CLOSE) >= 0
            && !pthread_create(&me->thread, NULL, count_on, me), "loads cannot be counted");
    return me;
}

typedef struct wish {
    load_counter *counter;
    size_t directories;
} wish;

static bool has_come(void *context) {
    wish *what = context;
    pthread_mutex_lock(&what->counter->lock);
    bool there = what->counter->count >= what->directories;
    pthread_mutex_unlock(&what->counter->lock);
    return there;
}

int load_counter_opened(load_counter *me, uint64_t generation) {
    size_t index = generation - me->first;
    wish next = { me, index + 3 };
    require(wait_until(has_come, &next), "generation %llu was not seen",
            (unsigned long long)generation);
    pthread_mutex_lock(&me->lock);
    int opened = me->directories[index].opened;
    pthread_mutex_unlock(&me->lock);
    return opened;
}

bool load_counter_stop(load_counter *me) {
    uint64_t one = 1;
    require(write(me->stop, &one, sizeof one) == sizeof one, "the counter does not stop");
    pthread_join(me->thread, NULL);
    return !me->overflowed;
}

uint64_t load_counter_sum(const load_counter *me, uint64_t from, uint64_t to, int by_writer) {
    uint64_t sum = 0;
    for (uint64_t generation = from + 1; generation <= to; generation++) {
        size_t index = generation - me->first;
        if (generation < me->first || index >= me->count) continue;
        int opened = me->directories[index].opened - (index + 1 < me->count ? by_writer : 0);
        if (opened > 0) sum += (uint64_t)opened;
    }
    return sum;
}

void load_counter_free(load_counter *me) {
    close(me->inotify);
    close(me->stop);
    free(me->directories);
    free(me);
}
