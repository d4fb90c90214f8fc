/* What may be done inside a callback: everything but what waits; and that a slow callback delays
 * nobody else.
 */
#include "abitest.h"

#include <malloc.h>
#include <sys/resource.h>

/* A subscriber that runs one function inside its callback, once, and then opens a gate. */
struct inside {
    cmr_watcher *watcher, *other;
    uint64_t id, other_id;
    uint32_t on_version;
    void (*act)(struct inside *inside, const cmr_event *event);
    int calls;
    pthread_t thread, closed_on;
    struct gate done;
};

static void run_inside(void *context, const cmr_event *event)
{
    struct inside *inside = context;
    inside->calls++;
    inside->thread = pthread_self();
    if (event->version != inside->on_version) return;
    inside->act(inside, event);
    gate_open(&inside->done);
}

static void ignore(void *context, const cmr_event *event) { (void)context, (void)event; }

/* Two watchers on a mount each; the first one's subscriber acts on that version: 1 is on the
 * calling thread in start, 2 on a library thread.
 */
static void set_up(struct inside *inside, uint32_t on_version, void (*act)(struct inside *,
    const cmr_event *))
{
    const char *mount = new_mount("mount"), *other = new_mount("other");
    *inside = (struct inside){.on_version = on_version, .act = act, .done = GATE_INIT};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    PUBLISH(other, FILE_TEXT("key", "other"));
    inside->watcher = new_watcher(mount);
    inside->other = new_watcher(other);
    REQUIRE_OK(cmr_watcher_subscribe(inside->other, NULL, 0, ignore, NULL, &inside->other_id,
                                     NULL));
    start(inside->other);
    REQUIRE_OK(cmr_watcher_subscribe(inside->watcher, NULL, 0, run_inside, inside, &inside->id,
                                     NULL));
    start(inside->watcher);
    if (on_version == 2) PUBLISH(mount, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&inside->done, 1));
}

static void change_again(void)
{
    PUBLISH(text("%s/mount", test_directory()), FILE_TEXT("key", "3"));
}

/* ---- What waits ---- */

static void call_what_waits(struct inside *inside, const cmr_event *event)
{
    cmr_watcher *fresh = new_watcher(NULL);
    cmr_error error = CMR_ERROR_INIT;
    (void)event;
    for (int round = 0; round < 2; round++) {
        cmr_watcher *watcher = round ? inside->other : inside->watcher;
        CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_stop(watcher, -1), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_reload(watcher, 0, NULL, &error), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_reload(watcher, -1, NULL, &error), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_wait(watcher, 0, 0, NULL), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_wait(watcher, 99, -1, NULL), CMR_E_STATE);
        CHECK_STATUS(cmr_watcher_dispatch(watcher, NULL), CMR_E_STATE);
    }
    CHECK_STATUS(cmr_watcher_start(fresh, &error), CMR_E_STATE);
    CHECK_INT(error.status, CMR_E_STATE);
    cmr_watcher_destroy(fresh);
}

TEST("inside a callback on a library thread, start, stop, reload, wait and dispatch are refused")
{
    struct inside inside;
    set_up(&inside, 2, call_what_waits);
    CHECK_INT(reload(inside.watcher), 2);
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
}

TEST("inside the callback that start makes they are refused as well")
{
    struct inside inside;
    set_up(&inside, 1, call_what_waits);
    CHECK_INT(reload(inside.watcher), 1);
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
}

TEST("inside a callback that dispatch makes they are refused as well")
{
    struct inside inside = {.on_version = 1, .act = call_what_waits, .done = GATE_INIT};
    inside.watcher = new_watcher(NULL);
    inside.other = new_watcher(NULL);
    start(inside.other);
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, CMR_SUBSCRIBE_MANUAL, run_inside,
                                     &inside, NULL, NULL));
    start(inside.watcher);
    CHECK_OK(cmr_watcher_dispatch(inside.watcher, NULL));
    CHECK_INT(inside.done.opened, 1);
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
}

/* ---- What does not wait ---- */

static void call_what_does_not_wait(struct inside *inside, const cmr_event *event)
{
    const char *mount = text("%s/written", test_directory());
    cmr_watcher *fresh = NULL;
    const cmr_snapshot *snapshot;
    char *json = NULL;
    uint64_t id = 0;
    cmr_stats stats = CMR_STATS_INIT;
    for (int round = 0; round < 2; round++) {
        cmr_watcher *watcher = round ? inside->other : inside->watcher;
        CHECK_STATUS(cmr_watcher_set_name(watcher, "n", NULL), CMR_E_STATE); /* started,
        that is why */
        CHECK_OK(cmr_watcher_subscribe(watcher, "x*", 0, ignore, NULL, &id, NULL));
        CHECK(cmr_watcher_event_fd(watcher) >= 0);
        CHECK_OK(cmr_watcher_stats(watcher, &stats));
        CHECK(cmr_watcher_version(watcher) >= 1);
        CHECK(cmr_version_load(cmr_watcher_version_word(watcher)) >= 1);
        snapshot = cmr_watcher_acquire(watcher);
        CHECK_OK(cmr_snapshot_json(snapshot, "", &json, NULL));
        cmr_free(json);
        cmr_snapshot_release(snapshot);
        cmr_watcher_request_reload(watcher);
    }
    CHECK(cmr_watcher_version(inside->watcher) == event->version);
    CHECK_OK(cmr_watcher_create(&fresh));
    CHECK_OK(cmr_watcher_add_default(fresh, "k", "v", 1, NULL));
    CHECK_OK(cmr_watcher_subscribe(fresh, NULL, 0, ignore, NULL, NULL, NULL));
    cmr_watcher_destroy(fresh);
    make_directory(mount);
    PUBLISH(mount, FILE_TEXT("key", "written in a callback"));
    CHECK_OK(cmr_set_log_handler(NULL, NULL, CMR_LOG_ERROR));
}

TEST("inside a callback everything that does not wait may be called")
{
    struct inside inside;
    set_up(&inside, 2, call_what_does_not_wait);
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
}

static void keep_snapshots(struct inside *inside, const cmr_event *event)
{
    inside->other_id = (uint64_t)(uintptr_t)cmr_snapshot_retain(event->snapshot);
    inside->id = (uint64_t)(uintptr_t)cmr_snapshot_retain(event->previous);
}

TEST("snapshots of an event that were retained outlive the callback and the watcher")
{
    struct inside inside;
    const char *found = NULL;
    set_up(&inside, 2, keep_snapshots);
    cmr_watcher_destroy(inside.watcher);
    const cmr_snapshot *snapshot = (const cmr_snapshot *)(uintptr_t)inside.other_id;
    const cmr_snapshot *previous = (const cmr_snapshot *)(uintptr_t)inside.id;
    CHECK_OK(cmr_snapshot_string(snapshot, "key", &found, NULL));
    CHECK_TEXT(found, "2");
    CHECK_OK(cmr_snapshot_string(previous, "key", &found, NULL));
    CHECK_TEXT(found, "1");
    cmr_snapshot_release(snapshot);
    cmr_snapshot_release(previous);
    cmr_watcher_destroy(inside.other);
}

/* ---- Unsubscribing ---- */

static void unsubscribe_itself(struct inside *inside, const cmr_event *event)
{
    (void)event;
    CHECK_OK(cmr_watcher_unsubscribe(inside->watcher, inside->id));
    CHECK_STATUS(cmr_watcher_unsubscribe(inside->watcher, inside->id), CMR_E_NOT_FOUND);
}

TEST("a subscriber may unsubscribe itself on a library thread, and is not called again")
{
    struct inside inside;
    set_up(&inside, 2, unsubscribe_itself);
    change_again();
    reload(inside.watcher);
    CHECK_INT(inside.calls, 2);
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
    CHECK_INT(inside.calls, 2);
}

TEST("a subscriber may unsubscribe itself in start, and is not called again")
{
    struct inside inside;
    set_up(&inside, 1, unsubscribe_itself);
    change_again();
    CHECK_INT(reload(inside.watcher), 2);
    cmr_watcher_destroy(inside.watcher);
    CHECK_INT(inside.calls, 1);
    cmr_watcher_destroy(inside.other);
}

TEST("a subscriber may unsubscribe itself in dispatch, and is not called again")
{
    const char *mount = new_mount("mount");
    struct inside inside = {.on_version = 1, .act = unsubscribe_itself, .done = GATE_INIT};
    size_t handled = 99;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    inside.watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, CMR_SUBSCRIBE_MANUAL, run_inside,
                                     &inside, &inside.id, NULL));
    start(inside.watcher);
    CHECK_OK(cmr_watcher_dispatch(inside.watcher, &handled));
    CHECK_INT(handled, 1);
    change_again();
    CHECK_INT(reload(inside.watcher), 2);
    CHECK_OK(cmr_watcher_dispatch(inside.watcher, &handled));
    CHECK_INT(handled, 0);
    CHECK_INT(inside.calls, 1);
    cmr_watcher_destroy(inside.watcher);
}

/* Subscribes itself anew each time, and so begins at the version that is current then. */
static void begin_anew(void *context, const cmr_event *event)
{
    struct inside *inside = context;
    uint64_t before = inside->id;
    (void)event;
    /* First: what waits is dropped when there is nobody to hear of it. */
    CHECK_OK(cmr_watcher_subscribe(inside->watcher, NULL, 0, begin_anew, inside, &inside->id,
                                   NULL));
    CHECK_OK(cmr_watcher_unsubscribe(inside->watcher, before));
    gate_open(&inside->done);
}

static size_t allocated_bytes(void)
{
    struct mallinfo2 used = mallinfo2(); /* nothing where malloc is a sanitizer's */
    return used.uordblks + used.hblkhd;
}

TEST("a subscriber that ends itself while it hears of a rejection takes no version with it")
{
    enum { SIZE = 1 << 16, BEFORE = 5, TIMES = 50 };
    const char *mount = new_mount("mount");
    struct inside inside = {.done = GATE_INIT};
    char *value = malloc(SIZE);
    size_t before = 0;
    memset(value, 'v', SIZE);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    inside.watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(inside.watcher, CMR_OPTION_HISTORY, 0));
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, 0, begin_anew, &inside, &inside.id,
                                     NULL));
    start(inside.watcher);
    for (int time = 1; time <= BEFORE + TIMES; time++) {
        value[0] = (char)('a' + time % 2);
        cmr_file large = {"key", value, SIZE, 0, 0};
        /* One after the other: of a version and a rejection that come together a subscriber that
         * ends itself hears only the first. */
        publish(mount, &large, 1);
        REQUIRE(gate_wait(&inside.done, 2 * time));
        PUBLISH(mount, FILE_TEXT("broken.json", "{"));
        REQUIRE(gate_wait(&inside.done, 2 * time + 1));
        if (time == BEFORE) before = allocated_bytes();
    }
    CHECK(allocated_bytes() < before + 10 * SIZE);
    cmr_watcher_destroy(inside.watcher);
    free(value);
}

static void unsubscribe_the_other(struct inside *inside, const cmr_event *event)
{
    (void)event;
    CHECK_STATUS(cmr_watcher_unsubscribe(inside->other, inside->other_id), CMR_E_STATE);
}

TEST("unsubscribing another watcher's subscriber inside a callback is refused, and nothing ends")
{
    struct inside inside;
    set_up(&inside, 2, unsubscribe_the_other);
    CHECK_OK(cmr_watcher_unsubscribe(inside.other, inside.other_id));
    cmr_watcher_destroy(inside.watcher);
    cmr_watcher_destroy(inside.other);
}

static void unsubscribe_a_sibling(struct inside *inside, const cmr_event *event)
{
    (void)event;
    CHECK_OK(cmr_watcher_unsubscribe(inside->watcher, inside->other_id));
}

TEST("a subscriber that a sibling unsubscribes in the same round is not called any more")
{
    struct inside inside = {.on_version = 1, .act = unsubscribe_a_sibling, .done = GATE_INIT};
    struct recorder sibling;
    inside.watcher = new_watcher(NULL);
    recorder_init(&sibling);
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, 0, run_inside, &inside, NULL, NULL));
    inside.other_id = record(inside.watcher, &sibling);
    start(inside.watcher);
    CHECK_INT(inside.calls, 1);
    CHECK_INT(sibling.count, 0);
    cmr_watcher_destroy(inside.watcher);
    recorder_free(&sibling);
}

static void subscribe_another(struct inside *inside, const cmr_event *event)
{
    (void)event;
    CHECK_OK(cmr_watcher_subscribe(inside->watcher, NULL, 0, hear,
                                   (void *)(uintptr_t)inside->other_id, NULL, NULL));
}

TEST("who is subscribed inside a callback hears of newer versions")
{
    struct inside inside;
    static struct recorder late;
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&late);
    inside = (struct inside){.on_version = 1, .act = subscribe_another, .done = GATE_INIT,
                             .other_id = (uint64_t)(uintptr_t)&late, .watcher = new_watcher(mount)};
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, 0, run_inside, &inside, NULL, NULL));
    start(inside.watcher);
    change_again();
    REQUIRE(await_events(&late, 1));
    CHECK_INT(event_at(&late, late.count - 1)->version, 2);
    cmr_watcher_destroy(inside.watcher);
    recorder_free(&late);
}

/* ---- Destroying ---- */

static struct gate closed = GATE_INIT;
static void note_closed(void *context)
{
    struct inside *inside = context;
    inside->on_version = 0;
    inside->closed_on = pthread_self();
    gate_open(&closed);
}

static void destroy_own(struct inside *inside, const cmr_event *event)
{
    int64_t version = (int64_t)event->version;
    cmr_watcher_destroy(inside->watcher);
    /* The event lives on for the call. */
    CHECK_INT(cmr_snapshot_version(event->snapshot), version);
}

static void check_destroy_inside(uint32_t on_version, uint32_t flags)
{
    const char *mount = new_mount("mount");
    struct inside inside = {.on_version = on_version, .act = destroy_own, .done = GATE_INIT};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    inside.watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_closed(inside.watcher, note_closed, &inside));
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, flags, run_inside, &inside, NULL, NULL));
    cmr_status started = cmr_watcher_start(inside.watcher, NULL);
    if (on_version > 1 || flags) CHECK_OK(started);
    if (on_version == 2) PUBLISH(mount, FILE_TEXT("key", "2"));
    if (flags) CHECK_OK(cmr_watcher_dispatch(inside.watcher, NULL));
    CHECK(gate_wait(&inside.done, 1));
    CHECK(gate_wait(&closed, 1));
    CHECK_INT(closed.opened, 1);
    CHECK_INT(inside.calls, (long long)(on_version == 2 ? 2 : 1));
    CHECK(pthread_equal(inside.closed_on, inside.thread));
    CHECK(!pthread_equal(inside.closed_on, pthread_self()) == (on_version == 2));
}

TEST("a subscriber may destroy its own watcher on a library thread; closed comes after it")
{
    check_destroy_inside(2, 0);
}

TEST("a subscriber may destroy its own watcher in start; closed comes after it")
{
    check_destroy_inside(1, 0);
}

TEST("a subscriber may destroy its own watcher in dispatch; closed comes after it")
{
    check_destroy_inside(1, CMR_SUBSCRIBE_MANUAL);
}

static void destroy_other(struct inside *inside, const cmr_event *event)
{
    (void)event;
    cmr_watcher_destroy(inside->other);
}

TEST("a callback may destroy another watcher without waiting, even one whose callback waits for it")
{
    struct inside inside;
    set_up(&inside, 2, destroy_other);
    cmr_watcher_destroy(inside.watcher);
}

static struct gate other_entered = GATE_INIT, other_released = GATE_INIT;
static void wait_for_release(void *context, const cmr_event *event)
{
    if (event->version == 1) return;
    *(pthread_t *)context = pthread_self();
    gate_open(&other_entered);
    gate_wait(&other_released, 1);
}

static void destroy_other_and_release(struct inside *inside, const cmr_event *event)
{
    (void)event;
    cmr_watcher_destroy(inside->other);
    gate_open(&other_released);
}

TEST("destroying a watcher inside a callback does not wait for that watcher's callbacks")
{
    const char *mount = new_mount("mount"), *other = new_mount("other");
    struct inside inside = {.on_version = 2, .act = destroy_other_and_release, .done = GATE_INIT};
    pthread_t last = pthread_self();
    PUBLISH(mount, FILE_TEXT("key", "1"));
    PUBLISH(other, FILE_TEXT("key", "1"));
    inside.watcher = new_watcher(mount);
    inside.other = new_watcher(other);
    REQUIRE_OK(cmr_watcher_set_closed(inside.other, note_closed, &inside));
    REQUIRE_OK(cmr_watcher_subscribe(inside.other, NULL, 0, wait_for_release, &last, NULL, NULL));
    REQUIRE_OK(cmr_watcher_subscribe(inside.watcher, NULL, 0, run_inside, &inside, NULL, NULL));
    start(inside.other);
    start(inside.watcher);
    PUBLISH(other, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&other_entered, 1));
    CHECK_INT(closed.opened, 0);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK(gate_wait(&inside.done, 1));
    CHECK(gate_wait(&closed, 1));
    CHECK(pthread_equal(inside.closed_on, last));
    CHECK(!pthread_equal(inside.closed_on, inside.thread));
    cmr_watcher_destroy(inside.watcher);
}

/* ---- Slow callbacks ---- */

struct blocked {
    struct gate *entered, *released;
};

static void block(void *context, const cmr_event *event)
{
    struct blocked *blocked = context;
    if (event->cause == CMR_CAUSE_START) return;
    gate_open(blocked->entered);
    /* The first has to wait until the last is here; what never ends the harness does. */
    while (!gate_wait(blocked->released, 1)) {}
}

/* Of each it takes a moment to see that it blocks: each has the whole patience for itself. */
static void await_entered(struct gate *entered, int count)
{
    for (int each = 1; each <= count; each++) REQUIRE(gate_wait(entered, each));
}

static void check_blocked_callbacks(int count)
{
    static struct gate entered = GATE_INIT, released = GATE_INIT;
    static cmr_watcher *watchers[100];
    struct blocked blocked = {&entered, &released};
    struct recorder recorder;
    const char *last = new_mount("last");
    cmr_watcher *watcher;
    for (int index = 0; index < count; index++) {
        const char *mount = new_mount(text("m%d", index));
        PUBLISH(mount, FILE_TEXT("key", "1"));
        watchers[index] = new_watcher(mount);
        REQUIRE_OK(cmr_watcher_subscribe(watchers[index], NULL, 0, block, &blocked, NULL, NULL));
        start(watchers[index]);
    }
    PUBLISH(last, FILE_TEXT("key", "1"));
    watcher = new_watcher(last);
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    for (int index = 0; index < count; index++)
        PUBLISH(text("%s/m%d", test_directory(), index), FILE_TEXT("key", "2"));
    await_entered(&entered, count);
    PUBLISH(last, FILE_TEXT("key", "2"));
    CHECK_INT(event_at(&recorder, 1)->version, 2);
    /* Watchers whose callback waits go on publishing. */
    PUBLISH(text("%s/m0", test_directory()), FILE_TEXT("key", "3"));
    await_version(watchers[0], 3);
    gate_open(&released);
    for (int index = 0; index < count; index++) cmr_watcher_destroy(watchers[index]);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("one callback that blocks keeps no other watcher waiting, nor its own from publishing")
{
    check_blocked_callbacks(1);
}

TEST("a hundred callbacks that block do not keep the 101st watcher waiting")
{
    check_blocked_callbacks(100);
}

TEST("one watcher and fifty have as many threads, and so they have again after slow callbacks")
{
    cmr_watcher *watchers[50];
    size_t before = 0;
    for (int index = 0; index < 50; index++) {
        const char *mount = new_mount(text("c%d", index));
        PUBLISH(mount, FILE_TEXT("key", "1"));
        watchers[index] = new_watcher(mount);
        REQUIRE_OK(cmr_watcher_subscribe(watchers[index], NULL, 0, ignore, NULL, NULL, NULL));
        start(watchers[index]);
        if (index == 0) before = count_threads();
    }
    CHECK_INT(count_threads(), before);
    check_blocked_callbacks(10);
    EVENTUALLY(count_threads() <= before);
    for (int index = 0; index < 50; index++) cmr_watcher_destroy(watchers[index]);
}

TEST("while 256 callbacks block, the next one waits for one to return; publishing does not")
{
    enum { MOST = 256 };
    static struct gate entered = GATE_INIT, released = GATE_INIT;
    static cmr_watcher *watchers[MOST];
    struct blocked blocked = {&entered, &released};
    struct recorder recorder;
    const char *mount = new_mount("mount"), *other = new_mount("other");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    PUBLISH(other, FILE_TEXT("key", "1"));
    for (int index = 0; index < MOST; index++) {
        watchers[index] = new_watcher(mount);
        REQUIRE_OK(cmr_watcher_subscribe(watchers[index], NULL, 0, block, &blocked, NULL, NULL));
        start(watchers[index]);
    }
    cmr_watcher *watcher = new_watcher(other);
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_entered(&entered, MOST);
    PUBLISH(other, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    /* Between two attempts callbacks are called: had it been possible, it would have been done. */
    reload(watcher);
    CHECK_INT(recorder.count, 1);
    gate_open(&released);
    CHECK_INT(event_at(&recorder, 1)->version, 2);
    for (int index = 0; index < MOST; index++) cmr_watcher_destroy(watchers[index]);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

/* Whether this user may make threads: no more where a limit of processes is reached. */
static void allow_threads(bool allowed)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NPROC, &limit) == 0);
    limit.rlim_cur = allowed ? limit.rlim_max : 0;
    REQUIRE(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

static void *do_nothing(void *context) { return context; }

TEST("a callback that waits for a thread which cannot be made is called once it can, unasked")
{
    static struct gate entered = GATE_INIT, released = GATE_INIT;
    struct blocked blocked = {&entered, &released};
    struct recorder recorder;
    pthread_t thread;
    REQUIRE(chmod(test_directory(), 0777) == 0);
    if (geteuid() == 0) REQUIRE(setgid(65534) == 0 && setuid(65534) == 0); /* no limit binds root */
    const char *mount = new_mount("mount"), *other = new_mount("other");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    PUBLISH(other, FILE_TEXT("key", "1"));
    cmr_watcher *first = new_watcher(mount), *second = new_watcher(other);
    REQUIRE_OK(cmr_watcher_set_option(first, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_set_option(second, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_subscribe(first, NULL, 0, block, &blocked, NULL, NULL));
    recorder_init(&recorder);
    record(second, &recorder);
    start(first);
    start(second);
    allow_threads(false);
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) {
        pthread_join(thread, NULL);
        test_skip("no limit of processes binds this user");
    }
    /* The spare takes the lead, and there is none for the second one's callback. */
    PUBLISH(mount, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&entered, 1));
    PUBLISH(other, FILE_TEXT("key", "2"));
    await_version(second, 2);
    reload(second);
    CHECK_INT(recorder.count, 1);
    allow_threads(true);
    CHECK_INT(event_at(&recorder, 1)->version, 2);
    gate_open(&released);
    cmr_watcher_destroy(first);
    cmr_watcher_destroy(second);
    recorder_free(&recorder);
}
