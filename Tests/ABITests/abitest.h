/* A small harness for tests of the C interface: each TEST runs in a process of its own, with a
 * directory of its own and a deadline, so that a crash, a hang or a leak is one failed test.
 * Waiting is always for something, with a deadline; nothing sleeps. Includes cmreload.h and nothing
 * else of the library.
 */
#ifndef ABITEST_H
#define ABITEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <cmreload.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Tests ---- */

struct test {
    const char *file, *sentence;
    void (*run)(void);
    struct test *next;
};
void test_register(struct test *test);

#define TEST_PASTE2(a, b) a##b
#define TEST_PASTE(a, b) TEST_PASTE2(a, b)
#define TEST_NAMED(sentence, id) \
    static void TEST_PASTE(test_, id)(void); \
    __attribute__((constructor)) static void TEST_PASTE(register_, id)(void) \
    { \
        static struct test test = {__FILE__, sentence, TEST_PASTE(test_, id), NULL}; \
        test_register(&test); \
    } \
    static void TEST_PASTE(test_, id)(void)
/* TEST("a sentence that is true of the library") { ... } */
#define TEST(sentence) TEST_NAMED(sentence, __LINE__)

/* ---- Checks: a failed CHECK is said and the test goes on, a failed REQUIRE ends it ---- */

bool check_true(bool good, const char *file, int line, const char *text);
bool check_status(cmr_status actual, cmr_status expected, const char *file, int line,
                  const char *text);
bool check_ok(cmr_status actual, const cmr_error *error, const char *file, int line,
              const char *text);
bool check_int(long long actual, long long expected, const char *file, int line, const char *text);
bool check_text(const char *actual, const char *expected, const char *file, int line,
                const char *text);
/* Says which row of a table the checks after it are about. */
void about(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How many checks failed so far: for processes that a test forks. */
int test_failures(void);
_Noreturn void test_abandon(void);
_Noreturn void test_skip(const char *reason);

#define CHECK(condition) check_true((condition), __FILE__, __LINE__, #condition)
#define CHECK_STATUS(call, expected) check_status((call), (expected), __FILE__, __LINE__, #call)
#define CHECK_OK(call) CHECK_STATUS(call, CMR_OK)
#define CHECK_INT(actual, expected) \
    check_int((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), __FILE__, __LINE__, #actual)
#define REQUIRE(condition) do { if (!CHECK(condition)) test_abandon(); } while (0)
#define REQUIRE_OK(call) do { if (!CHECK_OK(call)) test_abandon(); } while (0)
/* With an error to explain itself: REQUIRE_FINE(cmr_watcher_start(watcher, &error), error). */
#define REQUIRE_FINE(call, error) \
    do { if (!check_ok((call), &(error), __FILE__, __LINE__, #call)) test_abandon(); } while (0)

/* How long anything may take before it counts as hung; longer under valgrind (ABITEST_PATIENCE). */
int64_t patience_ms(void);
/* How often something is done: fewer times where everything is slow. */
int rounds(int usually, int slowly);
/* Polls a condition each millisecond until it holds, at most as long as patience lasts. */
#define EVENTUALLY(condition) \
    do { \
        int64_t rounds_left = patience_ms(); \
        while (!(condition) && rounds_left-- > 0) poll(NULL, 0, 1); \
        CHECK(condition); \
    } while (0)

/* ---- Files ---- */

/* The test's own empty directory; it is removed afterwards. */
const char *test_directory(void);
/* Text that is formatted and stays valid until the test ends. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *make_directory(const char *path);
void write_text(const char *path, const char *content);
void write_bytes(const char *path, const void *bytes, size_t size);
void replace_link(const char *target, const char *path);
void remove_all(const char *path);
/* The number of open descriptors, or of threads, of this process. */
size_t count_descriptors(void);
size_t count_threads(void);
/* Whether a thread is asleep and stays so for a while: it has arrived where it waits. */
bool thread_sleeps(int thread);

/* ---- Mounts, written as the kubelet does ---- */

#define FILE_TEXT(name, content) {(name), (content), sizeof(content) - 1, 0, 0}
/* PUBLISH(mount, FILE_TEXT("level", "info"), FILE_TEXT("a.json", "{}")); */
#define PUBLISH(mount, ...) \
    do { \
        const cmr_file files_[] = {__VA_ARGS__}; \
        publish((mount), files_, sizeof files_ / sizeof *files_); \
    } while (0)
void publish(const char *mount, const cmr_file *files, size_t count);
/* An empty directory that serves as a mount. */
const char *new_mount(const char *name);

/* ---- Watchers ---- */

/* A watcher on one mount, not yet started. */
cmr_watcher *new_watcher(const char *mount);
void start(cmr_watcher *watcher);
/* Waits until the current version is at least that. */
void await_version(cmr_watcher *watcher, uint64_t version);
/* Waits until time has made the watcher look so many times more. */
void await_rescans(cmr_watcher *watcher, uint64_t count);
/* Loads now, expecting success, and gives the current version. */
uint64_t reload(cmr_watcher *watcher);
/* The text at a path of the current snapshot, or "<STATUS>"; valid until the test ends. */
const char *current_text(cmr_watcher *watcher, const char *path);
/* The path of the library that is being tested. */
const char *library_path(void);

/* ---- Events ---- */

/* One event as it was heard; its snapshots are retained. */
struct heard {
    uint32_t kind, cause, struct_size;
    uint64_t version;
    const cmr_snapshot *snapshot, *previous;
    char *changes; /* "+added -removed ~modified", in the order of the event */
    bool has_error;
    cmr_error error;
    size_t violation_count;
    pthread_t thread;
};

/* Collects events; its callback is hear, its context the recorder. */
struct recorder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct heard **events;
    size_t count;
    int running;    /* calls in progress */
    bool overlapped;
};
void recorder_init(struct recorder *recorder);
void recorder_free(struct recorder *recorder);
void hear(void *context, const cmr_event *event);
/* Waits until count events were heard; false when patience ends. */
bool await_events(struct recorder *recorder, size_t count);
/* Waits for an event of this kind, from the index on; its index, or SIZE_MAX. */
size_t await_kind(struct recorder *recorder, uint32_t kind, size_t from);
struct heard *event_at(struct recorder *recorder, size_t index);
/* Subscribes a recorder to everything on a library thread. */
uint64_t record(cmr_watcher *watcher, struct recorder *recorder);

/* ---- A gate: one side waits until the other opens it ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int opened;
};
#define GATE_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}
void gate_open(struct gate *gate);
/* Waits until it was opened as often as that; false when patience ends. */
bool gate_wait(struct gate *gate, int times);

#endif
