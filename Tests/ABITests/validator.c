/* The application's veto: what it sees, what it decides, and whom it delays. */
#include "abitest.h"

/* A validator that rejects a port of 0, and notes what it was shown. */
struct veto {
    int calls, running;
    bool overlapped;
    uint64_t version;
    const cmr_snapshot *kept; /* the newest candidate, retained when `keeps` */
    bool keeps;
};

static cmr_status judge(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    struct veto *veto = context;
    int64_t port = -1;
    if (__atomic_fetch_add(&veto->running, 1, __ATOMIC_SEQ_CST) > 0) veto->overlapped = true;
    veto->version = cmr_snapshot_version(candidate);
    if (veto->keeps) {
        cmr_snapshot_release(veto->kept);
        veto->kept = cmr_snapshot_retain(candidate);
    }
    cmr_status status = CMR_OK;
    if (cmr_snapshot_int64(candidate, "port", &port) == CMR_OK && port == 0) {
        snprintf(error->key, sizeof error->key, "port");
        snprintf(error->message, sizeof error->message, "a port is not zero");
        error->line = 7, error->column = 9;
        status = CMR_E_RANGE;
    }
    __atomic_fetch_add(&veto->calls, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&veto->running, 1, __ATOMIC_SEQ_CST);
    return status;
}

TEST("a candidate that the validator rejects is not published, and the event says what it wrote")
{
    const char *mount = new_mount("mount");
    struct veto veto = {0};
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("port", "80"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    start(watcher);
    CHECK_INT(veto.calls, 1);
    CHECK_INT(veto.version, 0);

    PUBLISH(mount, FILE_TEXT("port", "0"));
    struct heard *heard = event_at(&recorder, 1);
    CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
    CHECK_INT(heard->version, 1);
    CHECK_INT(heard->error.status, CMR_E_REJECTED);
    CHECK_TEXT(heard->error.stage, "validate");
    CHECK_TEXT(heard->error.key, "port");
    CHECK_TEXT(heard->error.message, "a port is not zero");
    CHECK_INT(heard->error.line, 7);
    CHECK_INT(heard->error.column, 9);
    CHECK_TEXT(current_text(watcher, "port"), "80");
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 0);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.message, "a port is not zero");

    PUBLISH(mount, FILE_TEXT("port", "80"));
    CHECK_INT(reload(watcher), 1);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 1);
    PUBLISH(mount, FILE_TEXT("port", "81"));
    CHECK_INT(event_at(&recorder, 2)->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(event_at(&recorder, 2)->version, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("content that a validator rejected is shown to it once, not at every look")
{
    const char *mount = new_mount("mount");
    struct veto veto = {0};
    struct recorder recorder;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("port", "80"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 20));
    recorder_init(&recorder);
    record(watcher, &recorder);
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("port", "0"));
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    await_rescans(watcher, 3);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(veto.calls, 2);
    CHECK_INT(stats.reloads_rejected, 1);
    /* Who asks for a reload asks the validator too: it may have changed its mind. */
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    CHECK_INT(veto.calls, 3);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a start that the validator rejects fails, tells nobody, and may be tried again")
{
    const char *mount = new_mount("mount");
    struct veto veto = {0};
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("port", "0"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "port");
    CHECK_INT(cmr_watcher_version(watcher), 0);
    PUBLISH(mount, FILE_TEXT("port", "80"));
    start(watcher);
    CHECK_INT(event_at(&recorder, 0)->version, 1);
    CHECK_INT(recorder.count, 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a start says what is wrong with a source, and shows nobody what there is without it")
{
    static const char schema[] = "{\"required\": [\"a.json\"]}";
    const char *bad = new_mount("bad"), *good = new_mount("good");
    struct veto veto = {0};
    PUBLISH(bad, FILE_TEXT("a.json", "{"));
    PUBLISH(good, FILE_TEXT("port", "1"));
    cmr_watcher *watcher = new_watcher(bad);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, good, NULL));
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "", schema, strlen(schema), NULL));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_PARSE);
    CHECK_INT(veto.calls, 0);
    PUBLISH(bad, FILE_TEXT("a.json", "{}"));
    start(watcher);
    CHECK_INT(veto.calls, 1);
    cmr_watcher_destroy(watcher);
}

TEST("the candidate is the snapshot that is published, and a rejected one that is held stays")
{
    const char *mount = new_mount("mount");
    struct veto veto = {.keeps = true};
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("port", "80"));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    start(watcher);
    const cmr_snapshot *now = cmr_watcher_acquire(watcher);
    CHECK(now == veto.kept);
    CHECK_INT(cmr_snapshot_version(now), 1);
    cmr_snapshot_release(now);
    PUBLISH(mount, FILE_TEXT("port", "0"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    int64_t port = -1;
    CHECK_OK(cmr_snapshot_int64(veto.kept, "port", &port));
    CHECK_INT(port, 0);
    CHECK_INT(cmr_snapshot_version(veto.kept), 0);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_snapshot_int64(veto.kept, "port", &port));
    cmr_snapshot_release(veto.kept);
}

TEST("a validator that the current version does not pass is not set on a started watcher")
{
    const char *mount = new_mount("mount");
    struct veto veto = {0};
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("port", "0"));
    start(watcher);
    CHECK_STATUS(cmr_watcher_set_validator(watcher, judge, &veto), CMR_E_REJECTED);
    CHECK_INT(veto.version, 1);
    PUBLISH(mount, FILE_TEXT("port", "0"), FILE_TEXT("more", "1"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(veto.calls, 1);
    PUBLISH(mount, FILE_TEXT("port", "80"));
    CHECK_INT(reload(watcher), 3);
    CHECK_OK(cmr_watcher_set_validator(watcher, judge, &veto));
    PUBLISH(mount, FILE_TEXT("port", "0"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    /* Without it what was held back is taken. */
    CHECK_OK(cmr_watcher_set_validator(watcher, NULL, NULL));
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "port"), "0");
    cmr_watcher_destroy(watcher);
}

/* Waits in the gate when the mount says so. */
struct slow {
    struct gate entered, leave;
};
static cmr_status judge_slowly(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    struct slow *slow = context;
    const char *mode = "";
    (void)error;
    if (cmr_snapshot_string(candidate, "mode", &mode, NULL) == CMR_OK && !strcmp(mode, "slow")) {
        gate_open(&slow->entered);
        gate_wait(&slow->leave, 1);
    }
    return CMR_OK;
}

TEST("a validator that takes its time delays neither readers nor another watcher")
{
    const char *mount = new_mount("mount"), *other = new_mount("other");
    struct slow slow = {GATE_INIT, GATE_INIT};
    cmr_watcher *watcher = new_watcher(mount), *neighbour = new_watcher(other);
    PUBLISH(mount, FILE_TEXT("mode", "fast"));
    PUBLISH(other, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge_slowly, &slow));
    start(watcher);
    start(neighbour);
    PUBLISH(mount, FILE_TEXT("mode", "slow"));
    REQUIRE(gate_wait(&slow.entered, 1));
    for (uint64_t version = 2; version < 10; version++) {
        const char *number = text("%d", (int)version);
        PUBLISH(other, {"key", number, strlen(number), 0, 0});
        await_version(neighbour, version);
    }
    CHECK_TEXT(current_text(watcher, "mode"), "fast");
    /* While it runs, its watcher can be stopped only in time. */
    CHECK_STATUS(cmr_watcher_reload(watcher, 20, NULL, NULL), CMR_E_TIMEOUT);
    gate_open(&slow.leave);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "mode"), "slow");
    cmr_watcher_destroy(watcher);
    cmr_watcher_destroy(neighbour);
}

TEST("a rollback does not wait for a validator, whose candidate then does not count")
{
    const char *mount = new_mount("mount");
    struct slow slow = {GATE_INIT, GATE_INIT};
    uint64_t version = 0;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("mode", "one"));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, judge_slowly, &slow));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("mode", "two"));
    await_version(watcher, 2);
    PUBLISH(mount, FILE_TEXT("mode", "slow"));
    REQUIRE(gate_wait(&slow.entered, 1));
    CHECK_OK(cmr_watcher_rollback(watcher, 1, &version, NULL));
    CHECK_INT(version, 3);
    CHECK_TEXT(current_text(watcher, "mode"), "one");
    gate_open(&slow.leave);
    /* What the mount holds was never left, so it comes, and after a look of its own. */
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "mode"), "slow");
    cmr_watcher_destroy(watcher);
}

struct forbidden {
    cmr_watcher *watcher;
    int calls;
};
static cmr_status try_what_is_forbidden(void *context, const cmr_snapshot *candidate,
                                        cmr_error *error)
{
    struct forbidden *forbidden = context;
    cmr_watcher *watcher = forbidden->watcher;
    (void)error;
    forbidden->calls++;
    CHECK_STATUS(cmr_watcher_reload(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_wait(watcher, 0, 0, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_drain(watcher, 1, 0, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 1), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_set_validator(watcher, NULL, NULL), CMR_E_STATE);
    /* What is allowed. */
    cmr_watcher_request_reload(watcher);
    cmr_snapshot_release(cmr_snapshot_retain(candidate));
    cmr_snapshot_release(cmr_watcher_acquire(watcher));
    return CMR_OK;
}

TEST("inside a validator what would wait for it is refused")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    struct forbidden forbidden = {.watcher = watcher};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, try_what_is_forbidden, &forbidden));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    cmr_watcher_destroy(watcher);
    CHECK(forbidden.calls >= 2);
}

static void set_flag(void *context) { gate_open(context); }

static cmr_status destroy_inside(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    struct forbidden *forbidden = context;
    (void)candidate, (void)error;
    if (forbidden->calls++ > 0) cmr_watcher_destroy(forbidden->watcher);
    return CMR_OK;
}

TEST("a watcher that is destroyed inside its validator publishes nothing and is closed after it")
{
    const char *mount = new_mount("mount");
    struct gate closed = GATE_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    struct forbidden forbidden = {.watcher = watcher};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_closed(watcher, set_flag, &closed));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, destroy_inside, &forbidden));
    start(watcher);
    const cmr_snapshot *first = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK(gate_wait(&closed, 1));
    CHECK_INT(cmr_snapshot_version(first), 1);
    cmr_snapshot_release(first);
}

/* Swaps two mounts at once: what the validator wants of both together comes together. */
static cmr_status want_equal(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    int64_t left = 0, right = 0, only = 0;
    (void)context, (void)error;
    cmr_snapshot_int64(candidate, "left", &left);
    cmr_snapshot_int64(candidate, "right", &right);
    cmr_snapshot_int64(candidate, "only", &only);
    return left == right && only >= 0 ? CMR_OK : CMR_E_REJECTED;
}

TEST("what is only good together waits for the other mount, what is good alone does not")
{
    const char *left = new_mount("left"), *right = new_mount("right"), *only = new_mount("only");
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(left);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, right, NULL));
    REQUIRE_OK(cmr_watcher_add_mount(watcher, only, NULL));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, want_equal, NULL));
    PUBLISH(left, FILE_TEXT("left", "1"));
    PUBLISH(right, FILE_TEXT("right", "1"));
    PUBLISH(only, FILE_TEXT("only", "1"));
    start(watcher);
    PUBLISH(left, FILE_TEXT("left", "2"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK(strlen(error.message) > 0);
    PUBLISH(only, FILE_TEXT("only", "2"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "only"), "2");
    CHECK_TEXT(current_text(watcher, "left"), "1");
    PUBLISH(right, FILE_TEXT("right", "2"));
    await_version(watcher, 3);
    CHECK_TEXT(current_text(watcher, "left"), "2");
    CHECK_TEXT(current_text(watcher, "right"), "2");
    cmr_watcher_destroy(watcher);
}
