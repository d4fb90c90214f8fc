/* The states of a watcher: what is legal in created, started and stopped, and how each ends. */
#include "abitest.h"

static void ignore(void *context, const cmr_event *event) { (void)context, (void)event; }
static void count_call(void *context) { ++*(int *)context; }

/* ---- Every function in every state ---- */

enum state { CREATED, STARTED, STOPPED };

static cmr_watcher *watcher_in(enum state state, uint64_t *subscription)
{
    static int number;
    const char *mount = new_mount(text("mount%d", number++));
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, subscription, NULL));
    if (state >= STARTED) start(watcher);
    if (state == STOPPED) REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    return watcher;
}

static uint64_t existing;
static int closed_calls;

static cmr_status set_name(cmr_watcher *watcher)
{
    return cmr_watcher_set_name(watcher, "n", NULL);
}
static cmr_status set_option(cmr_watcher *watcher)
{
    return cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 1);
}
static cmr_status add_mount(cmr_watcher *watcher)
{
    return cmr_watcher_add_mount(watcher, "/tmp", NULL);
}
static cmr_status add_file(cmr_watcher *watcher)
{
    return cmr_watcher_add_file(watcher, "/tmp/f", NULL);
}
static cmr_status add_environment(cmr_watcher *watcher)
{
    return cmr_watcher_add_environment(watcher, "APP_", NULL);
}
static cmr_status add_default(cmr_watcher *watcher)
{
    return cmr_watcher_add_default(watcher, "key", "value", 5, NULL);
}
static cmr_status set_closed(cmr_watcher *watcher)
{
    return cmr_watcher_set_closed(watcher, count_call, &closed_calls);
}
static cmr_status subscribe(cmr_watcher *watcher)
{
    return cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, NULL, NULL);
}
static cmr_status unsubscribe(cmr_watcher *watcher)
{
    return cmr_watcher_unsubscribe(watcher, existing);
}
static cmr_status unsubscribe_unknown(cmr_watcher *watcher)
{
    return cmr_watcher_unsubscribe(watcher, 999999);
}
static cmr_status event_fd(cmr_watcher *watcher)
{
    return cmr_watcher_event_fd(watcher) >= 0 ? CMR_OK : CMR_E_IO;
}
static cmr_status dispatch(cmr_watcher *watcher) { return cmr_watcher_dispatch(watcher, NULL); }
static cmr_status do_reload(cmr_watcher *watcher)
{
    return cmr_watcher_reload(watcher, patience_ms(), NULL, NULL);
}
static cmr_status request_reload(cmr_watcher *watcher)
{
    return cmr_watcher_request_reload(watcher), CMR_OK;
}
static cmr_status wait_now(cmr_watcher *watcher) { return cmr_watcher_wait(watcher, 0, 0, NULL); }
static cmr_status stats(cmr_watcher *watcher)
{
    cmr_stats stats = CMR_STATS_INIT;
    return cmr_watcher_stats(watcher, &stats);
}
static cmr_status metrics(cmr_watcher *watcher)
{
    char buffer[8192];
    size_t size;
    return cmr_watcher_metrics(watcher, buffer, sizeof buffer, &size);
}
static cmr_status create_reader(cmr_watcher *watcher)
{
    cmr_reader *reader = NULL;
    cmr_status status = cmr_reader_create(watcher, &reader);
    cmr_reader_destroy(reader);
    return status;
}
static cmr_status bind_cell(cmr_watcher *watcher)
{
    const cmr_cell *cell = NULL;
    return cmr_watcher_bind_bool(watcher, "level", false, &cell);
}
static cmr_status do_start(cmr_watcher *watcher) { return cmr_watcher_start(watcher, NULL); }
static cmr_status stop(cmr_watcher *watcher) { return cmr_watcher_stop(watcher, patience_ms()); }
static cmr_status read_version(cmr_watcher *watcher)
{
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    bool agree = cmr_snapshot_version(snapshot) == cmr_watcher_version(watcher)
              && cmr_watcher_version(watcher)
                     == cmr_version_load(cmr_watcher_version_word(watcher));
    bool there = snapshot != NULL;
    cmr_snapshot_release(snapshot);
    return !agree ? CMR_E_IO : there ? CMR_OK : CMR_E_NOT_FOUND;
}

static const struct {
    const char *name;
    cmr_status (*call)(cmr_watcher *);
    cmr_status in[3];
} table[] = {
    {"set_name", set_name, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"set_option", set_option, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"add_mount", add_mount, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"add_file", add_file, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"add_environment", add_environment, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"add_default", add_default, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"set_closed", set_closed, {CMR_OK, CMR_OK, CMR_E_STATE}},
    {"start", do_start, {CMR_OK, CMR_E_STATE, CMR_E_STATE}},
    {"stop", stop, {CMR_OK, CMR_OK, CMR_E_STATE}},
    {"acquire and version", read_version, {CMR_E_NOT_FOUND, CMR_OK, CMR_OK}},
    {"subscribe", subscribe, {CMR_OK, CMR_OK, CMR_E_STATE}},
    {"unsubscribe", unsubscribe, {CMR_OK, CMR_OK, CMR_OK}},
    {"unsubscribe an unknown id", unsubscribe_unknown, {CMR_E_NOT_FOUND, CMR_E_NOT_FOUND,
                                                        CMR_E_NOT_FOUND}},
    {"event_fd", event_fd, {CMR_OK, CMR_OK, CMR_OK}},
    {"dispatch", dispatch, {CMR_E_STATE, CMR_OK, CMR_E_STATE}},
    {"reload", do_reload, {CMR_E_STATE, CMR_OK, CMR_E_STATE}},
    {"request_reload", request_reload, {CMR_OK, CMR_OK, CMR_OK}},
    {"wait", wait_now, {CMR_E_TIMEOUT, CMR_OK, CMR_E_STATE}},
    {"stats", stats, {CMR_OK, CMR_OK, CMR_OK}},
    {"metrics", metrics, {CMR_OK, CMR_OK, CMR_OK}},
    {"reader_create", create_reader, {CMR_OK, CMR_OK, CMR_OK}},
    {"bind", bind_cell, {CMR_OK, CMR_OK, CMR_E_STATE}},
};

TEST("every function answers in every state as the table of states says")
{
    for (size_t row = 0; row < sizeof table / sizeof *table; row++) {
        for (int state = CREATED; state <= STOPPED; state++) {
            cmr_watcher *watcher = watcher_in((enum state)state, &existing);
            about("%s in state %d", table[row].name, state);
            CHECK_STATUS(table[row].call(watcher), table[row].in[state]);
            cmr_watcher_destroy(watcher);
        }
    }
}

TEST("what is refused in a state changes nothing")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    watcher = new_watcher(mount);
    start(watcher);
    CHECK_STATUS(cmr_watcher_add_default(watcher, "late", "x", 1, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_STATE);
    CHECK_INT(reload(watcher), 1);
    CHECK_TEXT(current_text(watcher, "late"), "<CMR_E_NOT_FOUND>");
    CHECK_TEXT(current_text(watcher, "level"), "info");
    cmr_watcher_destroy(watcher);
}

/* ---- Start ---- */

TEST("a watcher without sources starts with an empty version 1")
{
    cmr_watcher *watcher = new_watcher(NULL);
    const cmr_snapshot *snapshot;
    char *json = NULL;
    start(watcher);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    snapshot = cmr_watcher_acquire(watcher);
    REQUIRE(snapshot != NULL);
    CHECK_INT(cmr_snapshot_count(snapshot), 0);
    CHECK_OK(cmr_snapshot_json(snapshot, "", &json, NULL));
    CHECK_TEXT(json, "{}");
    CHECK_TEXT(cmr_snapshot_generation(snapshot), "");
    CHECK_INT(strlen(cmr_snapshot_checksum(snapshot)), 32);
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("a start that fails leaves the watcher created, tells nobody, and can be tried again")
{
    const char *mount = text("%s/later", test_directory());
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    recorder_init(&recorder);
    record(watcher, &recorder);
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_IO);
    CHECK_INT(error.os_errno, ENOENT);
    CHECK_TEXT(error.key, mount);
    CHECK_INT(cmr_watcher_version(watcher), 0);
    CHECK(cmr_watcher_acquire(watcher) == NULL);

    make_directory(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"open\": "));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_PARSE);
    CHECK_TEXT(error.key, "a.json");
    CHECK_INT(recorder.count, 0);
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_LENIENT, 0));
    CHECK_OK(cmr_watcher_add_default(watcher, "added", "between", 7, NULL));

    PUBLISH(mount, FILE_TEXT("a.json", "{\"open\": true}"));
    start(watcher);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    CHECK_TEXT(current_text(watcher, "added"), "between");
    CHECK_INT(recorder.count, 1);
    CHECK_INT(event_at(&recorder, 0)->cause, CMR_CAUSE_START);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a mount that is missing at start is empty when it is optional, and is found when it appears")
{
    const char *mount = text("%s/later", test_directory());
    cmr_watcher *watcher = new_watcher(NULL);
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_OPTIONAL, 1));
    CHECK_OK(cmr_watcher_add_mount(watcher, mount, NULL));
    start(watcher);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    make_directory(mount);
    PUBLISH(mount, FILE_TEXT("level", "info"));
    await_version(watcher, 2);
    EVENTUALLY(strcmp(current_text(watcher, "level"), "info") == 0);
    cmr_watcher_destroy(watcher);
}

TEST("a mount that is empty at start has no keys, and gets them when they come")
{
    const char *mount = new_mount("mount"), *plain = new_mount("plain");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_stats stats = CMR_STATS_INIT;
    publish(mount, NULL, 0);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, plain, NULL));
    start(watcher);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 1);
    CHECK_INT(stats.version, 1);
    PUBLISH(mount, FILE_TEXT("level", "info"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "level"), "info");
    write_text(text("%s/key", plain), "1");
    await_version(watcher, 3);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_watcher_destroy(watcher);
}

TEST("optional counts for the sources that are added after it, not for those before")
{
    cmr_watcher *watcher = new_watcher(text("%s/absent", test_directory()));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_OPTIONAL, 1));
    CHECK_OK(cmr_watcher_add_mount(watcher, text("%s/absent-too", test_directory()), NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_IO);
    cmr_watcher_destroy(watcher);
}

TEST("a relative path is taken from the working directory at the time it was added")
{
    cmr_watcher *watcher;
    PUBLISH(new_mount("mount"), FILE_TEXT("level", "info"));
    REQUIRE(chdir(test_directory()) == 0);
    watcher = new_watcher("mount");
    CHECK_OK(cmr_watcher_add_file(watcher, "mount/level", NULL));
    REQUIRE(chdir("/") == 0);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "level"), "info");
    cmr_watcher_destroy(watcher);
}

/* ---- Arguments ---- */

/* In milliseconds, each year taken for a leap year. */
#define HUNDRED_YEARS (100LL * 366 * 86400000)

TEST("a relative path is refused where the working directory is gone")
{
    cmr_watcher *watcher = NULL;
    cmr_error error = CMR_ERROR_INIT;
    const char *gone = make_directory(text("%s/gone", test_directory()));
    REQUIRE(chdir(gone) == 0 && rmdir(gone) == 0);
    REQUIRE_OK(cmr_watcher_create(&watcher));
    CHECK_STATUS(cmr_watcher_add_mount(watcher, "mount", &error), CMR_E_IO);
    CHECK_INT(error.os_errno, ENOENT);
    CHECK_STATUS(cmr_watcher_add_file(watcher, "file", &error), CMR_E_IO);
    cmr_watcher_destroy(watcher);
}

TEST("options take what they document and refuse the rest")
{
    static const struct { int32_t option; int64_t least, most; } options[] = {
        {CMR_OPTION_SETTLE_MS, 0, HUNDRED_YEARS}, {CMR_OPTION_RESCAN_MS, 0, HUNDRED_YEARS},
        {CMR_OPTION_POLL_MS, 1, HUNDRED_YEARS}, {CMR_OPTION_OPTIONAL, 0, 1},
        {CMR_OPTION_DISPATCH, CMR_DISPATCH_THREAD, CMR_DISPATCH_MANUAL},
        {CMR_OPTION_HISTORY, 0, 1000}, {CMR_OPTION_DRAIN_MS, 0, HUNDRED_YEARS},
        {CMR_OPTION_CONFIRM_MS, 0, HUNDRED_YEARS}, {CMR_OPTION_SNIFF_JSON, 0, 1},
        {CMR_OPTION_LENIENT, 0, 1},
        {CMR_OPTION_MAX_VALUE_BYTES, 1, 1 << 30}, {CMR_OPTION_MAX_TOTAL_BYTES, 1, 1LL << 46},
        {CMR_OPTION_MAX_KEYS, 1, 1LL << 46}, {CMR_OPTION_MAX_DEPTH, 1, 1024},
        {CMR_OPTION_SENSITIVE, 0, 1},
    };
    static const int32_t unknown[] = {0, -1, 18, 1000, INT32_MIN, INT32_MAX};
    cmr_watcher *watcher = new_watcher(NULL);
    for (size_t index = 0; index < sizeof options / sizeof *options; index++) {
        int32_t option = options[index].option;
        int64_t least = options[index].least, most = options[index].most;
        about("option %d", option);
        CHECK_OK(cmr_watcher_set_option(watcher, option, least));
        CHECK_OK(cmr_watcher_set_option(watcher, option, most));
        CHECK_STATUS(cmr_watcher_set_option(watcher, option, least - 1), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_set_option(watcher, option, most + 1), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_set_option(watcher, option, INT64_MIN), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_set_option(watcher, option, INT64_MAX), CMR_E_INVALID_ARGUMENT);
    }
    for (size_t index = 0; index < sizeof unknown / sizeof *unknown; index++)
        CHECK_STATUS(cmr_watcher_set_option(watcher, unknown[index], 1), CMR_E_INVALID_ARGUMENT);
    cmr_watcher_destroy(watcher);
}

TEST("the longest times that options and timeouts take are no reason to trap or to hang")
{
    const char *mount = new_mount("mount"), *plain = new_mount("plain");
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    watcher = new_watcher(mount);
    CHECK_OK(cmr_watcher_add_mount(watcher, plain, NULL));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, HUNDRED_YEARS));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, HUNDRED_YEARS));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, HUNDRED_YEARS));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_TOTAL_BYTES, 1LL << 46));
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_KEYS, 1LL << 46));
    start(watcher);
    write_text(text("%s/key", plain), "never settles");
    CHECK_OK(cmr_watcher_wait(watcher, 0, INT64_MAX, NULL));
    CHECK_OK(cmr_watcher_wait(watcher, 0, INT64_MIN, NULL));
    CHECK_OK(cmr_watcher_reload(watcher, INT64_MAX, NULL, NULL));
    PUBLISH(mount, FILE_TEXT("level", "debug"));
    EVENTUALLY(strcmp(current_text(watcher, "level"), "debug") == 0);
    CHECK_OK(cmr_watcher_stop(watcher, INT64_MAX));
    cmr_watcher_destroy(watcher);
}

TEST("names, paths, prefixes and keys that cannot be are refused with a status and a sentence")
{
    static char long_text[5000];
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_error error = CMR_ERROR_INIT;
    memset(long_text, 'x', sizeof long_text - 1);
    CHECK_STATUS(cmr_watcher_set_name(watcher, long_text, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_set_name(watcher, "\xff", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_mount(watcher, "", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_mount(watcher, long_text, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_add_file(watcher, "", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_file(watcher, "/tmp/", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_file(watcher, "/tmp/..", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_file(watcher, long_text, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_add_environment(watcher, "\xc3(", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_environment(watcher, long_text, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_add_default(watcher, "", "x", 1, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_default(watcher, "\xe2\x82", "x", 1, &error),
                 CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_default(watcher, long_text, "x", 1, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_add_default(watcher, "k", "x", SIZE_MAX, &error), CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, "", 0, ignore, NULL, NULL, &error),
                 CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, "\xff", 0, ignore, NULL, NULL, &error),
                 CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, "[a", 0, ignore, NULL, NULL, &error),
                 CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, long_text, 0, ignore, NULL, NULL, &error),
                 CMR_E_LIMIT);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, NULL, 0x80000000u, ignore, NULL, NULL, &error),
                 CMR_E_INVALID_ARGUMENT);
    CHECK(error.message[0] != '\0');
    CHECK_STATUS(cmr_set_log_handler((cmr_log_fn)NULL, NULL, 0), CMR_OK);
    start(watcher);
    cmr_watcher_destroy(watcher);
}

/* ---- Stop and destroy ---- */

TEST("reading goes on after stop, and what was acquired outlives destroy")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher;
    const cmr_snapshot *snapshot;
    const uint64_t *word;
    const char *found = NULL;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    watcher = new_watcher(mount);
    start(watcher);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    PUBLISH(mount, FILE_TEXT("level", "debug"));
    CHECK_TEXT(current_text(watcher, "level"), "info");
    snapshot = cmr_watcher_acquire(watcher);
    word = cmr_watcher_version_word(watcher);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_snapshot_string(snapshot, "level", &found, NULL));
    CHECK_TEXT(found, "info");
    CHECK_INT(cmr_version_load(word), 1);
    cmr_snapshot_release(snapshot);
}

static struct gate entered = GATE_INIT, released = GATE_INIT;

static void block(void *context, const cmr_event *event)
{
    (void)context;
    if (event->cause == CMR_CAUSE_START) return;
    gate_open(&entered);
    gate_wait(&released, 1);
}

static cmr_watcher *watcher_in_a_callback(void)
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, block, NULL, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("level", "debug"));
    REQUIRE(gate_wait(&entered, 1));
    return watcher;
}

TEST("a callback that runs makes stop time out, and stop again waits for it")
{
    cmr_watcher *watcher = watcher_in_a_callback();
    CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_TIMEOUT);
    CHECK_STATUS(cmr_watcher_stop(watcher, 20), CMR_E_TIMEOUT);
    CHECK_STATUS(cmr_watcher_reload(watcher, 0, NULL, NULL), CMR_E_STATE);
    gate_open(&released);
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
}

/* Lets the callback go once the main thread waits for it. */
static void *open_released(void *context)
{
    EVENTUALLY(thread_sleeps(*(int *)context));
    gate_open(&released);
    return NULL;
}

static void note_closed(void *context) { gate_open(context); }

TEST("destroy waits for a callback that runs, then closed is called, once")
{
    static struct gate closed = GATE_INIT;
    cmr_watcher *watcher = watcher_in_a_callback();
    int main_thread = (int)gettid();
    pthread_t thread;
    REQUIRE_OK(cmr_watcher_set_closed(watcher, note_closed, &closed));
    REQUIRE(pthread_create(&thread, NULL, open_released, &main_thread) == 0);
    cmr_watcher_destroy(watcher);
    CHECK_INT(released.opened, 1);
    CHECK_INT(closed.opened, 1);
    pthread_join(thread, NULL);
}

TEST("closed is called once for a watcher in any state, before destroy returns")
{
    for (int state = CREATED; state <= STOPPED; state++) {
        int calls = 0, replaced = 0;
        cmr_watcher *watcher = watcher_in((enum state)state, &existing);
        cmr_status expected = state == STOPPED ? CMR_E_STATE : CMR_OK;
        CHECK_STATUS(cmr_watcher_set_closed(watcher, count_call, &replaced), expected);
        CHECK_STATUS(cmr_watcher_set_closed(watcher, count_call, &calls), expected);
        cmr_watcher_destroy(watcher);
        CHECK_INT(replaced, 0);
        CHECK_INT(calls, state == STOPPED ? 0 : 1);
    }
}

/* ---- Those who wait ---- */

struct waiting {
    cmr_watcher *watcher;
    uint64_t after, version;
    _Atomic int thread;
    cmr_status status;
};

static void *wait_for_version(void *context)
{
    struct waiting *waiting = context;
    waiting->thread = (int)gettid();
    waiting->status = cmr_watcher_wait(waiting->watcher, waiting->after, -1, &waiting->version);
    return NULL;
}

static void check_waiter_is_told(bool destroy)
{
    uint64_t subscription;
    struct waiting waiting = {.watcher = watcher_in(STARTED, &subscription), .after = 98,
                              .status = -1};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, wait_for_version, &waiting) == 0);
    EVENTUALLY(waiting.thread != 0);
    EVENTUALLY(thread_sleeps(waiting.thread));
    if (destroy) cmr_watcher_destroy(waiting.watcher);
    else REQUIRE_OK(cmr_watcher_stop(waiting.watcher, patience_ms()));
    pthread_join(thread, NULL);
    CHECK_STATUS(waiting.status, CMR_E_STATE);
    if (!destroy) cmr_watcher_destroy(waiting.watcher);
}

TEST("who waits for a version is told that the watcher was stopped")
{
    check_waiter_is_told(false);
}

TEST("who waits for a version is told that the watcher was destroyed")
{
    check_waiter_is_told(true);
}

TEST("a wait that began before start is answered by version 1")
{
    const char *mount = new_mount("mount");
    struct waiting waiting = {.after = 0, .status = -1};
    pthread_t thread;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    waiting.watcher = new_watcher(mount);
    CHECK_STATUS(cmr_watcher_wait(waiting.watcher, 0, 5, NULL), CMR_E_TIMEOUT);
    REQUIRE(pthread_create(&thread, NULL, wait_for_version, &waiting) == 0);
    EVENTUALLY(waiting.thread != 0);
    EVENTUALLY(thread_sleeps(waiting.thread));
    start(waiting.watcher);
    pthread_join(thread, NULL);
    CHECK_OK(waiting.status);
    CHECK_INT(waiting.version, 1);
    cmr_watcher_destroy(waiting.watcher);
}

TEST("a thousand watchers come and go and leave no descriptor, no thread behind")
{
    const char *mount = new_mount("mount");
    size_t descriptors = 0, threads = 0;
    PUBLISH(mount, FILE_TEXT("level", "info"), FILE_TEXT("a.json", "{\"a\": [1, 2, 3]}"));
    for (int round = 0; round < 1000; round++) {
        cmr_watcher *watcher = new_watcher(mount);
        REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, round & 1, ignore, NULL, NULL, NULL));
        start(watcher);
        if (round & 2) CHECK(cmr_watcher_event_fd(watcher) >= 0);
        if (round & 4) REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
        cmr_watcher_destroy(watcher);
        if (round == 9) {
            descriptors = count_descriptors();
            threads = count_threads();
        }
    }
    /* A thread that comes from a callback may still be about to close what it read; and the kernel
     * lists one for a moment after its end. */
    EVENTUALLY(count_descriptors() <= descriptors);
    EVENTUALLY(count_threads() <= threads);
}
