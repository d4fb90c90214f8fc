/* A life with a mount, from beginning to end, and that of a child, in which some system call fails.
 * Each step is tried again when it fails; all that invariants.h says holds.
 *
 *   survivor MOUNT
 */
#include "invariants.h"

#include <cmreload.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often one step is tried. A fault is injected once a thread, so that the next attempt meets
 * none of its own; those of the library's threads may come in between. */
enum { ATTEMPTS = 5, PATIENCE_MS = 10000 };

static void fail(const char *step, const char *invariant, const char *what)
{
    printf("FAILED  %s: %s: %s\n", step, invariant, what);
    fflush(stdout);
    _exit(1);
}

/* ---- Trying ---- */

/* Whether to try a step again: it failed, and said why. */
static bool failed(const char *step, int attempt, cmr_status status, const cmr_error *error)
{
    if (status == CMR_OK) return false;
    const char *name = cmr_status_name(status);
    if (status == CMR_E_INVALID_ARGUMENT || status == CMR_E_STATE) fail(step, ANSWER, name);
    if (error && error->status != status) fail(step, ANSWER, "another status in the error");
    if (error && !error->message[0]) fail(step, ANSWER, "an error without words");
    if (attempt + 1 == ATTEMPTS) fail(step, AGAIN, error ? error->message : name);
    return true;
}

#define TRY(step, call, error) \
    for (int attempt = 0; failed(step, attempt, (call), error); attempt++) {}

static void write_mount(const char *path, const char *text)
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_file files[] = {{"first", text, strlen(text), 0, 0}, {"second", text, strlen(text), 0, 0}};
    TRY("write", cmr_mount_write(path, files, 2, &error), &error);
}

/* ---- Reading ---- */

/* What a snapshot says, which must be the same in both keys. */
static const char *text_of(const cmr_snapshot *snapshot)
{
    const char *first = NULL, *second = NULL;
    if (cmr_snapshot_string(snapshot, "first", &first, NULL) != CMR_OK ||
        cmr_snapshot_string(snapshot, "second", &second, NULL) != CMR_OK)
        fail("read", WHOLE, "a key is gone");
    if (strcmp(first, second) != 0) fail("read", WHOLE, "two generations");
    return first;
}

static bool current_is(const cmr_watcher *watcher, const char *expected)
{
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    if (!snapshot) fail("read", STAYS, "no snapshot");
    bool is_expected = strcmp(text_of(snapshot), expected) == 0;
    cmr_snapshot_release(snapshot);
    return is_expected;
}

static void await(cmr_watcher *watcher, const char *expected)
{
    uint64_t version = cmr_watcher_version(watcher);
    while (!current_is(watcher, expected)) {
        uint64_t before = version;
        if (cmr_watcher_wait(watcher, before, PATIENCE_MS, &version) != CMR_OK)
            fail("await", DELIVERED, expected);
        if (version <= before) fail("await", FORWARD, expected);
    }
}

/* ---- Hearing ---- */

/* The newest version that a subscriber heard of. */
struct listener {
    uint64_t version;
};

static void hear(void *context, const cmr_event *event)
{
    struct listener *listener = context;
    if (event->kind != CMR_EVENT_PUBLISHED) return;
    uint64_t last = __atomic_load_n(&listener->version, __ATOMIC_SEQ_CST);
    if (event->version <= last) fail("hear", TOLD, "a version again");
    if (cmr_snapshot_version(event->previous) != last) fail("hear", TOLD, "a gap between versions");
    text_of(event->snapshot);
    __atomic_store_n(&listener->version, event->version, __ATOMIC_SEQ_CST);
}

/* Both kinds of subscribers: one on the library's thread, one in dispatch. */
struct listeners {
    struct listener on_thread, manual;
};

static void subscribe(cmr_watcher *watcher, struct listeners *listeners)
{
    cmr_error error = CMR_ERROR_INIT;
    TRY("subscribe",
        cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_UPCOMING, hear, &listeners->on_thread,
                              NULL, &error), &error);
    TRY("subscribe",
        cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear, &listeners->manual, NULL,
                              &error), &error);
}

static void await_listeners(cmr_watcher *watcher, struct listeners *listeners)
{
    uint64_t version = cmr_watcher_version(watcher);
    struct pollfd ready = {.fd = cmr_watcher_event_fd(watcher), .events = POLLIN};
    while (listeners->manual.version < version) {
        int answer = poll(&ready, 1, PATIENCE_MS);
        if (answer < 0 && errno != EINTR) fail("poll", TOLD, "the host's own poll fails");
        if (answer == 0) fail("dispatch", TOLD, "the descriptor stays unreadable");
        TRY("dispatch", cmr_watcher_dispatch(watcher, NULL), NULL);
    }
    for (int left = PATIENCE_MS; left > 0; left--) {
        if (__atomic_load_n(&listeners->on_thread.version, __ATOMIC_SEQ_CST) >= version) return;
        poll(NULL, 0, 1);
    }
    fail("hear", TOLD, "nobody calls");
}

/* ---- Living ---- */

enum { MOST_DESCRIPTORS = 256 };

/* Descriptors that lead below a directory. */
struct below {
    const char *directory;
    bool is_one[MOST_DESCRIPTORS];
};

/* Walks over what is open: notes what leads below a directory, or counts what was not noted. It
 * finds nothing at all when its own calls fail. */
static int walk_once(struct below *below, bool notes)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        char target[512] = "";
        int number = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || number >= MOST_DESCRIPTORS) continue;
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) < 0) count = -1;
        if (count < 0) break;
        if (notes && !strncmp(target, below->directory, strlen(below->directory)))
            below->is_one[number] = true;
        count += !below->is_one[number];
    }
    if (directory) closedir(directory);
    return count;
}

static int walk_descriptors(struct below *below, bool notes)
{
    int count = 0;
    for (int attempt = 0; count <= 0 && attempt < ATTEMPTS; attempt++)
        count = walk_once(below, notes);
    return count;
}

/* A line that a trace can be cut at. */
static void mark(const char *line)
{
    ssize_t size = (ssize_t)strlen(line);
    for (int attempt = 0; write(STDOUT_FILENO, line, (size_t)size) != size; attempt++)
        if (attempt == ATTEMPTS) _exit(2);
}

/* What was open at the beginning. A thread of the library's that comes from a callback may still be
 * about to close what it used. */
static void end(struct below *inherited, int descriptors)
{
    mark("done\n");
    for (int left = PATIENCE_MS; walk_descriptors(inherited, false) != descriptors; left--) {
        if (left == 0) fail("end", CLEAN, "there are others than at the beginning");
        poll(NULL, 0, 1);
    }
}

/* A child reads, asks to go on, follows by itself and ends. */
static void live_on(cmr_watcher *watcher, struct listeners *listeners, const char *mount)
{
    if (!current_is(watcher, "three")) fail("fork", CHILD, "another version");
    TRY("go on", cmr_after_fork_child(), NULL);
    write_mount(mount, "four");
    await(watcher, "four");
    await_listeners(watcher, listeners);
    cmr_watcher_destroy(watcher);
}

static void fork_and_wait(cmr_watcher *watcher, struct listeners *listeners, const char *mount,
                          int descriptors)
{
    pid_t child = -1;
    int status = -1;
    for (int attempt = 0; child < 0 && attempt < ATTEMPTS; attempt++) child = fork();
    if (child == 0) {
        /* What a thread of the parent's reads just now stays open here: no thread is left to close
         * it. */
        struct below inherited = {.directory = mount};
        walk_descriptors(&inherited, true);
        live_on(watcher, listeners, mount);
        end(&inherited, descriptors);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status != 0) fail("fork", CHILD, "it does not end well");
}

static void live(const char *mount, int descriptors)
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = NULL;
    struct listeners listeners = {{0}, {0}};

    write_mount(mount, "one");
    TRY("create", cmr_watcher_create(&watcher), NULL);
    /* What a notification does not bring, the rescan must. */
    TRY("option", cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 100), NULL);
    TRY("option", cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, 100), NULL);
    TRY("add", cmr_watcher_add_mount(watcher, mount, &error), &error);
    subscribe(watcher, &listeners);
    TRY("start", cmr_watcher_start(watcher, &error), &error);
    await(watcher, "one");
    await_listeners(watcher, &listeners);
    write_mount(mount, "two");
    await(watcher, "two");
    await_listeners(watcher, &listeners);
    TRY("reload", cmr_watcher_reload(watcher, PATIENCE_MS, NULL, &error), &error);
    TRY("rollback", cmr_watcher_rollback(watcher, 0, NULL, &error), &error);
    await(watcher, "one");
    await_listeners(watcher, &listeners);
    write_mount(mount, "three");
    await(watcher, "three");
    await_listeners(watcher, &listeners);
    TRY("drain", cmr_watcher_drain(watcher, UINT64_MAX, PATIENCE_MS, NULL), NULL);
    fork_and_wait(watcher, &listeners, mount, descriptors);
    await(watcher, "four");
    await_listeners(watcher, &listeners);
    TRY("stop", cmr_watcher_stop(watcher, PATIENCE_MS), NULL);
    cmr_watcher_destroy(watcher);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    struct below none = {.directory = argv[1]};
    int descriptors = walk_descriptors(&none, false);
    mark("ready\n");
    live(argv[1], descriptors);
    end(&none, descriptors);
    return 0;
}
