/* What subscribers hear: which events, of which keys, on which thread, in which order. */
#include "abitest.h"

/* ---- Start ---- */

TEST("who subscribed before start hears of version 1 on the calling thread before start returns")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    struct heard *heard;
    PUBLISH(mount, FILE_TEXT("b", "2"), FILE_TEXT("a", "1"), FILE_TEXT("c.json", "{}"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    REQUIRE(recorder.count == 1);
    heard = event_at(&recorder, 0);
    CHECK_INT(heard->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(heard->cause, CMR_CAUSE_START);
    CHECK_INT(heard->version, 1);
    CHECK_INT(cmr_snapshot_version(heard->snapshot), 1);
    CHECK(heard->previous == NULL);
    CHECK_TEXT(heard->changes, "+a +b +c.json");
    CHECK(!heard->has_error);
    CHECK_INT(heard->violation_count, 0);
    CHECK(pthread_equal(heard->thread, pthread_self()));
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("who subscribes after start hears of newer versions only")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    recorder_init(&recorder);
    record(watcher, &recorder);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(event_at(&recorder, 0)->version, 2);
    CHECK_INT(event_at(&recorder, 0)->cause, CMR_CAUSE_CHANGE);
    CHECK_INT(cmr_snapshot_version(event_at(&recorder, 0)->previous), 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

/* ---- Changes ---- */

/* A subscriber that lets a newer version come before others are told of the first one. */
struct overtaken {
    const char *mount;
    cmr_watcher *watcher;
};
static void overtake(void *context, const cmr_event *event)
{
    struct overtaken *overtaken = context;
    if (event->cause != CMR_CAUSE_START) return;
    PUBLISH(overtaken->mount, FILE_TEXT("key", "2"));
    EVENTUALLY(cmr_watcher_version(overtaken->watcher) == 2);
}

TEST("who subscribed before start hears of version 1 first, whatever comes in the meantime")
{
    struct overtaken overtaken = {.mount = new_mount("mount")};
    struct recorder recorder;
    overtaken.watcher = new_watcher(overtaken.mount);
    PUBLISH(overtaken.mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    REQUIRE_OK(cmr_watcher_subscribe(overtaken.watcher, NULL, 0, overtake, &overtaken, NULL,
                                     NULL));
    record(overtaken.watcher, &recorder);
    start(overtaken.watcher);
    CHECK_INT(event_at(&recorder, 0)->version, 1);
    CHECK_INT(event_at(&recorder, 0)->cause, CMR_CAUSE_START);
    CHECK_INT(cmr_snapshot_version(event_at(&recorder, 0)->snapshot), 1);
    CHECK_INT(event_at(&recorder, 1)->version, 2);
    CHECK_INT(event_at(&recorder, 1)->cause, CMR_CAUSE_CHANGE);
    CHECK(event_at(&recorder, 1)->previous == event_at(&recorder, 0)->snapshot);
    cmr_watcher_destroy(overtaken.watcher);
    recorder_free(&recorder);
}

TEST("an event names the keys that were added, removed and modified, sorted, and no others")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    const char *found = NULL;
    PUBLISH(mount, FILE_TEXT("a", "1"), FILE_TEXT("b", "1"), FILE_TEXT("c", "1"),
            FILE_TEXT("d.json", "{\"x\": 1}"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("0", "new"), FILE_TEXT("b", "2"), FILE_TEXT("c", "1"),
            FILE_TEXT("d.json", "{\"x\": 2}"), FILE_TEXT("e", "new"));
    struct heard *heard = event_at(&recorder, 1);
    CHECK_INT(heard->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(heard->cause, CMR_CAUSE_CHANGE);
    CHECK_INT(heard->version, 2);
    CHECK_TEXT(heard->changes, "+0 -a ~b ~d.json +e");
    CHECK(!pthread_equal(heard->thread, pthread_self()));
    /* Old and new values are at hand. */
    CHECK_OK(cmr_snapshot_string(heard->previous, "b", &found, NULL));
    CHECK_TEXT(found, "1");
    CHECK_OK(cmr_snapshot_string(heard->snapshot, "b", &found, NULL));
    CHECK_TEXT(found, "2");
    CHECK(cmr_snapshot_value(heard->snapshot, "c") == cmr_snapshot_value(heard->previous, "c"));
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("the same bytes written again, or touched, are no version and no event")
{
    const char *mount = new_mount("mount"), *plain = new_mount("plain");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    cmr_stats stats = CMR_STATS_INIT;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    write_text(text("%s/file", plain), "same");
    REQUIRE_OK(cmr_watcher_add_mount(watcher, plain, NULL));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    /* A swap to another directory with the same content; a rewrite; a touch. */
    make_directory(text("%s/..again", mount));
    write_text(text("%s/..again/key", mount), "1");
    replace_link("..again", text("%s/..data", mount));
    write_text(text("%s/file", plain), "same");
    REQUIRE(utimensat(AT_FDCWD, text("%s/file", plain), NULL, 0) == 0);
    CHECK_INT(reload(watcher), 1);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK(stats.reloads_unchanged >= 1);
    CHECK_INT(stats.reloads_succeeded, 1);
    /* The next event is that of a real change. */
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(event_at(&recorder, 1)->version, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("what reload publishes comes with the cause RELOAD")
{
    /* In a directory that is still settling the reload comes first. */
    const char *plain = new_mount("plain");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(plain);
    write_text(text("%s/key", plain), "1");
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 3600000));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    write_text(text("%s/key", plain), "2");
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(event_at(&recorder, 1)->cause, CMR_CAUSE_RELOAD);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("events come in version order, do not overlap, join without a gap, and the last is the newest")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    char content[16] = "0";
    PUBLISH(mount, {"key", content, strlen(content), 0, 0});
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    for (int round = 1; round <= 200; round++) {
        snprintf(content, sizeof content, "%d", round);
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
    }
    uint64_t last = reload(watcher);
    for (size_t index = 0;; index++) {
        struct heard *heard = event_at(&recorder, index);
        if (index > 0) {
            struct heard *before = event_at(&recorder, index - 1);
            CHECK(heard->version > before->version);
            CHECK(heard->previous == before->snapshot);
        }
        if (heard->version == last) break;
    }
    CHECK(!recorder.overlapped);
    CHECK_TEXT(current_text(watcher, "key"), "200");
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

/* ---- Patterns ---- */

TEST("a subscriber with a pattern hears of keys that match, only when one of them changed")
{
    const char *mount = new_mount("mount");
    struct recorder features, all;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("features.a", "1"), FILE_TEXT("features.b", "1"),
            FILE_TEXT("level", "1"));
    recorder_init(&features);
    recorder_init(&all);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, "features.*", 0, hear, &features, NULL, NULL));
    record(watcher, &all);
    start(watcher);
    CHECK_TEXT(event_at(&features, 0)->changes, "+features.a +features.b");
    PUBLISH(mount, FILE_TEXT("features.a", "1"), FILE_TEXT("features.b", "1"),
            FILE_TEXT("level", "2"));
    CHECK_TEXT(event_at(&all, 1)->changes, "~level");
    PUBLISH(mount, FILE_TEXT("features.a", "2"), FILE_TEXT("features.c", "1"),
            FILE_TEXT("level", "3"));
    struct heard *heard = event_at(&features, 1);
    CHECK_TEXT(heard->changes, "~features.a -features.b +features.c");
    CHECK_INT(heard->version, 3);
    CHECK_TEXT(event_at(&all, 2)->changes, "~features.a -features.b +features.c ~level");
    /* Rejections reach everybody. */
    PUBLISH(mount, FILE_TEXT("features.a", "2"), FILE_TEXT("bad.json", "{"));
    CHECK_INT(event_at(&features, 2)->kind, CMR_EVENT_REJECTED);
    CHECK_INT(event_at(&all, 3)->kind, CMR_EVENT_REJECTED);
    cmr_watcher_destroy(watcher);
    recorder_free(&features);
    recorder_free(&all);
}

TEST("patterns match whole keys: stars, question marks, sets and escapes")
{
    static const struct { const char *pattern, *changes; } cases[] = {
        {"*", "+a +a.b +a/b +ab +\xc3\xa4"}, {"a", "+a"}, {"a*", "+a +a.b +a/b +ab"},
        {"*b", "+a.b +a/b +ab"}, {"a?b", "+a.b +a/b"}, {"?", "+a +\xc3\xa4"},
        {"a[./]b", "+a.b +a/b"}, {"a[!.]b", "+a/b"}, {"a[a-c]", "+ab"}, {"a\\.b", "+a.b"},
        {"**b", "+a.b +a/b +ab"}, {"a*b*", "+a.b +a/b +ab"},
    };
    const char *mount = new_mount("mount");
    struct recorder recorders[sizeof cases / sizeof *cases], none;
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a", "", 0, NULL));
    REQUIRE_OK(cmr_watcher_add_mount(watcher, mount, NULL));
    PUBLISH(mount, FILE_TEXT("a.b", ""), FILE_TEXT("ab", ""), FILE_TEXT("\xc3\xa4", ""));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a/b", "", 0, NULL));
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        recorder_init(&recorders[index]);
        REQUIRE_OK(cmr_watcher_subscribe(watcher, cases[index].pattern, 0, hear, &recorders[index],
                                         NULL, NULL));
    }
    recorder_init(&none);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, "A*", 0, hear, &none, NULL, NULL));
    start(watcher);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        about("the pattern %s", cases[index].pattern);
        CHECK_TEXT(event_at(&recorders[index], 0)->changes, cases[index].changes);
        CHECK_INT(recorders[index].count, 1);
    }
    CHECK_INT(none.count, 0);
    cmr_watcher_destroy(watcher);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        recorder_free(&recorders[index]);
}

/* ---- Coalescing ---- */

struct slow {
    struct recorder recorder; /* first: hear takes it */
    struct gate entered, released;
    _Atomic int blocks_at; /* the call, counted from 1, that waits */
};

static void hear_slowly(void *context, const cmr_event *event)
{
    struct slow *slow = context;
    hear(&slow->recorder, event);
    gate_open(&slow->entered);
    if ((int)slow->recorder.count == slow->blocks_at) gate_wait(&slow->released, 1);
}

static void slow_init(struct slow *slow, int blocks_at)
{
    *slow = (struct slow){.entered = GATE_INIT, .released = GATE_INIT, .blocks_at = blocks_at};
    recorder_init(&slow->recorder);
}

TEST("while a subscriber is busy versions coalesce into one event with the changes between")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"), FILE_TEXT("gone", "1"));
    slow_init(&slow, 2);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, hear_slowly, &slow, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"), FILE_TEXT("gone", "1"));
    REQUIRE(gate_wait(&slow.entered, 2));
    PUBLISH(mount, FILE_TEXT("key", "3"), FILE_TEXT("gone", "1"));
    CHECK_INT(reload(watcher), 3);
    PUBLISH(mount, FILE_TEXT("key", "3"), FILE_TEXT("brief", "1"));
    CHECK_INT(reload(watcher), 4);
    PUBLISH(mount, FILE_TEXT("key", "2"), FILE_TEXT("new", "1"));
    CHECK_INT(reload(watcher), 5);
    /* Reads and publishing were not held up by the callback that waits. */
    CHECK_TEXT(current_text(watcher, "key"), "2");
    CHECK_INT(slow.recorder.count, 2);
    gate_open(&slow.released);
    struct heard *heard = event_at(&slow.recorder, 2);
    CHECK_INT(heard->version, 5);
    CHECK_INT(cmr_snapshot_version(heard->previous), 2);
    CHECK_TEXT(heard->changes, "-gone +new");
    cmr_watcher_destroy(watcher);
    recorder_free(&slow.recorder);
}

TEST("of rejections that wait only the newest is kept, and a publication drops it")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    slow_init(&slow, 2);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, hear_slowly, &slow, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    REQUIRE(gate_wait(&slow.entered, 2));
    PUBLISH(mount, FILE_TEXT("first.json", "["));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    PUBLISH(mount, FILE_TEXT("second.json", "["));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    slow.blocks_at = 3;
    gate_open(&slow.released);
    struct heard *heard = event_at(&slow.recorder, 2);
    CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
    CHECK_TEXT(heard->error.key, "second.json");
    cmr_watcher_destroy(watcher);
    recorder_free(&slow.recorder);
}

TEST("a rejection that waits is dropped when a version is published after it")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    slow_init(&slow, 2);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, hear_slowly, &slow, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    REQUIRE(gate_wait(&slow.entered, 2));
    PUBLISH(mount, FILE_TEXT("a.json", "["));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    PUBLISH(mount, FILE_TEXT("a.json", "[3]"));
    CHECK_INT(reload(watcher), 3);
    gate_open(&slow.released);
    CHECK_INT(event_at(&slow.recorder, 2)->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(event_at(&slow.recorder, 2)->version, 3);
    PUBLISH(mount, FILE_TEXT("a.json", "[4]"));
    CHECK_INT(event_at(&slow.recorder, 3)->version, 4);
    cmr_watcher_destroy(watcher);
    recorder_free(&slow.recorder);
}

/* ---- Manual dispatch ---- */

static bool readable(int file, int timeout_ms)
{
    struct pollfd poll_one = {file, POLLIN, 0};
    return poll(&poll_one, 1, timeout_ms) == 1 && (poll_one.revents & POLLIN);
}

TEST("a MANUAL subscriber is called in dispatch alone, when the event descriptor says so")
{
    const char *mount = new_mount("mount");
    struct recorder manual, automatic;
    cmr_watcher *watcher = new_watcher(mount);
    size_t handled = 99;
    int file = cmr_watcher_event_fd(watcher);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&manual);
    recorder_init(&automatic);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear, &manual, NULL,
                                     NULL));
    record(watcher, &automatic);
    REQUIRE(file >= 0);
    CHECK(!readable(file, 0));
    start(watcher);
    CHECK_INT(manual.count, 0);
    CHECK_INT(automatic.count, 1);
    CHECK(readable(file, (int)patience_ms()));
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 1);
    REQUIRE(manual.count == 1);
    CHECK_INT(event_at(&manual, 0)->cause, CMR_CAUSE_START);
    CHECK(event_at(&manual, 0)->previous == NULL);
    CHECK_TEXT(event_at(&manual, 0)->changes, "+key");
    CHECK(!readable(file, 0));
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 0);

    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK(readable(file, (int)patience_ms()));
    CHECK_INT(event_at(&automatic, 1)->version, 2);
    CHECK_INT(manual.count, 1);
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 1);
    CHECK_INT(event_at(&manual, 1)->version, 2);
    CHECK(pthread_equal(event_at(&manual, 1)->thread, pthread_self()));
    CHECK(!readable(file, 0));
    CHECK_INT(cmr_watcher_event_fd(watcher), file);
    cmr_watcher_destroy(watcher);
    recorder_free(&manual);
    recorder_free(&automatic);
}

TEST("versions that were not dispatched come as one event")
{
    const char *mount = new_mount("mount");
    struct recorder manual;
    cmr_watcher *watcher = new_watcher(mount);
    size_t handled = 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&manual);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear, &manual, NULL,
                                     NULL));
    start(watcher);
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    for (int round = 2; round <= 5; round++) {
        const char *content = text("%d", round);
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
        CHECK_INT(reload(watcher), round);
    }
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 1);
    CHECK_INT(event_at(&manual, 1)->version, 5);
    CHECK_INT(cmr_snapshot_version(event_at(&manual, 1)->previous), 1);
    CHECK_TEXT(event_at(&manual, 1)->changes, "~key");
    cmr_watcher_destroy(watcher);
    recorder_free(&manual);
}

static void set_dispatch(cmr_watcher *watcher, int64_t dispatch)
{
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_DISPATCH, dispatch));
}

TEST("DISPATCH MANUAL makes every subscriber a manual one, whenever it is set before start")
{
    const char *mount = new_mount("mount");
    struct recorder before, after;
    cmr_watcher *watcher = new_watcher(mount);
    size_t handled = 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&before);
    recorder_init(&after);
    record(watcher, &before);
    set_dispatch(watcher, CMR_DISPATCH_MANUAL);
    record(watcher, &after);
    start(watcher);
    CHECK_INT(before.count + after.count, 0);
    CHECK(readable(cmr_watcher_event_fd(watcher), (int)patience_ms()));
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 2);
    CHECK_INT(before.count, 1);
    CHECK_INT(after.count, 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&before);
    recorder_free(&after);
}

TEST("DISPATCH that is MANUAL no more at start makes nobody a manual subscriber")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    set_dispatch(watcher, CMR_DISPATCH_MANUAL);
    record(watcher, &recorder);
    set_dispatch(watcher, CMR_DISPATCH_THREAD);
    start(watcher);
    CHECK_INT(recorder.count, 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("the event descriptor stays quiet when only others have something to hear")
{
    const char *mount = new_mount("mount");
    struct recorder manual, automatic;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&manual);
    recorder_init(&automatic);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, "other", CMR_SUBSCRIBE_MANUAL, hear, &manual, NULL,
                                     NULL));
    record(watcher, &automatic);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(event_at(&automatic, 1)->version, 2);
    /* It may wake for a look, but there is nothing to handle, and then it is quiet. */
    size_t handled = 99;
    CHECK_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 0);
    CHECK(!readable(cmr_watcher_event_fd(watcher), 0));
    cmr_watcher_destroy(watcher);
    recorder_free(&manual);
    recorder_free(&automatic);
}

struct dispatching {
    cmr_watcher *watcher;
    _Atomic int thread;
    cmr_status status;
    size_t handled;
};

static void *dispatch(void *context)
{
    struct dispatching *dispatching = context;
    dispatching->thread = (int)gettid();
    dispatching->status = cmr_watcher_dispatch(dispatching->watcher, &dispatching->handled);
    return NULL;
}

TEST("the event descriptor falls silent when the last manual subscriber leaves")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    uint64_t id = 0;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear, &recorder, &id,
                                     NULL));
    struct pollfd ready = {.fd = cmr_watcher_event_fd(watcher), .events = POLLIN};
    start(watcher);
    CHECK_INT(poll(&ready, 1, (int)patience_ms()), 1);
    CHECK_OK(cmr_watcher_unsubscribe(watcher, id));
    CHECK_INT(poll(&ready, 1, 0), 0);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("threads that dispatch at once take turns, and calls do not overlap")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    cmr_watcher *watcher = new_watcher(mount);
    struct dispatching first = {.watcher = watcher, .status = -1}, second = first;
    pthread_t first_thread, second_thread;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    slow_init(&slow, 1);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, hear_slowly, &slow, NULL,
                                     NULL));
    start(watcher);
    REQUIRE(pthread_create(&first_thread, NULL, dispatch, &first) == 0);
    REQUIRE(gate_wait(&slow.entered, 1));
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    REQUIRE(pthread_create(&second_thread, NULL, dispatch, &second) == 0);
    EVENTUALLY(second.thread != 0);
    EVENTUALLY(thread_sleeps(second.thread));
    CHECK_INT(slow.recorder.count, 1);
    gate_open(&slow.released);
    pthread_join(first_thread, NULL);
    pthread_join(second_thread, NULL);
    CHECK_OK(first.status);
    CHECK_OK(second.status);
    CHECK_INT(first.handled, 1);
    CHECK_INT(second.handled, 1);
    CHECK_INT(event_at(&slow.recorder, 1)->version, 2);
    CHECK(!slow.recorder.overlapped);
    cmr_watcher_destroy(watcher);
    recorder_free(&slow.recorder);
}

/* ---- Ending a subscription ---- */

TEST("a subscriber is never called again once unsubscribe returned")
{
    const char *mount = new_mount("mount");
    struct recorder leaving, staying;
    cmr_watcher *watcher = new_watcher(mount);
    uint64_t id;
    PUBLISH(mount, FILE_TEXT("key", "0"));
    start(watcher);
    recorder_init(&staying);
    record(watcher, &staying);
    for (int round = 1; round <= 100; round++) {
        const char *content = text("%d", round);
        recorder_init(&leaving);
        id = record(watcher, &leaving);
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
        if (round & 1) await_version(watcher, (uint64_t)round + 1);
        CHECK_OK(cmr_watcher_unsubscribe(watcher, id));
        size_t count = leaving.count;
        reload(watcher);
        CHECK_INT(leaving.count, count);
        CHECK_STATUS(cmr_watcher_unsubscribe(watcher, id), CMR_E_NOT_FOUND);
        recorder_free(&leaving); /* its lock is gone: a late call would be seen by the sanitizers */
    }
    uint64_t last = cmr_watcher_version(watcher);
    for (size_t index = 0; event_at(&staying, index)->version < last;) index++;
    cmr_watcher_destroy(watcher);
    recorder_free(&staying);
}

struct leaving {
    cmr_watcher *watcher;
    uint64_t id;
    cmr_status status;
    _Atomic bool returned;
    _Atomic int thread;
};

static void *leave(void *context)
{
    struct leaving *leaving = context;
    leaving->thread = (int)gettid();
    leaving->status = cmr_watcher_unsubscribe(leaving->watcher, leaving->id);
    leaving->returned = true;
    return NULL;
}

TEST("unsubscribe waits for a call that runs on another thread")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    struct leaving leaving = {.watcher = new_watcher(mount)};
    pthread_t thread;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    slow_init(&slow, 2);
    REQUIRE_OK(cmr_watcher_subscribe(leaving.watcher, NULL, 0, hear_slowly, &slow, &leaving.id,
                                     NULL));
    start(leaving.watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&slow.entered, 2));
    REQUIRE(pthread_create(&thread, NULL, leave, &leaving) == 0);
    EVENTUALLY(leaving.thread != 0);
    EVENTUALLY(thread_sleeps(leaving.thread));
    CHECK(!leaving.returned);
    gate_open(&slow.released);
    pthread_join(thread, NULL);
    CHECK_OK(leaving.status);
    cmr_watcher_destroy(leaving.watcher);
    recorder_free(&slow.recorder);
}

TEST("identifiers of subscriptions are never used again")
{
    cmr_watcher *watcher = new_watcher(NULL);
    struct recorder recorder;
    uint64_t last = 0;
    recorder_init(&recorder);
    for (int round = 0; round < 100; round++) {
        uint64_t id = record(watcher, &recorder);
        CHECK(id > last);
        CHECK_OK(cmr_watcher_unsubscribe(watcher, id));
        last = id;
    }
    CHECK_STATUS(cmr_watcher_unsubscribe(watcher, 0), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_watcher_unsubscribe(watcher, UINT64_MAX), CMR_E_NOT_FOUND);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("stop drops what waits to be delivered")
{
    const char *mount = new_mount("mount");
    struct slow slow;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    slow_init(&slow, 2);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, hear_slowly, &slow, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    REQUIRE(gate_wait(&slow.entered, 2));
    PUBLISH(mount, FILE_TEXT("key", "3"));
    CHECK_INT(reload(watcher), 3);
    CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_TIMEOUT);
    gate_open(&slow.released);
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_INT(slow.recorder.count, 2);
    CHECK_INT(cmr_watcher_version(watcher), 3);
    cmr_watcher_destroy(watcher);
    recorder_free(&slow.recorder);
}

/* ---- Sources that come and go ---- */

TEST("a mount that goes away keeps its last good content, and is found when it returns")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    cmr_stats stats = CMR_STATS_INIT;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    remove_all(mount);
    size_t lost = await_kind(&recorder, CMR_EVENT_SOURCE_LOST, 1);
    REQUIRE(lost != SIZE_MAX);
    CHECK_TEXT(event_at(&recorder, lost)->error.key, mount);
    CHECK_INT(event_at(&recorder, lost)->error.status, CMR_E_IO);
    CHECK_INT(event_at(&recorder, lost)->error.os_errno, ENOENT);
    CHECK_INT(event_at(&recorder, lost)->version, 1);
    CHECK_INT(cmr_snapshot_version(event_at(&recorder, lost)->snapshot), 1);
    CHECK_TEXT(event_at(&recorder, lost)->changes, "");
    CHECK_TEXT(current_text(watcher, "key"), "1");
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 0);

    make_directory(mount);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    size_t recovered = await_kind(&recorder, CMR_EVENT_SOURCE_RECOVERED, lost + 1);
    REQUIRE(recovered != SIZE_MAX);
    CHECK_TEXT(event_at(&recorder, recovered)->error.key, mount);
    CHECK_INT(event_at(&recorder, recovered)->error.status, CMR_OK);
    EVENTUALLY(strcmp(current_text(watcher, "key"), "2") == 0);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a mount that goes empty keeps its last good content")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    publish(mount, NULL, 0);
    size_t lost = await_kind(&recorder, CMR_EVENT_SOURCE_LOST, 1);
    REQUIRE(lost != SIZE_MAX);
    CHECK_INT(event_at(&recorder, lost)->error.status, CMR_E_IO);
    cmr_error error = CMR_ERROR_INIT;
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_IO);
    CHECK_INT(error.os_errno, ENOENT);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE(await_kind(&recorder, CMR_EVENT_SOURCE_RECOVERED, 2) != SIZE_MAX);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}
