/* A reload publishes all or nothing: what does not parse is told with key, line and column, and
 * what was current stays.
 */
#include "abitest.h"

TEST("a key that does not parse is rejected with key, line and column, and the old values stay")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error = CMR_ERROR_INIT;
    cmr_stats stats = CMR_STATS_INIT;
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": \"good\"}"), FILE_TEXT("level", "info"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "{\n  \"x\": \"bad\",\n  \"y\": ?\n}"),
            FILE_TEXT("level", "debug"));
    struct heard *heard = event_at(&recorder, 1);
    CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
    CHECK_INT(heard->cause, CMR_CAUSE_CHANGE);
    CHECK_INT(heard->version, 1);
    CHECK_INT(cmr_snapshot_version(heard->snapshot), 1);
    CHECK_TEXT(heard->changes, "");
    REQUIRE(heard->has_error);
    CHECK_INT(heard->error.status, CMR_E_PARSE);
    CHECK_TEXT(heard->error.key, "a.json");
    CHECK_TEXT(heard->error.stage, "parse");
    CHECK_INT(heard->error.line, 3);
    CHECK_INT(heard->error.column, 8);
    CHECK(heard->error.message[0] != '\0');
    CHECK_INT(heard->violation_count, 0);
    CHECK_TEXT(current_text(watcher, "a.json#/x"), "good");
    CHECK_TEXT(current_text(watcher, "level"), "info");
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 0);
    CHECK_INT(stats.reloads_rejected, 1);
    CHECK(stats.last_failure_ns > 0);

    /* reload tells the same, every time it is asked. */
    for (int round = 0; round < 3; round++) {
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_PARSE);
        CHECK_TEXT(error.key, "a.json");
        CHECK_INT(error.line, 3);
        CHECK_INT(error.column, 8);
    }
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("lines are counted over CRLF, columns in bytes, both from 1")
{
    static const struct { const char *json; uint32_t line, column; } cases[] = {
        {"?", 1, 1}, {"", 1, 1}, {"[1,\r\n2,\r\n x]", 3, 2}, {"[\"\xc3\xa4\", x]", 1, 8},
        {"[1] x", 1, 5}, {"{\"a\": 1\n,\n\n}", 4, 1}, {"[1,", 1, 4}, {"\n\n  \n", 4, 1},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        cmr_watcher *watcher = new_watcher(NULL);
        cmr_error error = CMR_ERROR_INIT;
        about("%s", cases[index].json);
        REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", cases[index].json,
                                           strlen(cases[index].json), NULL));
        CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_PARSE);
        CHECK_INT(error.line, cases[index].line);
        CHECK_INT(error.column, cases[index].column);
        cmr_watcher_destroy(watcher);
    }
}

TEST("the same bad content is told once, another bad content again")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 20));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[1"));
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    /* Looked at again and again: by rescans, by a swap to the same bytes. */
    await_rescans(watcher, 3);
    make_directory(text("%s/..again", mount));
    write_text(text("%s/..again/a.json", mount), "[1");
    replace_link("..again", text("%s/..data", mount));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    PUBLISH(mount, FILE_TEXT("a.json", "[1, "));
    struct heard *heard = event_at(&recorder, 2);
    CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
    CHECK_INT(heard->error.column, 5);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("good, then bad, then the first good again: healthy, no new version, no event of it")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    cmr_stats stats = CMR_STATS_INIT;
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    for (int round = 0; round < 3; round++) {
        PUBLISH(mount, FILE_TEXT("a.json", "[1"));
        CHECK_INT(event_at(&recorder, 1 + (size_t)round)->kind, CMR_EVENT_REJECTED);
        PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
        CHECK_INT(reload(watcher), 1);
        CHECK_OK(cmr_watcher_stats(watcher, &stats));
        CHECK_INT(stats.healthy, 1);
        CHECK_INT(stats.reloads_rejected, round + 1);
    }
    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    CHECK_INT(event_at(&recorder, 4)->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(event_at(&recorder, 4)->version, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("newer content is loaded at once, whatever was bad before it")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "[0]"));
    start(watcher);
    for (uint64_t version = 2; version < 30; version++) {
        const char *content = text("[%d]", (int)version);
        PUBLISH(mount, FILE_TEXT("a.json", "[bad"));
        PUBLISH(mount, {"a.json", content, strlen(content), 0, 0});
        await_version(watcher, version);
    }
    cmr_watcher_destroy(watcher);
}

TEST("of several broken keys one is named, and none of the good ones is published")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error = CMR_ERROR_INIT;
    PUBLISH(mount, FILE_TEXT("a.json", "1"), FILE_TEXT("b.json", "1"), FILE_TEXT("level", "info"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "["), FILE_TEXT("b.json", "{"), FILE_TEXT("level", "debug"),
            FILE_TEXT("new", "1"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_PARSE);
    CHECK(strcmp(error.key, "a.json") == 0 || strcmp(error.key, "b.json") == 0);
    CHECK_TEXT(current_text(watcher, "level"), "info");
    CHECK_TEXT(current_text(watcher, "new"), "<CMR_E_NOT_FOUND>");
    cmr_watcher_destroy(watcher);
}
