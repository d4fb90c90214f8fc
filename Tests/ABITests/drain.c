/* Who holds former versions: waiting for them, hearing of the last, letting publishing wait. */
#include "abitest.h"

static cmr_watcher *started(const char *mount, int32_t option, int64_t value)
{
    cmr_watcher *watcher = new_watcher(mount);
    if (option != 0) REQUIRE_OK(cmr_watcher_set_option(watcher, option, value));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    return watcher;
}

/* Waits until what the sources hold waits for holders: a reload then waits, too, and finds nothing
 * that is new. */
static void await_waiting(cmr_watcher *watcher)
{
    cmr_stats stats = CMR_STATS_INIT;
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    uint64_t before = stats.reloads_unchanged;
    EVENTUALLY(cmr_watcher_reload(watcher, 1, NULL, NULL) == CMR_E_TIMEOUT
               && cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.reloads_unchanged > before);
}

TEST("a drain ends when the last holder of an older version lets go, and counts until then")
{
    const char *mount = new_mount("mount");
    size_t held = 99;
    cmr_watcher *watcher = started(mount, 0, 0);
    const cmr_snapshot *first = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    const cmr_snapshot *second = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_version(watcher, 3);

    CHECK_STATUS(cmr_watcher_drain(watcher, 3, 0, &held), CMR_E_TIMEOUT);
    CHECK_INT(held, 2);
    CHECK_STATUS(cmr_watcher_drain(watcher, 2, 10, &held), CMR_E_TIMEOUT);
    CHECK_INT(held, 1);
    CHECK_OK(cmr_watcher_drain(watcher, 1, 0, &held));
    CHECK_INT(held, 0);
    cmr_snapshot_release(first);
    CHECK_OK(cmr_watcher_drain(watcher, 2, patience_ms(), NULL));
    cmr_snapshot_release(second);
    CHECK_OK(cmr_watcher_drain(watcher, 3, patience_ms(), &held));
    /* What the history keeps is held by nobody until somebody takes it out. */
    REQUIRE_OK(cmr_watcher_history(watcher, 1, &second));
    CHECK_STATUS(cmr_watcher_drain(watcher, 3, 0, &held), CMR_E_TIMEOUT);
    CHECK_INT(held, 1);
    cmr_snapshot_release(second);
    CHECK_OK(cmr_watcher_drain(watcher, 3, patience_ms(), &held));
    cmr_watcher_destroy(watcher);
}

struct release {
    const cmr_snapshot *snapshot;
    cmr_watcher *watcher;
    cmr_status status;
};
static void *drain_all(void *context)
{
    struct release *release = context;
    release->status = cmr_watcher_drain(release->watcher, UINT64_MAX, -1, NULL);
    return NULL;
}

TEST("a drain that waits is woken by the release, of the current version too, or by a stop")
{
    const char *mount = new_mount("mount");
    pthread_t thread;
    cmr_watcher *watcher = started(mount, 0, 0);
    struct release release = {.watcher = watcher};
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    REQUIRE(pthread_create(&thread, NULL, drain_all, &release) == 0);
    cmr_snapshot_release(held);
    pthread_join(thread, NULL);
    CHECK_INT(release.status, CMR_OK);

    held = cmr_watcher_acquire(watcher);
    REQUIRE(pthread_create(&thread, NULL, drain_all, &release) == 0);
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    pthread_join(thread, NULL);
    CHECK_INT(release.status, CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_drain(watcher, 1, 0, NULL), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
    cmr_snapshot_release(held);
}

/* Notes what was drained, and holds nothing. */
struct drained {
    struct gate told;
    uint64_t version, current;
    size_t changes, published;
};
static void note_drained(void *context, const cmr_event *event)
{
    struct drained *drained = context;
    if (event->kind == CMR_EVENT_PUBLISHED) {
        __atomic_store_n(&drained->published, event->version, __ATOMIC_SEQ_CST);
    } else if (event->kind == CMR_EVENT_DRAINED) {
        drained->version = event->version;
        drained->current = cmr_snapshot_version(event->snapshot);
        drained->changes = event->change_count;
        gate_open(&drained->told);
    }
}

TEST("who asked hears when the last holder of a version lets go, others do not")
{
    const char *mount = new_mount("mount");
    struct drained asked = {.told = GATE_INIT}, others = {.told = GATE_INIT};
    cmr_watcher *watcher = started(mount, 0, 0);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, note_drained, &others, NULL, NULL));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_DRAINED, note_drained, &asked,
                                     NULL, NULL));
    const cmr_snapshot *first = cmr_watcher_acquire(watcher);
    const cmr_snapshot *again = cmr_snapshot_retain(first);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    cmr_snapshot_release(first);
    PUBLISH(mount, FILE_TEXT("key", "3"));
    /* Nobody held version 2; version 1 is still held. */
    REQUIRE(gate_wait(&asked.told, 1));
    CHECK_INT(asked.version, 2);
    CHECK_INT(asked.current, 3);
    CHECK_INT(asked.changes, 0);
    cmr_snapshot_release(again);
    REQUIRE(gate_wait(&asked.told, 2));
    CHECK_INT(asked.version, 1);
    /* A last version shows that the others were not told, though they were called after it. */
    PUBLISH(mount, FILE_TEXT("key", "4"));
    EVENTUALLY(__atomic_load_n(&others.published, __ATOMIC_SEQ_CST) == 4);
    CHECK_INT(others.told.opened, 0);
    cmr_watcher_destroy(watcher);
}

TEST("with DRAIN_MS a version waits for the holders of the one before, and comes when they let go")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = started(mount, CMR_OPTION_DRAIN_MS, 3600 * 1000);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_STATUS(cmr_watcher_wait(watcher, 1, 100, NULL), CMR_E_TIMEOUT);
    /* Newer content takes the place of what waits. */
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_waiting(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_snapshot_release(held);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "key"), "3");
    cmr_watcher_destroy(watcher);
}

TEST("with DRAIN_MS a version comes at the latest when the time is up")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = started(mount, CMR_OPTION_DRAIN_MS, 200);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "key"), "2");
    CHECK_INT(cmr_snapshot_version(held), 1);
    cmr_snapshot_release(held);
    cmr_watcher_destroy(watcher);
}

TEST("what waits is dropped when the sources go back to what is current")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = started(mount, CMR_OPTION_DRAIN_MS, 3600 * 1000);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_waiting(watcher);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    CHECK_INT(reload(watcher), 1);
    cmr_snapshot_release(held);
    PUBLISH(mount, FILE_TEXT("key", "5"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "key"), "5");
    cmr_watcher_destroy(watcher);
}

TEST("who asked for a reload hears of a source that is bad without waiting for holders")
{
    const char *good = make_directory(text("%s/good", test_directory()));
    const char *bad = make_directory(text("%s/bad", test_directory()));
    cmr_error error = CMR_ERROR_INIT;
    write_text(text("%s/key", good), "1");
    write_text(text("%s/bad.json", bad), "1");
    cmr_watcher *watcher = new_watcher(good);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, bad, NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_DRAIN_MS, 3600 * 1000));
    /* So that one attempt, the reload's, finds both. */
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 60 * 1000));
    start(watcher);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    write_text(text("%s/key", good), "2");
    write_text(text("%s/bad.json", bad), "?");
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_PARSE);
    CHECK_TEXT(error.key, "bad.json");
    CHECK_TEXT(current_text(watcher, "key"), "1");
    /* What is good still waits, and comes. */
    cmr_snapshot_release(held);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "key"), "2");
    cmr_watcher_destroy(watcher);
}

TEST("a rollback does not wait for holders, and drops what waits for them")
{
    const char *mount = new_mount("mount");
    uint64_t version = 0;
    cmr_watcher *watcher = started(mount, CMR_OPTION_DRAIN_MS, 3600 * 1000);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_waiting(watcher);
    CHECK_OK(cmr_watcher_rollback(watcher, 1, &version, NULL));
    CHECK_INT(version, 3);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    /* What waited was left with the rest. */
    cmr_snapshot_release(held);
    CHECK_INT(reload(watcher), 3);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_watcher_destroy(watcher);
}

/* ---- Rules that change while a version waits ---- */

static const char small[] = "{\"properties\": {\"x\": {\"maximum\": 5}}}";

static cmr_status want_small(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    int64_t x = 0;
    (void)context, (void)error;
    return cmr_snapshot_int64(candidate, "a.json#/x", &x) == CMR_OK && x > 5 ? CMR_E_REJECTED
                                                                             : CMR_OK;
}

static cmr_status set_small_schema(cmr_watcher *watcher)
{
    return cmr_watcher_set_schema(watcher, "a.json", small, strlen(small), NULL);
}

static cmr_status set_small_validator(cmr_watcher *watcher)
{
    return cmr_watcher_set_validator(watcher, want_small, NULL);
}

static cmr_status (*const set_rule[])(cmr_watcher *) = {set_small_schema, set_small_validator};

/* A watcher whose version 1 has an x of 1 and is held. */
static cmr_watcher *started_with_x(const char *mount, int64_t drain_ms, const cmr_snapshot **held)
{
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_DRAIN_MS, drain_ms));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 1}"));
    start(watcher);
    *held = cmr_watcher_acquire(watcher);
    return watcher;
}

TEST("what waits is judged by a rule that comes meanwhile, and is not published against it")
{
    for (size_t rule = 0; rule < sizeof set_rule / sizeof *set_rule; rule++) {
        const char *mount = new_mount(text("mount-%zu", rule));
        const cmr_snapshot *held = NULL;
        cmr_stats stats = CMR_STATS_INIT;
        about("rule %zu", rule);
        cmr_watcher *watcher = started_with_x(mount, 3600 * 1000, &held);
        PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 9}"));
        await_waiting(watcher);
        CHECK_OK(set_rule[rule](watcher));
        EVENTUALLY(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.reloads_rejected == 1);
        CHECK_INT(stats.healthy, 0);
        cmr_snapshot_release(held);
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
        CHECK_INT(cmr_watcher_version(watcher), 1);
        PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 5}"));
        await_version(watcher, 2);
                cmr_watcher_destroy(watcher);
    }
}

struct reloading {
    cmr_watcher *watcher;
    int thread;
    cmr_status status;
    uint64_t version;
};
static void *reload_on_thread(void *context)
{
    struct reloading *reloading = context;
    __atomic_store_n(&reloading->thread, gettid(), __ATOMIC_SEQ_CST);
    reloading->status =
        cmr_watcher_reload(reloading->watcher, patience_ms(), &reloading->version, NULL);
    return NULL;
}

static void begin_reload(struct reloading *reloading, cmr_watcher *watcher, pthread_t *thread)
{
    *reloading = (struct reloading){.watcher = watcher};
    REQUIRE(pthread_create(thread, NULL, reload_on_thread, reloading) == 0);
    EVENTUALLY(__atomic_load_n(&reloading->thread, __ATOMIC_SEQ_CST) != 0);
    EVENTUALLY(thread_sleeps(reloading->thread));
}

TEST("who waits for what waits hears what a new rule makes of it")
{
    for (size_t rule = 0; rule < sizeof set_rule / sizeof *set_rule; rule++) {
        const char *mount = new_mount(text("mount-%zu", rule));
        const cmr_snapshot *held = NULL;
        struct reloading reloading;
        pthread_t thread;
        about("rule %zu", rule);
        cmr_watcher *watcher = started_with_x(mount, 3600 * 1000, &held);
        PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 9}"));
        begin_reload(&reloading, watcher, &thread);
        CHECK_OK(set_rule[rule](watcher));
        pthread_join(thread, NULL);
        CHECK_INT(reloading.status, CMR_E_REJECTED);

        /* What the rule allows goes on waiting, and so does who asked for it. */
        PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 5}"));
        begin_reload(&reloading, watcher, &thread);
        CHECK_OK(set_rule[rule](watcher));
        CHECK_STATUS(cmr_watcher_reload(watcher, 50, NULL, NULL), CMR_E_TIMEOUT);
        CHECK_INT(cmr_watcher_version(watcher), 1);
        cmr_snapshot_release(held);
        pthread_join(thread, NULL);
        CHECK_INT(reloading.status, CMR_OK);
        CHECK_INT(reloading.version, 2);
        cmr_watcher_destroy(watcher);
    }
}

TEST("rules that change do not prolong the wait")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *held = NULL;
    cmr_watcher *watcher = started_with_x(mount, 300, &held);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 2}"));
    EVENTUALLY(set_small_schema(watcher) == CMR_OK && cmr_watcher_version(watcher) == 2);
    cmr_snapshot_release(held);
    cmr_watcher_destroy(watcher);
}

TEST("a format that is set is that of what waits, too, whatever source it is of")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *held = NULL;
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_DRAIN_MS, 3600 * 1000));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "default.conf", "a: one", 6, NULL));
    PUBLISH(mount, FILE_TEXT("app.conf", "a: one"));
    recorder_init(&recorder);
    start(watcher);
    held = cmr_watcher_acquire(watcher);
    record(watcher, &recorder);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: two"));
    await_waiting(watcher);
    CHECK_OK(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, NULL));
    CHECK_OK(cmr_watcher_set_format(watcher, "default.conf", CMR_FORMAT_YAML, NULL));
    CHECK_OK(cmr_watcher_set_validator(watcher, NULL, NULL));
    CHECK_STATUS(cmr_watcher_reload(watcher, 50, NULL, NULL), CMR_E_TIMEOUT);
    CHECK_TEXT(current_text(watcher, "app.conf"), "a: one");
    cmr_snapshot_release(held);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "two");
    CHECK_TEXT(current_text(watcher, "default.conf#/a"), "one");
    CHECK_INT(event_at(&recorder, 0)->cause, CMR_CAUSE_RELOAD);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("what waits is judged again, too, where nothing but its format is new")
{
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_DRAIN_MS, 3600 * 1000));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "app.conf", "a: one", 6, NULL));
    start(watcher);
    const cmr_snapshot *held = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, NULL));
    CHECK_OK(cmr_watcher_set_validator(watcher, NULL, NULL));
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_snapshot_release(held);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "one");
    cmr_watcher_destroy(watcher);
}

/* A request that holds its snapshot: eight of them, over many versions. */
struct request {
    cmr_watcher *watcher;
    int *stop;
};
static void *serve(void *context)
{
    struct request *request = context;
    while (!__atomic_load_n(request->stop, __ATOMIC_RELAXED)) {
        const cmr_snapshot *snapshot = cmr_watcher_acquire(request->watcher);
        int64_t before = 0, after = 0;
        CHECK_OK(cmr_snapshot_int64(snapshot, "key", &before));
        uint64_t version = cmr_snapshot_version(snapshot);
        for (int look = 0; look < 100; look++)
            CHECK_OK(cmr_snapshot_int64(snapshot, "key", &after));
        CHECK_INT(after, before);
        CHECK_INT(cmr_snapshot_version(snapshot), version);
        cmr_snapshot_release(snapshot);
    }
    return NULL;
}

TEST("thousands of versions and rollbacks under readers: each request sees one version, none leaks")
{
    const char *mount = new_mount("mount");
    enum { READERS = 8 };
    pthread_t threads[READERS];
    int stop = 0;
    cmr_watcher *watcher = started(mount, 0, 0);
    struct request request = {.watcher = watcher, .stop = &stop};
    for (int index = 0; index < READERS; index++)
        REQUIRE(pthread_create(&threads[index], NULL, serve, &request) == 0);
    for (int round = 0; round < rounds(1000, 100); round++) {
        const char *value = text("%d", round + 2);
        PUBLISH(mount, {"key", value, strlen(value), 0, 0});
        uint64_t version = reload(watcher), back = 0;
        CHECK_OK(cmr_watcher_rollback(watcher, 0, &back, NULL));
        CHECK(back > version);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int index = 0; index < READERS; index++) pthread_join(threads[index], NULL);
    size_t held = 99;
    CHECK_OK(cmr_watcher_drain(watcher, UINT64_MAX, patience_ms(), &held));
    cmr_stats stats = CMR_STATS_INIT;
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.held_snapshots, 0);
    cmr_watcher_destroy(watcher);
}
