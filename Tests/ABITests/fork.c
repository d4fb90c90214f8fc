/* Forking: the child reads on at once, the engine is silent there until cmr_after_fork_child, then
 * it follows.
 */
#include "abitest.h"
#include <stdatomic.h>

/* Runs a function in a forked child and checks that it found all well. */
static void in_child(void (*run)(void *context), void *context)
{
    int status = -1;
    pid_t child;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm((unsigned)(patience_ms() / 1000 * 3));
        run(context);
        fflush(NULL);
        _exit(test_failures() ? 1 : 0);
    }
    REQUIRE(child > 0);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    CHECK(WIFEXITED(status));
    CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), 0);
}

struct family {
    const char *mount;
    cmr_watcher *watcher;
    const cmr_snapshot *snapshot;
    cmr_reader *reader;
    const cmr_cell *cell;
    struct recorder *recorder;
    int event_fd;
};

static void set_up(struct family *family)
{
    static struct recorder recorder;
    family->mount = new_mount("mount");
    PUBLISH(family->mount, FILE_TEXT("key", "1"), FILE_TEXT("a.json", "{\"x\": 1}"));
    family->watcher = new_watcher(family->mount);
    recorder_init(&recorder);
    family->recorder = &recorder;
    record(family->watcher, &recorder);
    start(family->watcher);
    family->snapshot = cmr_watcher_acquire(family->watcher);
    REQUIRE_OK(cmr_reader_create(family->watcher, &family->reader));
    REQUIRE_OK(cmr_watcher_bind_int64(family->watcher, "key", 0, &family->cell));
}

static void tear_down(struct family *family)
{
    cmr_snapshot_release(family->snapshot);
    cmr_reader_destroy(family->reader);
    cmr_watcher_destroy(family->watcher);
    recorder_free(family->recorder);
}

static void read_on(void *context)
{
    struct family *family = context;
    int64_t integer = 0;
    char *json = NULL;
    cmr_stats stats = CMR_STATS_INIT;
    CHECK_OK(cmr_snapshot_int64(family->snapshot, "a.json#/x", &integer));
    CHECK_INT(integer, 1);
    CHECK_TEXT(current_text(family->watcher, "key"), "1");
    CHECK_INT(cmr_watcher_version(family->watcher), 1);
    CHECK_INT(cmr_version_load(cmr_watcher_version_word(family->watcher)), 1);
    CHECK_INT(cmr_cell_int64(family->cell), 1);
    CHECK(cmr_reader_current(family->reader) == family->snapshot);
    CHECK_OK(cmr_snapshot_json(family->snapshot, "", &json, NULL));
    cmr_free(json);
    CHECK_INT(strlen(cmr_snapshot_checksum(family->snapshot)), 32);
    CHECK_OK(cmr_watcher_stats(family->watcher, &stats));
    cmr_snapshot_release(cmr_snapshot_retain(family->snapshot));
}

TEST("a child reads snapshots, values, cells and the version word at once")
{
    struct family family;
    set_up(&family);
    in_child(read_on, &family);
    tear_down(&family);
}

static void engine_is_silent(void *context)
{
    struct family *family = context;
    cmr_watcher *fresh = new_watcher(family->mount);
    CHECK_INT(count_threads(), 1);
    CHECK_STATUS(cmr_watcher_reload(family->watcher, patience_ms(), NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_wait(family->watcher, 0, 0, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_wait(family->watcher, 1, -1, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_dispatch(family->watcher, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_stop(family->watcher, patience_ms()), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_start(fresh, NULL), CMR_E_STATE);
    cmr_watcher_request_reload(family->watcher);
    CHECK_INT(count_threads(), 1);
    cmr_watcher_destroy(fresh);
}

TEST("in a child what needs the engine is refused until cmr_after_fork_child, and no thread runs")
{
    struct family family;
    set_up(&family);
    in_child(engine_is_silent, &family);
    CHECK_INT(reload(family.watcher), 1);
    tear_down(&family);
}

static void destroy_at_once(void *context)
{
    struct family *family = context;
    cmr_snapshot_release(family->snapshot);
    cmr_watcher_destroy(family->watcher);
}

TEST("a child may destroy what it inherited without ever calling cmr_after_fork_child")
{
    struct family family;
    set_up(&family);
    in_child(destroy_at_once, &family);
    PUBLISH(family.mount, FILE_TEXT("key", "2"));
    await_version(family.watcher, 2);
    tear_down(&family);
}

static void follow(void *context)
{
    struct family *family = context;
    size_t heard = family->recorder->count;
    cmr_watcher *fresh;
    CHECK_OK(cmr_after_fork_child());
    CHECK_OK(cmr_after_fork_child());
    CHECK_TEXT(current_text(family->watcher, "key"), "1");
    PUBLISH(family->mount, FILE_TEXT("key", "child"), FILE_TEXT("a.json", "{\"x\": 1}"));
    await_version(family->watcher, 2);
    CHECK_TEXT(current_text(family->watcher, "key"), "child");
    struct heard *event = event_at(family->recorder, heard);
    CHECK_INT(event->kind, CMR_EVENT_PUBLISHED);
    CHECK_TEXT(event->changes, "~key");
    CHECK_INT(cmr_snapshot_version(event->previous), 1);
    CHECK_INT(reload(family->watcher), 2);
    fresh = new_watcher(family->mount);
    start(fresh);
    CHECK_TEXT(current_text(fresh, "key"), "child");
    cmr_watcher_destroy(fresh);
    CHECK_OK(cmr_watcher_stop(family->watcher, patience_ms()));
    cmr_watcher_destroy(family->watcher);
}

static void wait_for_gate(void *context, const cmr_event *event)
{
    struct gate *gates = context;
    if (event->cause == CMR_CAUSE_START) return;
    gate_open(&gates[0]);
    gate_wait(&gates[1], 1);
}
static void destroy_stopped(void *context) { cmr_watcher_destroy(context); }

TEST("a child may destroy a watcher whose stop did not wait for a callback of the parent's")
{
    const char *mount = new_mount("mount");
    struct gate gates[2] = {GATE_INIT, GATE_INIT};
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, wait_for_gate, gates, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&gates[0], 1));
    CHECK_STATUS(cmr_watcher_stop(watcher, 1), CMR_E_TIMEOUT);
    in_child(destroy_stopped, watcher);
    gate_open(&gates[1]);
    cmr_watcher_destroy(watcher);
}

TEST("after cmr_after_fork_child the child follows changes on its own, with its callbacks")
{
    struct family family;
    set_up(&family);
    in_child(follow, &family);
    /* The parent heard of the same change, by itself. */
    await_version(family.watcher, 2);
    CHECK_TEXT(current_text(family.watcher, "key"), "child");
    tear_down(&family);
}

TEST("the parent hears of every change while children come and go, and so do the children")
{
    struct family family;
    set_up(&family);
    for (int round = 2; round <= 20; round++) {
        const char *content = text("%d", round);
        pid_t child;
        fflush(NULL);
        child = fork();
        if (child == 0) {
            if (cmr_after_fork_child() != CMR_OK) _exit(1);
            _exit(cmr_watcher_wait(family.watcher, (uint64_t)round - 1, patience_ms(),
                                   NULL) == CMR_OK ? 0 : 2);
        }
        REQUIRE(child > 0);
        PUBLISH(family.mount, {"key", content, strlen(content), 0, 0});
        await_version(family.watcher, (uint64_t)round);
        int status = -1;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
    }
    tear_down(&family);
}

static void dispatch_in_child(void *context)
{
    struct family *family = context;
    CHECK_OK(cmr_after_fork_child());
    int file = cmr_watcher_event_fd(family->watcher);
    CHECK_INT(file, family->event_fd);
    PUBLISH(family->mount, FILE_TEXT("key", "2"));
    struct pollfd poll_one = {file, POLLIN, 0};
    CHECK_INT(poll(&poll_one, 1, (int)patience_ms()), 1);
    size_t handled = 0;
    CHECK_OK(cmr_watcher_dispatch(family->watcher, &handled));
    CHECK_INT(handled, 1);
    CHECK_INT(event_at(family->recorder, family->recorder->count - 1)->version, 2);
}

TEST("the number of the event descriptor stays in the child, and what it says is the child's own")
{
    static struct recorder recorder;
    struct family family = {.mount = new_mount("mount"), .recorder = &recorder};
    PUBLISH(family.mount, FILE_TEXT("key", "1"));
    family.watcher = new_watcher(family.mount);
    recorder_init(&recorder);
    REQUIRE_OK(cmr_watcher_subscribe(family.watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear, &recorder,
                                     NULL, NULL));
    start(family.watcher);
    CHECK_OK(cmr_watcher_dispatch(family.watcher, NULL));
    int file = cmr_watcher_event_fd(family.watcher);
    family.event_fd = file;
    in_child(dispatch_in_child, &family);
    /* The parent has the same to hear, undisturbed. */
    struct pollfd poll_one = {file, POLLIN, 0};
    CHECK_INT(poll(&poll_one, 1, (int)patience_ms()), 1);
    size_t handled = 0;
    CHECK_OK(cmr_watcher_dispatch(family.watcher, &handled));
    CHECK_INT(handled, 1);
    cmr_watcher_destroy(family.watcher);
    recorder_free(&recorder);
}

TEST("where nothing was forked, cmr_after_fork_child does nothing")
{
    struct family family;
    CHECK_OK(cmr_after_fork_child());
    set_up(&family);
    size_t threads = count_threads();
    CHECK_OK(cmr_after_fork_child());
    CHECK_INT(count_threads(), threads);
    CHECK_INT(reload(family.watcher), 1);
    tear_down(&family);
}

static void start_fresh(void *context)
{
    cmr_watcher *watcher = new_watcher(context);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_watcher_destroy(watcher);
}

TEST("a child of a process that never started a watcher needs nothing")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    in_child(start_fresh, (void *)mount);
}

static void grandchild(void *context)
{
    CHECK_OK(cmr_after_fork_child());
    in_child(follow, context);
}

TEST("a child's child starts over as well")
{
    struct family family;
    set_up(&family);
    in_child(grandchild, &family);
    tear_down(&family);
}

/* ---- While updates are in flight ---- */

static _Atomic bool writing;

static void *keep_writing(void *context)
{
    char content[32];
    for (int round = 0; writing; round++) {
        snprintf(content, sizeof content, "{\"round\": %d}", round);
        const cmr_file files[] = {FILE_TEXT("key", "1"), {"a.json", content, strlen(content), 0,
                                                          0}};
        publish(context, files, 2);
    }
    return NULL;
}

static void follow_a_writer(void *context)
{
    struct family *family = context;
    int64_t integer = 0;
    const cmr_snapshot *held = cmr_watcher_acquire(family->watcher);
    uint64_t version = cmr_watcher_version(family->watcher);
    CHECK_INT(cmr_snapshot_version(held), version);
    CHECK_OK(cmr_snapshot_int64(held, "key", &integer));
    REQUIRE_OK(cmr_after_fork_child());
    CHECK_OK(cmr_watcher_wait(family->watcher, version, patience_ms(), NULL));
    CHECK_OK(cmr_snapshot_int64(held, "key", &integer));
    CHECK_INT(integer, 1);
    cmr_snapshot_release(held);
    CHECK_OK(cmr_watcher_reload(family->watcher, patience_ms(), NULL, NULL));
    cmr_watcher_destroy(family->watcher);
}

/* Takes no lock: one that another thread holds at the fork is held for ever in the child. */
static void count_call(void *context, const cmr_event *event)
{
    (void)event;
    atomic_fetch_add((atomic_int *)context, 1);
}

TEST("200 forks while updates are in flight: each child reads, then follows")
{
    struct family family;
    pthread_t writer;
    static atomic_int calls;
    family.mount = new_mount("mount");
    PUBLISH(family.mount, FILE_TEXT("key", "1"), FILE_TEXT("a.json", "{\"x\": 1}"));
    family.watcher = new_watcher(family.mount);
    REQUIRE_OK(cmr_watcher_subscribe(family.watcher, NULL, 0, count_call, &calls, NULL, NULL));
    start(family.watcher);
    writing = true;
    REQUIRE(pthread_create(&writer, NULL, keep_writing, (void *)family.mount) == 0);
    for (int round = 0; round < rounds(200, 20); round++) {
        about("fork %d", round);
        in_child(follow_a_writer, &family);
    }
    writing = false;
    pthread_join(writer, NULL);
    CHECK_OK(cmr_watcher_reload(family.watcher, patience_ms(), NULL, NULL));
    CHECK(atomic_load(&calls) > 1);
    cmr_watcher_destroy(family.watcher);
}
