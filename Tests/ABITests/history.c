/* Former versions: looking back, going back, and what then has no effect. */
#include "abitest.h"

static cmr_watcher *watcher_with_versions(const char *mount, int count)
{
    cmr_watcher *watcher = new_watcher(mount);
    for (int number = 1; number <= count; number++) {
        const char *value = text("%d", number);
        const cmr_file files[] = {{"key", value, strlen(value), 0, 0}, FILE_TEXT("same", "same")};
        publish(mount, files, 2);
        if (number == 1) start(watcher);
        await_version(watcher, (uint64_t)number);
    }
    return watcher;
}

static const char *text_of(const cmr_snapshot *snapshot, const char *path)
{
    const char *value = "";
    CHECK_OK(cmr_snapshot_string(snapshot, path, &value, NULL));
    return text("%s", value);
}

TEST("the history gives the current version and those before it, as many as the option says")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *snapshot = NULL;
    cmr_watcher *watcher = watcher_with_versions(mount, 13);
    for (size_t index = 0; index <= 10; index++) {
        about("index %zu", index);
        REQUIRE_OK(cmr_watcher_history(watcher, index, &snapshot));
        CHECK_INT(cmr_snapshot_version(snapshot), 13 - index);
        CHECK_TEXT(text_of(snapshot, "key"), text("%d", 13 - (int)index));
        cmr_snapshot_release(snapshot);
    }
    const cmr_snapshot *untouched = snapshot;
    CHECK_STATUS(cmr_watcher_history(watcher, 11, &snapshot), CMR_E_NOT_FOUND);
    CHECK(snapshot == untouched);
    CHECK_STATUS(cmr_watcher_history(watcher, SIZE_MAX, &snapshot), CMR_E_NOT_FOUND);
    /* It outlives a stop, and what is held outlives the watcher. */
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    REQUIRE_OK(cmr_watcher_history(watcher, 5, &snapshot));
    cmr_watcher_destroy(watcher);
    CHECK_TEXT(text_of(snapshot, "key"), "8");
    cmr_snapshot_release(snapshot);
}

TEST("versions share what they have in common")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *first = NULL, *last = NULL;
    const void *a = NULL, *b = NULL;
    cmr_watcher *watcher = watcher_with_versions(mount, 10);
    REQUIRE_OK(cmr_watcher_history(watcher, 0, &last));
    REQUIRE_OK(cmr_watcher_history(watcher, 9, &first));
    CHECK_OK(cmr_snapshot_bytes(first, "same", &a, NULL));
    CHECK_OK(cmr_snapshot_bytes(last, "same", &b, NULL));
    CHECK(a == b);
    CHECK_OK(cmr_snapshot_bytes(first, "key", &a, NULL));
    CHECK_OK(cmr_snapshot_bytes(last, "key", &b, NULL));
    CHECK(a != b);
    cmr_snapshot_release(first);
    cmr_snapshot_release(last);
    cmr_watcher_destroy(watcher);
}

TEST("a rollback publishes the old content as a new version, with its cause")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    uint64_t version = 0;
    cmr_watcher *watcher = watcher_with_versions(mount, 3);
    recorder_init(&recorder);
    record(watcher, &recorder);
    CHECK_OK(cmr_watcher_rollback(watcher, 1, &version, NULL));
    CHECK_INT(version, 4);
    struct heard *heard = event_at(&recorder, 0);
    CHECK_INT(heard->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(heard->cause, CMR_CAUSE_ROLLBACK);
    CHECK_INT(heard->version, 4);
    CHECK_TEXT(heard->changes, "~key");
    CHECK_TEXT(text_of(heard->snapshot, "key"), "1");
    CHECK_INT(cmr_watcher_version(watcher), 4);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("what was left has no effect until its source has offered something else")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = watcher_with_versions(mount, 2);
    CHECK_OK(cmr_watcher_rollback(watcher, 0, NULL, NULL));
    CHECK_TEXT(current_text(watcher, "key"), "1");
    /* The mount still holds it, and offers it once more in a directory of its own. */
    CHECK_INT(reload(watcher), 3);
    make_directory(text("%s/..again", mount));
    write_text(text("%s/..again/key", mount), "2");
    write_text(text("%s/..again/same", mount), "same");
    replace_link("..again", text("%s/..data", mount));
    CHECK_INT(reload(watcher), 3);
    cmr_stats stats = CMR_STATS_INIT;
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 1);
    PUBLISH(mount, FILE_TEXT("key", "3"), FILE_TEXT("same", "same"));
    await_version(watcher, 4);
    PUBLISH(mount, FILE_TEXT("key", "2"), FILE_TEXT("same", "same"));
    await_version(watcher, 5);
    CHECK_TEXT(current_text(watcher, "key"), "2");
    cmr_watcher_destroy(watcher);
}

TEST("what is gone back to by its number is not left any more")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = watcher_with_versions(mount, 2);
    CHECK_OK(cmr_watcher_rollback(watcher, 0, NULL, NULL));
    CHECK_OK(cmr_watcher_rollback(watcher, 2, NULL, NULL));
    CHECK_TEXT(current_text(watcher, "key"), "2");
    /* The mount offers what is current, and so something else than what was left last. */
    CHECK_INT(reload(watcher), 4);
    PUBLISH(mount, FILE_TEXT("key", "1"), FILE_TEXT("same", "same"));
    CHECK_INT(reload(watcher), 5);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_watcher_destroy(watcher);
}

TEST("other sources go on while what one offers was left")
{
    const char *bad = new_mount("bad"), *good = new_mount("good");
    cmr_watcher *watcher = new_watcher(bad);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, good, NULL));
    PUBLISH(bad, FILE_TEXT("a", "1"));
    PUBLISH(good, FILE_TEXT("b", "1"));
    start(watcher);
    PUBLISH(bad, FILE_TEXT("a", "2"));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_rollback(watcher, 0, NULL, NULL));
    PUBLISH(good, FILE_TEXT("b", "2"));
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "a"), "1");
    CHECK_TEXT(current_text(watcher, "b"), "2");
    cmr_watcher_destroy(watcher);
}

TEST("back and back again goes to what was not left yet, and ends where the history ends")
{
    const char *mount = new_mount("mount");
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = 0;
    cmr_watcher *watcher = watcher_with_versions(mount, 3);
    CHECK_OK(cmr_watcher_rollback(watcher, 0, &version, NULL));
    CHECK_TEXT(current_text(watcher, "key"), "2");
    CHECK_OK(cmr_watcher_rollback(watcher, 0, &version, NULL));
    CHECK_TEXT(current_text(watcher, "key"), "1");
    CHECK_INT(version, 5);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, &version, &error), CMR_E_NOT_FOUND);
    CHECK_INT(error.status, CMR_E_NOT_FOUND);
    CHECK_INT(version, 5);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 99, &version, &error), CMR_E_NOT_FOUND);
    /* The content that is current is there already. */
    CHECK_OK(cmr_watcher_rollback(watcher, 1, &version, NULL));
    CHECK_INT(version, 5);
    /* A number goes back also to what was left. */
    CHECK_OK(cmr_watcher_rollback(watcher, 3, &version, NULL));
    CHECK_INT(version, 6);
    CHECK_TEXT(current_text(watcher, "key"), "3");
    cmr_watcher_destroy(watcher);
}

TEST("without a history there is nothing to go back to")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *snapshot = NULL;
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_HISTORY, 0));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, NULL, NULL), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_watcher_history(watcher, 1, &snapshot), CMR_E_NOT_FOUND);
    REQUIRE_OK(cmr_watcher_history(watcher, 0, &snapshot));
    CHECK_INT(cmr_snapshot_version(snapshot), 2);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

static void roll_back(void *context, const cmr_event *event)
{
    if (event->kind == CMR_EVENT_PUBLISHED && event->cause == CMR_CAUSE_CHANGE)
        CHECK_OK(cmr_watcher_rollback(context, 0, NULL, NULL));
}

TEST("a callback may go back from what it was told of")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, roll_back, watcher, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 3);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    CHECK_INT(event_at(&recorder, 2)->cause, CMR_CAUSE_ROLLBACK);
    CHECK_TEXT(event_at(&recorder, 2)->changes, "~key");
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("history and rollback are for a watcher that has versions")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *snapshot = NULL;
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 1), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_history(watcher, 0, &snapshot), CMR_E_NOT_FOUND);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 1), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
}

/* ---- Confirming ---- */

/* Long enough for a test to come to its next line on a machine that has others to serve. */
static int64_t confirm_ms(void) { return rounds(600, 1500); }

TEST("a version that nobody confirms goes away again, and so does all since")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_CONFIRM_MS, confirm_ms()));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    size_t last = await_kind(&recorder, CMR_EVENT_PUBLISHED, 2);
    while (event_at(&recorder, last)->version < 4)
        last = await_kind(&recorder, CMR_EVENT_PUBLISHED, last + 1);
    CHECK_INT(event_at(&recorder, last)->cause, CMR_CAUSE_ROLLBACK);
    /* Who confirms now is too late. */
    CHECK_STATUS(cmr_watcher_confirm(watcher, 2), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 3), CMR_E_NOT_FOUND);
    CHECK_OK(cmr_watcher_confirm(watcher, 4));
    /* Neither what is there nor what was there in between is taken again. */
    CHECK_INT(reload(watcher), 4);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 4);
    CHECK_OK(cmr_watcher_set_validator(watcher, NULL, NULL));
    PUBLISH(mount, FILE_TEXT("key", "4"));
    await_version(watcher, 5);
    CHECK_OK(cmr_watcher_confirm(watcher, 5));
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a version that is confirmed stays, and is what a later one goes back to")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_CONFIRM_MS, confirm_ms()));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_OK(cmr_watcher_confirm(watcher, 1));
    CHECK_STATUS(cmr_watcher_confirm(watcher, 2), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 0), CMR_E_NOT_FOUND);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_confirm(watcher, 2));
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "key"), "2");
    cmr_watcher_destroy(watcher);
}

TEST("no version is made of going back to content that is there again, and what was there is left")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_CONFIRM_MS, confirm_ms()));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    await_version(watcher, 3);
    /* When the time is up version 2 is gone, and version 3 stays as what is confirmed. */
    CHECK_STATUS(cmr_watcher_wait(watcher, 3, 2 * confirm_ms(), NULL), CMR_E_TIMEOUT);
    CHECK_STATUS(cmr_watcher_confirm(watcher, 2), CMR_E_NOT_FOUND);
    CHECK_OK(cmr_watcher_confirm(watcher, 3));
    PUBLISH(mount, FILE_TEXT("key", "3"));
    await_version(watcher, 4);
    CHECK_OK(cmr_watcher_confirm(watcher, 4));
    size_t heard = 1;
    do CHECK_INT(event_at(&recorder, heard)->cause, CMR_CAUSE_CHANGE);
    while (event_at(&recorder, heard++)->version < 4);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a rollback and what needs no confirmation count as confirmed")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_CONFIRM_MS, confirm_ms()));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_rollback(watcher, 0, NULL, NULL));
    CHECK_INT(cmr_watcher_version(watcher), 3);
    CHECK_STATUS(cmr_watcher_wait(watcher, 3, 2 * confirm_ms(), NULL), CMR_E_TIMEOUT);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    cmr_watcher_destroy(watcher);
}
