/* See world.h. */
#define _GNU_SOURCE
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DENIED = 4, LIBRARYS = 2 };

static int64_t clock_ns = 1000000000;
static bool may_watch;
static const char *denied_names[MOST_DENIED];

/* Where the library's thread waits: its descriptors, and one by which the clock wakes it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waits = PTHREAD_COND_INITIALIZER;
static struct pollfd awaited[LIBRARYS + 1];
static bool is_waiting;
static int clock_event = -1;

void world_allow_watching(bool allowed) { may_watch = allowed; }

void world_deny(int number, const char *name, bool denied) {
    denied_names[number] = denied ? name : NULL;
}

static bool has_happened(void) { return syscall(SYS_poll, awaited, LIBRARYS + 1, 0) > 0; }

void world_settle(void) {
    pthread_mutex_lock(&lock);
    while (!is_waiting || has_happened()) {
        if (!is_waiting) {
            pthread_cond_wait(&waits, &lock);
        } else {
            /* It is about to leave. */
            pthread_mutex_unlock(&lock);
            sched_yield();
            pthread_mutex_lock(&lock);
        }
    }
    pthread_mutex_unlock(&lock);
}

void world_hold(void) { pthread_mutex_lock(&lock); }
void world_let_go(void) { pthread_mutex_unlock(&lock); }

static void wake(void) {
    uint64_t one = 1;
    if (write(clock_event, &one, sizeof one) < 0) _exit(3);
}

void world_pass(int64_t milliseconds) {
    __atomic_fetch_add(&clock_ns, milliseconds * 1000000, __ATOMIC_SEQ_CST);
    if (clock_event >= 0) wake();
}

void world_fork(void) {
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&waits, NULL);
    is_waiting = false;
    /* The parent's is the parent's. */
    if (clock_event >= 0) close(clock_event);
    clock_event = -1;
}

/* ---- In libc's place ---- */

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (clock != CLOCK_MONOTONIC) return (int)syscall(SYS_clock_gettime, clock, now);
    int64_t nanoseconds = __atomic_load_n(&clock_ns, __ATOMIC_SEQ_CST);
    *now = (struct timespec){ nanoseconds / 1000000000, nanoseconds % 1000000000 };
    return 0;
}

/* Only the library's thread polls in this program. It waits for the clock without a timeout. */
int poll(struct pollfd *descriptors, nfds_t count, int timeout) {
    if (count != LIBRARYS || timeout == 0)
        return (int)syscall(SYS_poll, descriptors, count, timeout);
    pthread_mutex_lock(&lock);
    if (clock_event < 0) clock_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    memcpy(awaited, descriptors, LIBRARYS * sizeof *awaited);
    awaited[LIBRARYS] = (struct pollfd){ clock_event, POLLIN, 0 };
    is_waiting = true;
    pthread_cond_broadcast(&waits);
    pthread_mutex_unlock(&lock);

    struct pollfd mine[LIBRARYS + 1];
    memcpy(mine, awaited, sizeof mine);
    long ready = syscall(SYS_poll, mine, LIBRARYS + 1, -1);

    pthread_mutex_lock(&lock);
    is_waiting = false;
    pthread_mutex_unlock(&lock);
    if (ready > 0 && mine[LIBRARYS].revents) {
        uint64_t passed;
        if (read(clock_event, &passed, sizeof passed) < 0) _exit(3);
        ready--;
    }
    memcpy(descriptors, mine, LIBRARYS * sizeof *mine);
    return (int)ready;
}

/* How long a callback may take is the only thing that the library measures by another clock. Here
 * callbacks are short, and a machine that is slow must not look as if one was stuck. */
int timerfd_settime(int timer, int flags, const struct itimerspec *when, struct itimerspec *old) {
    static const struct itimerspec patience = { .it_value = { .tv_sec = 60 } };
    bool is_patience = when->it_value.tv_sec > 0 || when->it_value.tv_nsec > 1;
    return (int)syscall(SYS_timerfd_settime, timer, flags, is_patience ? &patience : when, old);
}

int inotify_init1(int flags) {
    if (may_watch) return (int)syscall(SYS_inotify_init1, flags);
    errno = EMFILE;
    return -1;
}

static bool is_denied(const char *path) {
    size_t length = strlen(path);
    for (int number = 0; number < MOST_DENIED; number++) {
        const char *name = denied_names[number];
        size_t tail = name ? strlen(name) : 0;
        if (name && length >= tail && !strcmp(path + length - tail, name)) return true;
    }
    return false;
}

int openat(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int opened = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (opened < 0 || (flags & O_ACCMODE) != O_RDONLY || !is_denied(path)) return opened;
    close(opened);
    errno = EACCES;
    return -1;
}
