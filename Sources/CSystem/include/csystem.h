/* libc for Swift without Glibc: one function a system call or libc facility, nothing decided here.
 *
 * A call that can fail gives a negative errno instead of −1 (there is no errno to lose), a call
 * that EINTR can interrupt is made again unless its comment says otherwise. Every symbol is hidden.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory whose size follows input: may say no. Large blocks are kept for the next reload (a fresh
 * page costs more than parsing what goes into it), up to a bound. */
void *cs_allocate(ptrdiff_t size);
void cs_free(void *memory, ptrdiff_t size);
/* The same for what nobody may find afterwards: it is zeroed first. */
void cs_free_wiped(void *memory, ptrdiff_t size);
void cs_memory_before_fork(void);
void cs_memory_after_fork(void);
/* Whole cache lines, zeroed, for what many read all the time: they share none with what somebody
 * writes. Less than 4 KiB; cs_free takes them back. */
void *cs_allocate_lines(ptrdiff_t size);
/* Plain malloc and free, for what callers get as theirs: the size travels with it. It may be a
 * secret, and is zeroed first. */
void *cs_allocate_for_caller(ptrdiff_t size);
void cs_free_for_caller(void *memory);

/* strlen(3) without the call, for the keys that a hot path passes: sixteen aligned bytes at a time,
 * which never leave the page that the text is in. What lies around the text is loaded and ignored,
 * hence the attribute. */
__attribute__((no_sanitize("address"))) static inline size_t cs_string_length(const char *text) {
#ifdef __SSE2__
    typedef char cs_block __attribute__((vector_size(16)));
    size_t offset = (size_t)text & 15;
    const cs_block *block = (const cs_block *)(text - offset);
    unsigned zeros = (unsigned)__builtin_ia32_pmovmskb128(*block == 0) >> offset;
    if (zeros) return (size_t)__builtin_ctz(zeros);
    do {
        block++;
        zeros = (unsigned)__builtin_ia32_pmovmskb128(*block == 0);
    } while (!zeros);
    return (size_t)((const char *)block - text) + (size_t)__builtin_ctz(zeros);
#else
    return __builtin_strlen(text);
#endif
}
/* Zeroes what calls that have returned left on this thread's stack. */
void cs_wipe_stack(void);
int cs_compare(const void *a, const void *b, size_t size);

/* Clocks, in nanoseconds. */
int64_t cs_monotonic_now(void);
int64_t cs_realtime_now(void);
/* Writes UTC as the kubelet names its timestamped directories, "2006_01_02_15_04_05", 20 bytes with
 * the NUL. */
void cs_utc_timestamp(char *text);
uint32_t cs_random(void);

/* Descriptions of an errno: static text, never translated. */
const char *cs_errno_description(int32_t number);

/* Files. Paths are NUL-terminated; `directory` may be CS_AT_CWD. */
enum { CS_AT_CWD = -100 };
typedef struct cs_status {
    uint64_t device, inode, size;
    uint32_t mode, reserved;
    int64_t modified_ns, changed_ns;
} cs_status;
/* One entry of a directory: `type` is DT_…; the name lies in the buffer that was listed into. */
enum {
    CS_TYPE_UNKNOWN = 0,
    CS_TYPE_FIFO = 1,
    CS_TYPE_CHARACTER = 2,
    CS_TYPE_DIRECTORY = 4,
    CS_TYPE_BLOCK = 6,
    CS_TYPE_REGULAR = 8,
    CS_TYPE_LINK = 10,
    CS_TYPE_SOCKET = 12
};

int32_t cs_open_directory(int32_t directory, const char *path); /* follows links */
int32_t cs_open_directory_nofollow(int32_t directory, const char *name);
int32_t
cs_open_file(int32_t directory,
             const char *path); /* follows links; never blocks, never a controlling terminal */
int32_t cs_open_file_nofollow(int32_t directory, const char *name);
/* openat2(2) with RESOLVE_BENEATH: -EXDEV when a link leaves `directory`, -ENOSYS where there is no
 * openat2. */
int32_t cs_open_beneath(int32_t directory, const char *path, bool want_directory);
int32_t cs_close(int32_t descriptor);
int64_t cs_read(int32_t descriptor, void *buffer, size_t size);
int64_t cs_pread(int32_t descriptor, void *buffer, size_t size, int64_t offset);
int64_t cs_write(int32_t descriptor, const void *bytes, size_t size);
int64_t cs_list(int32_t directory, void *buffer, size_t size); /* getdents64 */
/* Steps through what cs_list gave: returns the next offset. */
size_t cs_entry(const void *buffer, size_t offset, const char **name, size_t *size, uint8_t *type);
int64_t cs_read_link(int32_t directory, const char *path, char *buffer, size_t size);
int32_t cs_stat(int32_t descriptor, cs_status *status);
int32_t cs_stat_at(int32_t directory, const char *path, bool follow, cs_status *status);
/* Whether the descriptor's file system answers from the page cache: a short read is the end of the
 * file, and inotify sees every change. 0 no, 1 yes. */
int32_t cs_is_local(int32_t descriptor);
/* How many descriptors the process may have open, setrlimit(2) RLIMIT_NOFILE. */
int32_t cs_open_limit(void);
int32_t cs_make_directory(int32_t directory, const char *path, uint32_t mode);
int32_t cs_create_file(int32_t directory, const char *path,
                       uint32_t mode); /* O_WRONLY|O_CREAT|O_TRUNC|O_NOFOLLOW */
int32_t cs_change_mode(int32_t descriptor, uint32_t mode);
int32_t cs_change_mode_at(int32_t directory, const char *path, uint32_t mode); /* follows links */
int32_t cs_make_link(const char *target, int32_t directory, const char *path);
int32_t cs_rename(int32_t directory, const char *from, const char *to);
int32_t cs_unlink(int32_t directory, const char *path, bool is_directory);
/* The working directory, NUL-terminated; its length. */
int64_t cs_current_directory(char *buffer, size_t size);

/* The environment: the entry at `index` ("NAME=value"), or NULL. */
const char *cs_environment(size_t index);

/* The value of the variable whose name has `size` bytes, or NULL. */
const char *cs_variable(const char *name, size_t size);

/* inotify(7). */
enum {
    CS_IN_MODIFY = 0x2,
    CS_IN_ATTRIB = 0x4,
    CS_IN_CLOSE_WRITE = 0x8,
    CS_IN_MOVED_FROM = 0x40,
    CS_IN_MOVED_TO = 0x80,
    CS_IN_CREATE = 0x100,
    CS_IN_DELETE = 0x200,
    CS_IN_DELETE_SELF = 0x400,
    CS_IN_MOVE_SELF = 0x800,
    CS_IN_UNMOUNT = 0x2000,
    CS_IN_Q_OVERFLOW = 0x4000,
    CS_IN_IGNORED = 0x8000,
    CS_IN_DONT_FOLLOW = 0x02000000,
    CS_IN_ISDIR = 0x40000000
};
int32_t cs_inotify_open(void);
int32_t cs_inotify_add(int32_t inotify, const char *path,
                       uint32_t mask); /* IN_MASK_ADD is implied */
int32_t cs_inotify_remove(int32_t inotify, int32_t watch);
size_t cs_inotify_event(const void *buffer, size_t offset, int32_t *watch, uint32_t *mask,
                        const char **name, size_t *size);

/* Waiting. `timeout_ms` −1: for ever. Bit 0 of the answer: `a` is readable, bit 1: `b` is. 0 on a
 * time-out or a signal. */
int32_t cs_poll(int32_t a, int32_t b, int64_t timeout_ms);
int32_t cs_eventfd_open(void);
void cs_eventfd_signal(int32_t descriptor); /* async-signal-safe */
void cs_eventfd_clear(int32_t descriptor);
/* Puts `descriptor` under the number `number` and closes the old one there. */
int32_t cs_replace_descriptor(int32_t descriptor, int32_t number);
int32_t cs_timer_open(void);
void cs_timer_set(int32_t timer, int64_t nanoseconds); /* 0 disarms */
int32_t cs_timer_wait(int32_t timer);                  /* blocks until it expires */

/* Threads run with all signals blocked but those of faults. The answer is 0 or a negative errno. */
typedef struct cs_thread {
    uint64_t handle;
} cs_thread;
int32_t cs_thread_start(cs_thread *thread, void (*body)(void *context), void *context);
void cs_thread_join(cs_thread thread);
uint64_t cs_thread_self(void);
void cs_thread_detach(cs_thread thread);
void cs_thread_yield(void);

/* A lock and its condition. A pthread_mutex_t and a pthread_cond_t behind opaque storage. */
typedef struct cs_lock {
    _Alignas(16) unsigned char storage[48];
} cs_lock;
typedef struct cs_condition {
    _Alignas(16) unsigned char storage[64];
} cs_condition;
void cs_lock_init(cs_lock *lock);
void cs_lock_acquire(cs_lock *lock);
void cs_lock_release(cs_lock *lock);
void cs_condition_init(cs_condition *condition);
void cs_condition_broadcast(cs_condition *condition);
/* Waits until woken or the monotonic clock reaches `deadline_ns` (INT64_MAX: no deadline). Spurious
 * wake-ups happen. */
void cs_condition_wait(cs_condition *condition, cs_lock *lock, int64_t deadline_ns);

/* fork(2): registers the three handlers of pthread_atfork(3). */
int32_t cs_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* What a thread keeps for itself. The stripe is the thread's share of the striped counters: handed
 * out round robin, so that the first CS_STRIPES threads never share a cache line. */
enum { CS_STRIPES = 16 };
extern _Thread_local uint32_t cs_thread_stripe
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
uint32_t cs_thread_stripe_assign(void);
static inline uint32_t cs_stripe(void) {
    uint32_t stripe = cs_thread_stripe;
    return __builtin_expect(stripe != 0, 1) ? stripe - 1 : cs_thread_stripe_assign();
}
/* Whether the log handler runs on this thread. */
extern _Thread_local bool cs_thread_logs
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
static inline bool cs_logging(void) { return cs_thread_logs; }
static inline void cs_set_logging(bool logs) { cs_thread_logs = logs; }
/* The watcher whose callback runs on this thread, or NULL. */
extern _Thread_local void *cs_thread_callback
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
static inline void *cs_running_callback(void) { return cs_thread_callback; }
static inline void cs_set_running_callback(void *watcher) { cs_thread_callback = watcher; }
