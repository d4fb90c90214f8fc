/* Threads, locks, clocks, event and timer descriptors, fork. */
#define _GNU_SOURCE
#include "csystem.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(cs_lock), "cs_lock holds a mutex");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(cs_condition),
               "cs_condition holds a condition variable");

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}
int64_t cs_monotonic_now(void) { return now(CLOCK_MONOTONIC); }
int64_t cs_realtime_now(void) { return now(CLOCK_REALTIME); }

void cs_utc_timestamp(char *text) {
    time_t seconds = time(NULL);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, 20, "%Y_%m_%d_%H_%M_%S", &utc);
}

/* Swift's standard library asks for arc4random_buf, which glibc has from 2.36 on; our floor
 * is 2.34. */
void arc4random_buf(void *buffer, size_t size) {
    for (unsigned char *next = buffer; size > 0;) {
        size_t part = size < 256 ? size : 256;
        if (getentropy(next, part) < 0) memset(next, 0, part);
        next += part;
        size -= part;
    }
}
uint32_t cs_random(void) {
    uint32_t number;
    arc4random_buf(&number, sizeof number);
    return number;
}

const char *cs_errno_description(int32_t number) {
    const char *text = strerrordesc_np(number);
    return text ? text : "unknown error";
}

int32_t cs_poll(int32_t a, int32_t b, int64_t timeout_ms) {
    struct pollfd ready[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    if (poll(ready, 2, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms) <= 0) return 0;
    return (ready[0].revents ? 1 : 0) | (ready[1].revents ? 2 : 0);
}
int32_t cs_eventfd_open(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}
void cs_eventfd_signal(int32_t descriptor) {
    int saved = errno;
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one,
                            sizeof one); /* EAGAIN: the counter is full, it is readable anyway */
    (void)ignored;
    errno = saved;
}
void cs_eventfd_clear(int32_t descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}
int32_t cs_replace_descriptor(int32_t descriptor, int32_t number) {
    int failed = dup3(descriptor, number, O_CLOEXEC) < 0 ? -errno : number;
    close(descriptor);
    return failed;
}
int32_t cs_timer_open(void) {
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}
void cs_timer_set(int32_t timer, int64_t nanoseconds) {
    struct itimerspec when = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    timerfd_settime(timer, 0, &when, NULL);
}
int32_t cs_timer_wait(int32_t timer) {
    uint64_t expirations;
    ssize_t got;
    do got = read(timer, &expirations, sizeof expirations);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : 0;
}

typedef struct launch {
    void (*body)(void *);
    void *context;
} launch;
static void *run(void *argument) {
    launch copy = *(launch *)argument;
    cs_free(argument, sizeof copy);
    copy.body(copy.context);
    return NULL;
}
int32_t cs_thread_start(cs_thread *thread, void (*body)(void *context), void *context) {
    launch *argument = cs_allocate(sizeof *argument);
    if (!argument) return -ENOMEM;
    *argument = (launch){body, context};
    /* Signals are the host's: blocked here before the thread exists, so that not one is delivered
     * to it. Those that an instruction raises stay open: a fault in a callback belongs to the
     * host's handler, and while its signal is blocked the kernel kills instead, sigprocmask(2). */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    pthread_t created;
    int failed = pthread_create(&created, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        cs_free(argument, sizeof *argument);
        return -failed;
    }
    pthread_setname_np(created, "cmreload");
    thread->handle = (uint64_t)created;
    return 0;
}
void cs_thread_join(cs_thread thread) { pthread_join((pthread_t)thread.handle, NULL); }
uint64_t cs_thread_self(void) { return (uint64_t)pthread_self(); }
void cs_thread_detach(cs_thread thread) { pthread_detach((pthread_t)thread.handle); }
void cs_thread_yield(void) { sched_yield(); }

void cs_lock_init(cs_lock *lock) { pthread_mutex_init((pthread_mutex_t *)lock, NULL); }
void cs_lock_acquire(cs_lock *lock) { pthread_mutex_lock((pthread_mutex_t *)lock); }
void cs_lock_release(cs_lock *lock) { pthread_mutex_unlock((pthread_mutex_t *)lock); }
void cs_condition_init(cs_condition *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init((pthread_cond_t *)condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
void cs_condition_broadcast(cs_condition *condition) {
    pthread_cond_broadcast((pthread_cond_t *)condition);
}
void cs_condition_wait(cs_condition *condition, cs_lock *lock, int64_t deadline_ns) {
    // A thread of the host's that is cancelled here would take the lock along.
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (deadline_ns == INT64_MAX) {
        pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)lock);
    } else {
        struct timespec deadline = {.tv_sec = deadline_ns / 1000000000,
                                    .tv_nsec = deadline_ns % 1000000000};
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, &deadline);
    }
    pthread_setcancelstate(state, NULL);
}

int32_t cs_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    return -pthread_atfork(prepare, parent, child);
}

_Thread_local uint32_t cs_thread_stripe __attribute__((tls_model("initial-exec")));
_Thread_local bool cs_thread_logs __attribute__((tls_model("initial-exec")));
_Thread_local void *cs_thread_callback __attribute__((tls_model("initial-exec")));
uint32_t cs_thread_stripe_assign(void) {
    static _Atomic uint32_t next;
    uint32_t stripe = __c11_atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % CS_STRIPES;
    cs_thread_stripe = stripe + 1;
    return stripe;
}
