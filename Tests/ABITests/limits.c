/* Every limit, at it and one beyond it: at start, in a reload, and that good content is loaded
 * again afterwards.
 */
#include "abitest.h"

static char *repeated(char byte, size_t count)
{
    char *bytes = malloc(count + 1);
    REQUIRE(bytes != NULL);
    memset(bytes, byte, count);
    bytes[count] = '\0';
    return bytes;
}

/* `[[…]]`, that many deep. */
static char *nested(size_t depth)
{
    char *json = malloc(2 * depth + 1);
    REQUIRE(json != NULL);
    memset(json, '[', depth);
    memset(json + depth, ']', depth);
    json[2 * depth] = '\0';
    return json;
}

/* Content that is within the limit, content that is beyond it, and what an error is to say. */
static void check_limit(int32_t option, int64_t limit, const cmr_file *within, size_t within_count,
                        const cmr_file *beyond, size_t beyond_count, const char *key)
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    recorder_init(&recorder);
    REQUIRE_OK(cmr_watcher_set_option(watcher, option, limit));
    record(watcher, &recorder);
    publish(mount, beyond, beyond_count);
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    CHECK(error.message[0] != '\0');
    if (key) CHECK_TEXT(error.key, key);
    publish(mount, within, within_count);
    start(watcher);
    publish(mount, beyond, beyond_count);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_LIMIT);
    if (key) CHECK_TEXT(error.key, key);
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    CHECK_INT(event_at(&recorder, 1)->error.status, CMR_E_LIMIT);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    PUBLISH(mount, FILE_TEXT("small", "1"));
    await_version(watcher, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}
#define CHECK_LIMIT(option, limit, within, beyond, key) \
    check_limit(option, limit, within, sizeof within / sizeof *within, \
                beyond, sizeof beyond / sizeof *beyond, key)

TEST("a value of MAX_VALUE_BYTES is accepted, one of a byte more is not")
{
    char *value = repeated('v', 1001);
    const cmr_file within[] = {{"big", value, 1000, 0, 0}, FILE_TEXT("small", "")};
    const cmr_file beyond[] = {{"big", value, 1001, 0, 0}, FILE_TEXT("small", "")};
    CHECK_LIMIT(CMR_OPTION_MAX_VALUE_BYTES, 1000, within, beyond, "big");
    free(value);
}

TEST("values of MAX_TOTAL_BYTES together are accepted, of a byte more are not")
{
    char *value = repeated('v', 600);
    const cmr_file within[] = {{"a", value, 500, 0, 0}, {"b", value, 500, 0, 0}};
    const cmr_file beyond[] = {{"a", value, 500, 0, 0}, {"b", value, 501, 0, 0}};
    CHECK_LIMIT(CMR_OPTION_MAX_TOTAL_BYTES, 1000, within, beyond, NULL);
    free(value);
}

TEST("as many keys as MAX_KEYS are accepted, one more is not")
{
    const cmr_file within[] = {FILE_TEXT("a", ""), FILE_TEXT("b", ""), FILE_TEXT("c", "1")};
    const cmr_file beyond[] = {FILE_TEXT("a", ""), FILE_TEXT("b", ""), FILE_TEXT("c", "1"),
                               FILE_TEXT("d", "1")};
    CHECK_LIMIT(CMR_OPTION_MAX_KEYS, 3, within, beyond, NULL);
}

TEST("values as deep as MAX_DEPTH are accepted, one deeper is not")
{
    char *deep = nested(10), *deeper = nested(11);
    const cmr_file within[] = {{"a.json", deep, strlen(deep), 0, 0}};
    const cmr_file beyond[] = {{"a.json", deeper, strlen(deeper), 0, 0}};
    CHECK_LIMIT(CMR_OPTION_MAX_DEPTH, 10, within, beyond, "a.json");
    free(deep);
    free(deeper);
}

TEST("the limits of count and bytes hold for all sources together")
{
    const char *first = new_mount("first"), *second = new_mount("second");
    cmr_watcher *watcher = new_watcher(first);
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_OK(cmr_watcher_add_mount(watcher, second, NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_KEYS, 3));
    PUBLISH(first, FILE_TEXT("a", "1"), FILE_TEXT("b", "1"));
    PUBLISH(second, FILE_TEXT("c", "1"), FILE_TEXT("d", "1"));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    cmr_watcher_destroy(watcher);

    watcher = new_watcher(first);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, second, NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_TOTAL_BYTES, 3));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    cmr_watcher_destroy(watcher);
}

TEST("without options a value of 4 MiB, 128 levels and 32 MiB in all are accepted, and no more")
{
    const char *mount = new_mount("mount");
    char *value = repeated('v', (4 << 20) + 1), *deep = nested(128), *deeper = nested(129);
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error = CMR_ERROR_INIT;
    PUBLISH(mount, {"a", value, 4 << 20, 0, 0}, {"deep.json", deep, strlen(deep), 0, 0});
    start(watcher);
    PUBLISH(mount, {"a", value, (4 << 20) + 1, 0, 0});
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_LIMIT);
    PUBLISH(mount, {"deep.json", deeper, strlen(deeper), 0, 0});
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_LIMIT);
    PUBLISH(mount, {"a", value, 4 << 20, 0, 0}, {"b", value, 4 << 20, 0, 0},
            {"c", value, 4 << 20, 0, 0}, {"d", value, 4 << 20, 0, 0}, {"e", value, 4 << 20, 0, 0},
            {"f", value, 4 << 20, 0, 0}, {"g", value, 4 << 20, 0, 0}, {"h", value, 4 << 20, 0, 0});
    reload(watcher);
    PUBLISH(mount, {"a", value, 4 << 20, 0, 0}, {"b", value, 4 << 20, 0, 0},
            {"c", value, 4 << 20, 0, 0}, {"d", value, 4 << 20, 0, 0}, {"e", value, 4 << 20, 0, 0},
            {"f", value, 4 << 20, 0, 0}, {"g", value, 4 << 20, 0, 0}, {"h", value, 4 << 20, 0, 0},
            {"i", value, 1, 0, 0});
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_LIMIT);
    cmr_watcher_destroy(watcher);
    free(value);
    free(deep);
    free(deeper);
}

TEST("the deepest and the largest that options allow load, read and print")
{
    char *deep = nested(1024), *deeper = nested(100000), *json = NULL;
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_DEPTH, 1024));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", deeper, strlen(deeper), NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", deep, strlen(deep), NULL));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_snapshot_json(snapshot, "a.json", &json, NULL));
    CHECK_TEXT(json, deep);
    cmr_free(json);
    CHECK_OK(cmr_snapshot_json(snapshot, "", &json, NULL));
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
    free(deep);
    free(deeper);
}

TEST("a hundred thousand keys load, are found and are sorted, when the limit allows them")
{
    const int count = rounds(100000, 5000);
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = new_watcher(plain);
    cmr_error error = CMR_ERROR_INIT;
    char path[256];
    for (int index = 0; index < count; index++) {
        int length = snprintf(path, sizeof path, "%s/key-%05d", plain, index);
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        REQUIRE(file >= 0 && write(file, path + length - 5, 5) == 5 && close(file) == 0);
    }
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_KEYS, count - 1));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_LIMIT);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_KEYS, count));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_snapshot_count(snapshot), count);
    for (int index = 0; index < count; index++) {
        const char *key = NULL;
        int64_t value = -1;
        snprintf(path, sizeof path, "key-%05d", index);
        REQUIRE_OK(cmr_snapshot_key(snapshot, (size_t)index, &key, NULL));
        REQUIRE(strcmp(key, path) == 0);
        REQUIRE_OK(cmr_snapshot_int64(snapshot, path, &value));
        REQUIRE(value == index);
    }
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}
