/* Formats of one's own: what keys are parsed as, by what was set, and by parsers of the host's. */
#include "abitest.h"

static const char *current_json(cmr_watcher *watcher)
{
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    char *json = NULL;
    CHECK_OK(cmr_snapshot_json(snapshot, "app.conf", &json, NULL));
    const char *kept = text("%s", json ? json : "");
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    return kept;
}

/* Counts lines: "N" for a text of N lines; refuses a text that says so. */
struct counter {
    int calls;
    uint64_t acquired;
    cmr_watcher *watcher;
};

static cmr_status count_lines(void *context, const char *key, const void *bytes, size_t size,
                              cmr_sink *json, cmr_error *error)
{
    struct counter *counter = context;
    const char *content = bytes;
    char number[32];
    int lines = 0;
    counter->calls++;
    if (size >= 6 && !memcmp(content, "refuse", 6)) {
        snprintf(error->message, sizeof error->message, "%s says no", key);
        error->line = 3, error->column = 9;
        return CMR_E_NOT_FOUND;
    }
    for (size_t index = 0; index < size; index++) lines += content[index] == '\n';
    if (content[size] != '\0') return CMR_E_RANGE;
    snprintf(number, sizeof number, "%d", lines);
    if (cmr_sink_write(json, "{\"lines\":", 9) != CMR_OK) return CMR_E_RANGE;
    if (cmr_sink_write(json, number, strlen(number)) != CMR_OK) return CMR_E_RANGE;
    return cmr_sink_write(json, "}", 1);
}

/* ---- cmr_watcher_set_format ---- */

TEST("a key without a telling suffix is of the format that was set for it")
{
    static const struct {
        int32_t format;
        const char *content, *path, *value;
    } rows[] = {
        {CMR_FORMAT_TEXT, " a: 1 ", "app.conf", "a: 1"},
        {CMR_FORMAT_JSON, "{\"a\":{\"b\":\"c\"}}", "app.conf#/a/b", "c"},
        {CMR_FORMAT_YAML, "a:\n  b: c\n", "app.conf#/a/b", "c"},
        {CMR_FORMAT_TOML, "[a]\nb = 'c'\n", "app.conf#/a/b", "c"},
        {CMR_FORMAT_PROPERTIES, "a.b = c\n", "app.conf#/a.b", "c"},
        {CMR_FORMAT_DOTENV, "export A='c'\n", "app.conf#/A", "c"},
        {CMR_FORMAT_INI, "[a]\nb = c\n", "app.conf#/a/b", "c"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        about("format %d", rows[row].format);
        cmr_error error = CMR_ERROR_INIT;
        cmr_watcher *watcher = new_watcher(NULL);
        const char *content = rows[row].content;
        REQUIRE_OK(
            cmr_watcher_add_default(watcher, "app.conf", content, strlen(content), NULL));
        REQUIRE_FINE(
            cmr_watcher_set_format(watcher, "*.conf", rows[row].format, &error), error);
        start(watcher);
        CHECK_TEXT(current_text(watcher, rows[row].path), rows[row].value);
        const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
        const void *bytes = NULL;
        size_t size = 0;
        CHECK_OK(cmr_snapshot_bytes(snapshot, "app.conf", &bytes, &size));
        CHECK(size == strlen(content) && !memcmp(bytes, content, size));
        cmr_snapshot_release(snapshot);
        cmr_watcher_destroy(watcher);
    }
}

TEST("the suffix does not count where a format was set, and of several the last one counts")
{
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", "a: 1", 4, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "b.json", "b=1", 3, NULL));
    REQUIRE_OK(cmr_watcher_set_format(watcher, "b.json", CMR_FORMAT_JSON, NULL));
    REQUIRE_OK(cmr_watcher_set_format(watcher, "*", CMR_FORMAT_YAML, NULL));
    REQUIRE_OK(cmr_watcher_set_format(watcher, "b.*", CMR_FORMAT_PROPERTIES, NULL));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "a.json#/a"), "<CMR_E_TYPE>");
    CHECK_TEXT(current_text(watcher, "b.json#/b"), "1");
    cmr_watcher_destroy(watcher);
}

TEST("a format that is set on a started watcher makes a version of what is there")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: one\n"), FILE_TEXT("other", "a: one\n"));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "default.conf", "a: two\n", 7, NULL));
    /* Nothing else wakes the thread that tells of the version. */
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "app.conf"), "a: one");

    REQUIRE_FINE(cmr_watcher_set_format(watcher, "*.conf", CMR_FORMAT_YAML, &error), error);
    CHECK_INT(cmr_watcher_version(watcher), 2);
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "one");
    CHECK_TEXT(current_text(watcher, "default.conf#/a"), "two");
    CHECK_TEXT(current_text(watcher, "other"), "a: one");
    struct heard *heard = event_at(&recorder, 1);
    CHECK_INT(heard->kind, CMR_EVENT_PUBLISHED);
    CHECK_INT(heard->cause, CMR_CAUSE_RELOAD);
    CHECK_TEXT(heard->changes, "~app.conf ~default.conf");

    /* It is what they are from now on, and saying it again changes nothing. */
    CHECK_INT(reload(watcher), 2);
    REQUIRE_OK(cmr_watcher_set_format(watcher, "app.*", CMR_FORMAT_YAML, NULL));
    CHECK_INT(cmr_watcher_version(watcher), 2);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: three\n"), FILE_TEXT("other", "a: one\n"));
    await_version(watcher, 3);
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "three");
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a format that what is there does not have is not set")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: 1\nb: c: d\n"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    CHECK_STATUS(
        cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, &error), CMR_E_PARSE);
    CHECK_TEXT(error.stage, "parse");
    CHECK_TEXT(error.key, "app.conf");
    CHECK_INT(error.line, 2);
    CHECK_INT(error.column, 5);
    CHECK_TEXT(error.message, "mapping values are not allowed here");
    CHECK_INT(cmr_watcher_version(watcher), 1);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 1);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: b: c\n"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "app.conf"), "a: b: c");
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_PUBLISHED);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("what was rejected is tried again at once when a format or a parser is set")
{
    const char *mount = new_mount("mount");
    struct counter counter = {0};
    cmr_error error = CMR_ERROR_INIT;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    /* Nothing else looks again. */
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_JSON, NULL));
    PUBLISH(mount, FILE_TEXT("app.conf", "{\"port\": 1}"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("app.conf", "port: 2"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    REQUIRE_FINE(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, &error), error);
    EVENTUALLY(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.healthy);
    CHECK_TEXT(current_json(watcher), "{\"port\":2}");

    PUBLISH(mount, FILE_TEXT("app.conf", "[\n"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "app.*", count_lines, &counter, NULL));
    EVENTUALLY(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.healthy);
    CHECK_TEXT(current_json(watcher), "{\"lines\":1}");
    cmr_watcher_destroy(watcher);
}

static cmr_status want_tree(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    (void)context;
    if (cmr_value_type(cmr_snapshot_value(candidate, "app.conf")) == CMR_TYPE_OBJECT) return CMR_OK;
    snprintf(error->message, sizeof error->message, "a tree is wanted");
    return CMR_E_REJECTED;
}

TEST("a format whose outcome the validator refuses is not set")
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "app.conf", "a: 1", 4, NULL));
    REQUIRE_OK(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, NULL));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, want_tree, NULL));
    start(watcher);
    CHECK_STATUS(
        cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_TEXT, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.message, "a tree is wanted");
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "<CMR_E_TYPE>");
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
}

TEST("a version from before a format was set can be gone back to")
{
    const char *mount = new_mount("mount");
    uint64_t version = 0;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("app.conf", "a: one\n"));
    start(watcher);
    REQUIRE_OK(cmr_watcher_set_format(watcher, "app.conf", CMR_FORMAT_YAML, NULL));
    CHECK_OK(cmr_watcher_rollback(watcher, 1, &version, NULL));
    CHECK_INT(version, 3);
    CHECK_TEXT(current_text(watcher, "app.conf"), "a: one");
    PUBLISH(mount, FILE_TEXT("app.conf", "a: two\n"));
    await_version(watcher, 4);
    CHECK_TEXT(current_text(watcher, "app.conf#/a"), "two");
    cmr_watcher_destroy(watcher);
}

TEST("what is no format, no pattern, or comes too late is refused")
{
    cmr_error error = CMR_ERROR_INIT;
    char long_pattern[4097];
    cmr_watcher *watcher = new_watcher(NULL);
    for (int32_t format = -1; format <= 7; format += 8) {
        CHECK_STATUS(
            cmr_watcher_set_format(watcher, "a", format, &error), CMR_E_INVALID_ARGUMENT);
    }
    static const char *const patterns[] = {"", "[a", "a\\", "\xff"};
    for (size_t row = 0; row < sizeof patterns / sizeof *patterns; row++) {
        CHECK_STATUS(
            cmr_watcher_set_format(watcher, patterns[row], 1, &error), CMR_E_INVALID_ARGUMENT);
    }
    memset(long_pattern, 'a', sizeof long_pattern - 1);
    long_pattern[sizeof long_pattern - 1] = '\0';
    CHECK_STATUS(cmr_watcher_set_format(watcher, long_pattern, 1, &error), CMR_E_LIMIT);
    REQUIRE_OK(cmr_watcher_start(watcher, NULL));
    REQUIRE_OK(cmr_watcher_stop(watcher, -1));
    CHECK_STATUS(cmr_watcher_set_format(watcher, "a", 1, &error), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
}

/* ---- cmr_watcher_set_parser ---- */

TEST("a parser of the host's makes values of keys, once for each content")
{
    const char *mount = new_mount("mount");
    struct counter counter = {0};
    cmr_error error = CMR_ERROR_INIT;
    int64_t lines = 0;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n2\n"), FILE_TEXT("b", "x"));
    REQUIRE_FINE(cmr_watcher_set_parser(watcher, "*.hcl", count_lines, &counter, &error), error);
    start(watcher);
    CHECK_INT(counter.calls, 1);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_snapshot_int64(snapshot, "a.hcl#/lines", &lines));
    CHECK_INT(lines, 2);
    cmr_snapshot_release(snapshot);

    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n2\n"), FILE_TEXT("b", "y"));
    await_version(watcher, 2);
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(counter.calls, 1);
    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n2\n3\n"), FILE_TEXT("b", "y"));
    await_version(watcher, 3);
    CHECK_INT(counter.calls, 2);
    cmr_watcher_destroy(watcher);
}

TEST("a value that the parser refuses is rejected with its words, and the last good one stays")
{
    const char *mount = new_mount("mount");
    struct counter counter = {0};
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n"));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "*.hcl", count_lines, &counter, NULL));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.hcl", "refuse"));
    struct heard *heard = event_at(&recorder, 1);
    CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
    CHECK_INT(heard->error.status, CMR_E_PARSE);
    CHECK_TEXT(heard->error.stage, "parse");
    CHECK_TEXT(heard->error.key, "a.hcl");
    CHECK_TEXT(heard->error.message, "a.hcl says no");
    CHECK_INT(heard->error.line, 3);
    CHECK_INT(heard->error.column, 9);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a value that the parser refused is shown to it again when somebody asks, not at every look")
{
    const char *mount = new_mount("mount");
    struct counter counter = {0};
    struct recorder recorder;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 20));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "*.hcl", count_lines, &counter, NULL));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.hcl", "refuse"));
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    await_rescans(watcher, 3);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(counter.calls, 2);
    CHECK_INT(stats.healthy, 0);
    CHECK_INT(stats.reloads_rejected, 1);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK(counter.calls > 2);
    PUBLISH(mount, FILE_TEXT("a.hcl", "1\n2\n"));
    await_version(watcher, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a parser that is set on a started watcher is asked at once, on the thread that sets it")
{
    struct counter counter = {0};
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a", "1\n2\n", 4, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "b", "refuse", 6, NULL));
    start(watcher);
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "a", count_lines, &counter, NULL));
    CHECK_INT(counter.calls, 1);
    CHECK_INT(cmr_watcher_version(watcher), 2);
    CHECK_STATUS(
        cmr_watcher_set_parser(watcher, "b", count_lines, &counter, &error), CMR_E_PARSE);
    CHECK_TEXT(error.message, "b says no");
    CHECK_INT(cmr_watcher_version(watcher), 2);
    CHECK_TEXT(current_text(watcher, "b"), "refuse");
    cmr_watcher_destroy(watcher);
}

static cmr_status write_what_the_value_says(void *context, const char *key, const void *bytes,
                                            size_t size, cmr_sink *json, cmr_error *error)
{
    (void)context, (void)key, (void)error;
    return cmr_sink_write(json, bytes, size);
}

static cmr_status write_without_end(void *context, const char *key, const void *bytes, size_t size,
                                    cmr_sink *json, cmr_error *error)
{
    int *refused = context;
    (void)key, (void)bytes, (void)size, (void)error;
    for (int round = 0; round < 100; round++) {
        if (cmr_sink_write(json, "          ", 10) == CMR_E_LIMIT) (*refused)++;
    }
    return CMR_OK;
}

TEST("what a parser writes must be JSON within the limits")
{
    static const struct {
        const char *content, *message;
        cmr_status status;
    } rows[] = {
        {"{\"a\": }", "what the parser wrote is not JSON: expected a value, found '}', "
                      "in line 1, column 7 of it", CMR_E_PARSE},
        {"", "what the parser wrote is not JSON: expected a value, found the end of the text, "
             "in line 1, column 1 of it", CMR_E_PARSE},
        {"[[[]]]", "what the parser wrote is not JSON: arrays and objects are nested too deeply, "
                   "in line 1, column 3 of it", CMR_E_LIMIT},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        about("%s", rows[row].content);
        cmr_error error = CMR_ERROR_INIT;
        cmr_watcher *watcher = new_watcher(NULL);
        const char *content = rows[row].content;
        REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_DEPTH, 2));
        REQUIRE_OK(cmr_watcher_add_default(watcher, "a", content, strlen(content), NULL));
        REQUIRE_OK(cmr_watcher_set_parser(watcher, "a", write_what_the_value_says, NULL, NULL));
        CHECK_STATUS(cmr_watcher_start(watcher, &error), rows[row].status);
        CHECK_TEXT(error.message, rows[row].message);
        CHECK_TEXT(error.key, "a");
        CHECK_INT(error.line, 0);
        cmr_watcher_destroy(watcher);
    }
    int refused = 0;
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_VALUE_BYTES, 500));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a", "", 0, NULL));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "a", write_without_end, &refused, NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    CHECK_INT(refused, 50);
    cmr_watcher_destroy(watcher);
}

static cmr_status write_nothing_of_five(void *context, const char *key, const void *bytes,
                                        size_t size, cmr_sink *json, cmr_error *error)
{
    (void)context, (void)key, (void)bytes, (void)size, (void)error;
    CHECK_OK(cmr_sink_write(json, "1", 1));
    CHECK_STATUS(cmr_sink_write(json, NULL, 5), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_sink_write(json, "2", 1), CMR_E_INVALID_ARGUMENT);
    return CMR_OK;
}

TEST("a write that failed rejects the value, though the parser says that all is well")
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a", "", 0, NULL));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "a", write_nothing_of_five, NULL, NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_PARSE);
    CHECK_TEXT(error.stage, "parse");
    CHECK_TEXT(error.key, "a");
    CHECK_TEXT(error.message, "the bytes are NULL");
    cmr_watcher_destroy(watcher);
}

static cmr_status try_what_is_forbidden(void *context, const char *key, const void *bytes,
                                        size_t size, cmr_sink *json, cmr_error *error)
{
    struct counter *counter = context;
    cmr_watcher *watcher = counter->watcher;
    (void)error;
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_reload(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_wait(watcher, 0, 0, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_stop(watcher, 0), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_set_format(watcher, "x", CMR_FORMAT_JSON, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_set_parser(watcher, "x", count_lines, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_set_validator(watcher, want_tree, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_rollback(watcher, 0, NULL, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_sink_write(NULL, "1", 1), CMR_E_INVALID_ARGUMENT);
    CHECK_OK(cmr_sink_write(json, NULL, 0));
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    counter->acquired = cmr_snapshot_version(snapshot);
    cmr_snapshot_release(snapshot);
    cmr_watcher_request_reload(watcher);
    return count_lines(context, key, bytes, size, json, error);
}

TEST("inside a parser what would wait for it is refused, reading is not")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    struct counter counter = {.watcher = watcher};
    PUBLISH(mount, FILE_TEXT("a.hcl", "1"));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "*", try_what_is_forbidden, &counter, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.hcl", "2"));
    await_version(watcher, 2);
    CHECK_INT(counter.acquired, 1);
    cmr_watcher_destroy(watcher);
}

struct slow {
    struct gate entered, let_go;
};

static cmr_status take_time(void *context, const char *key, const void *bytes, size_t size,
                            cmr_sink *json, cmr_error *error)
{
    struct slow *slow = context;
    (void)key, (void)error;
    if (size == 4 && !memcmp(bytes, "slow", 4)) {
        gate_open(&slow->entered);
        gate_wait(&slow->let_go, 1);
    }
    return cmr_sink_write(json, "1", 1);
}

TEST("a parser that takes its time delays neither readers nor another watcher")
{
    const char *mount = new_mount("mount"), *other_mount = new_mount("other");
    struct slow slow = {GATE_INIT, GATE_INIT};
    cmr_watcher *watcher = new_watcher(mount), *other = new_watcher(other_mount);
    PUBLISH(mount, FILE_TEXT("a", "quick"));
    PUBLISH(other_mount, FILE_TEXT("b", "1"));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "a", take_time, &slow, NULL));
    start(watcher);
    start(other);
    PUBLISH(mount, FILE_TEXT("a", "slow"));
    CHECK(gate_wait(&slow.entered, 1));
    CHECK_TEXT(current_text(other, "b"), "1");
    PUBLISH(other_mount, FILE_TEXT("b", "2"));
    await_version(other, 2);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    gate_open(&slow.let_go);
    await_version(watcher, 2);
    cmr_watcher_destroy(watcher);
    cmr_watcher_destroy(other);
}

static void set_flag(void *context) { gate_open(context); }

static cmr_status destroy_inside(void *context, const char *key, const void *bytes, size_t size,
                                 cmr_sink *json, cmr_error *error)
{
    struct counter *counter = context;
    (void)key, (void)bytes, (void)size, (void)error;
    if (counter->calls++ > 0) cmr_watcher_destroy(counter->watcher);
    return cmr_sink_write(json, "1", 1);
}

TEST("a watcher that is destroyed inside its parser publishes nothing and is closed after it")
{
    const char *mount = new_mount("mount");
    struct gate closed = GATE_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    struct counter counter = {.watcher = watcher};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_closed(watcher, set_flag, &closed));
    REQUIRE_OK(cmr_watcher_set_parser(watcher, "*", destroy_inside, &counter, NULL));
    start(watcher);
    const cmr_snapshot *first = cmr_watcher_acquire(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK(gate_wait(&closed, 1));
    CHECK_INT(cmr_snapshot_version(first), 1);
    cmr_snapshot_release(first);
}

/* ---- CMR_OPTION_EXPAND_ENVIRONMENT ---- */

TEST("variables in text are those of the environment, and an unknown one is told once")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    setenv("FORMATS_HOST", "db.local", 1);
    unsetenv("FORMATS_NONE");
    PUBLISH(mount, FILE_TEXT("url", "https://$(FORMATS_HOST)/$$(X)/$(FORMATS_NONE)\n"),
            FILE_TEXT("a.json", "{\"url\":\"$(FORMATS_HOST)\"}"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_EXPAND_ENVIRONMENT, 1));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "url"), "https://db.local/$(X)/$(FORMATS_NONE)");
    CHECK_TEXT(current_text(watcher, "a.json#/url"), "$(FORMATS_HOST)");
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const void *bytes = NULL;
    char *json = NULL;
    CHECK_OK(cmr_snapshot_bytes(snapshot, "url", &bytes, NULL));
    CHECK_TEXT(bytes, "https://$(FORMATS_HOST)/$$(X)/$(FORMATS_NONE)\n");
    CHECK_OK(cmr_snapshot_json(snapshot, "url", &json, NULL));
    CHECK_TEXT(json, "\"https://db.local/$(X)/$(FORMATS_NONE)\"");
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("nothing is expanded unless that was asked for")
{
    cmr_watcher *watcher = new_watcher(NULL);
    setenv("FORMATS_HOST", "db.local", 1);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "url", "$(FORMATS_HOST)$$", 17, NULL));
    CHECK_STATUS(
        cmr_watcher_set_option(watcher, CMR_OPTION_EXPAND_ENVIRONMENT, 2),
        CMR_E_INVALID_ARGUMENT);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "url"), "$(FORMATS_HOST)$$");
    cmr_watcher_destroy(watcher);
}
