/* Structs that carry their size, and outputs: how much of them is written, and when nothing. */
#include "abitest.h"

static void ignore(void *context, const cmr_event *event) { (void)context, (void)event; }

/* An error of a program that was built against a later, larger struct. */
struct larger_error {
    cmr_error error;
    unsigned char later[64];
};
struct larger_stats {
    cmr_stats stats;
    unsigned char later[64];
};

static bool all_bytes_are(const void *memory, unsigned char value, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t index = 0; index < size; index++)
        if (bytes[index] != value) return false;
    return true;
}

TEST("an error struct that is too small is refused and left alone, even where all else is right")
{
    static const uint32_t sizes[] = {0, 1, 4, 24, sizeof(cmr_error) - 1};
    cmr_watcher *watcher = new_watcher(NULL);
    const char *mount = new_mount("mount");
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        cmr_error error;
        memset(&error, 0x5a, sizeof error);
        error.struct_size = sizes[index];
        CHECK_STATUS(cmr_watcher_set_name(watcher, "name", &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_add_mount(watcher, mount, &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_add_file(watcher, "/tmp/f", &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_add_environment(watcher, "APP_", &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_add_default(watcher, "k", "v", 1, &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, NULL, &error),
                     CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_INVALID_ARGUMENT);
        CHECK_STATUS(cmr_mount_write(mount, NULL, 0, &error), CMR_E_INVALID_ARGUMENT);
        CHECK_INT(error.struct_size, sizes[index]);
        CHECK(all_bytes_are((char *)&error + sizeof(uint32_t), 0x5a,
                            sizeof error - sizeof(uint32_t)));
    }
    /* None of these calls did anything. */
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_snapshot_count(snapshot), 0);
    CHECK(access(text("%s/..data", mount), F_OK) != 0);
    cmr_error error = {.struct_size = 8};
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_INVALID_ARGUMENT);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("of an error struct that is larger only the part that the library knows is written")
{
    struct larger_error larger;
    cmr_watcher *watcher = new_watcher(NULL);
    memset(&larger, 0x5a, sizeof larger);
    larger.error.struct_size = sizeof larger;
    CHECK_STATUS(cmr_watcher_add_mount(watcher, "", &larger.error), CMR_E_INVALID_ARGUMENT);
    CHECK_INT(larger.error.status, CMR_E_INVALID_ARGUMENT);
    CHECK(memchr(larger.error.message, 0, sizeof larger.error.message) != NULL);
    CHECK(all_bytes_are(larger.later, 0x5a, sizeof larger.later));
    larger.error.struct_size = UINT32_MAX;
    CHECK_STATUS(cmr_watcher_add_mount(watcher, "", &larger.error), CMR_E_INVALID_ARGUMENT);
    CHECK(all_bytes_are(larger.later, 0x5a, sizeof larger.later));
    cmr_watcher_destroy(watcher);
}

TEST("an error is written whole on failure: no part of an earlier one stays")
{
    cmr_error error;
    cmr_watcher *watcher = new_watcher(NULL);
    memset(&error, 0x5a, sizeof error);
    error.struct_size = sizeof error;
    CHECK_STATUS(cmr_watcher_add_mount(watcher, "", &error), CMR_E_INVALID_ARGUMENT);
    CHECK_INT(error.struct_size, sizeof error);
    CHECK_INT(error.status, CMR_E_INVALID_ARGUMENT);
    CHECK_INT(error.os_errno, 0);
    CHECK_INT(error.line, 0);
    CHECK_INT(error.column, 0);
    CHECK_INT(error.reserved, 0);
    CHECK(memchr(error.stage, 0, sizeof error.stage) != NULL);
    CHECK(memchr(error.key, 0, sizeof error.key) != NULL);
    CHECK(memchr(error.message, 0, sizeof error.message) != NULL);
    cmr_watcher_destroy(watcher);
}

TEST("an error is left alone on success")
{
    const char *mount = new_mount("mount");
    cmr_error error, before;
    cmr_watcher *watcher = NULL;
    memset(&error, 0x5a, sizeof error);
    error.struct_size = sizeof error;
    before = error;
    PUBLISH(mount, FILE_TEXT("level", "info"));
    REQUIRE_OK(cmr_watcher_create(&watcher));
    CHECK_OK(cmr_watcher_set_name(watcher, "name", &error));
    CHECK_OK(cmr_watcher_add_mount(watcher, mount, &error));
    CHECK_OK(cmr_watcher_add_file(watcher, text("%s/level", mount), &error));
    CHECK_OK(cmr_watcher_add_environment(watcher, "APP_", &error));
    CHECK_OK(cmr_watcher_add_default(watcher, "k", "v", 1, &error));
    CHECK_OK(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, NULL, &error));
    CHECK_OK(cmr_watcher_start(watcher, &error));
    CHECK_OK(cmr_watcher_reload(watcher, patience_ms(), NULL, &error));
    CHECK_OK(cmr_mount_write(mount, NULL, 0, &error));
    CHECK(memcmp(&error, &before, sizeof error) == 0);
    cmr_watcher_destroy(watcher);
}

TEST("text in an error is cut between characters and always ends")
{
    /* 300 characters of three bytes: more than the key of an error holds. */
    static char path[1100];
    size_t size = (size_t)snprintf(path, sizeof path, "%s/", test_directory());
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher;
    for (int count = 0; count < 300; count++) {
        if (count % 60 == 59) path[size++] = '/';
        memcpy(path + size, "\xe2\x82\xac", 3);
        size += 3;
    }
    path[size] = '\0';
    watcher = new_watcher(path);
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_IO);
    size_t kept = strlen(error.key);
    CHECK(kept < sizeof error.key && kept > sizeof error.key - 5);
    CHECK(strncmp(error.key, path, kept) == 0);
    CHECK((path[kept] & 0xc0) != 0x80);
    cmr_watcher_destroy(watcher);
}

TEST("a stats struct that is too small is refused and left alone")
{
    static const uint32_t sizes[] = {0, 4, sizeof(cmr_stats) - 1};
    cmr_watcher *watcher = new_watcher(NULL);
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        cmr_stats stats;
        memset(&stats, 0x5a, sizeof stats);
        stats.struct_size = sizes[index];
        CHECK_STATUS(cmr_watcher_stats(watcher, &stats), CMR_E_INVALID_ARGUMENT);
        CHECK_INT(stats.struct_size, sizes[index]);
        CHECK(all_bytes_are((char *)&stats + sizeof(uint32_t), 0x5a,
                            sizeof stats - sizeof(uint32_t)));
    }
    cmr_watcher_destroy(watcher);
}

TEST("of a stats struct that is larger only the part that the library knows is written")
{
    struct larger_stats larger;
    cmr_watcher *watcher = new_watcher(NULL);
    memset(&larger, 0x5a, sizeof larger);
    larger.stats.struct_size = sizeof larger;
    CHECK_OK(cmr_watcher_stats(watcher, &larger.stats));
    CHECK_INT(larger.stats.version, 0);
    CHECK_INT(larger.stats.held_snapshots, 0);
    CHECK(all_bytes_are(larger.later, 0x5a, sizeof larger.later));
    cmr_watcher_destroy(watcher);
}

TEST("outputs are untouched when a function fails")
{
    const char *mount = new_mount("mount");
    const cmr_snapshot *snapshot;
    const char *found = "untouched";
    const void *bytes = "untouched";
    char *json = NULL;
    size_t size = 7;
    int64_t integer = 7;
    uint64_t version = 7, id = 7;
    double number = 7;
    bool truth = true;
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("word", "neither a number nor a truth"), FILE_TEXT("blob", "\xff\xfe"),
            FILE_TEXT("huge", "99999999999999999999"),
            FILE_TEXT("a.json", "{\"list\": [1, {\"x\": 2}]}"));
    watcher = new_watcher(mount);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, NULL, 64, ignore, NULL, &id, NULL),
                 CMR_E_INVALID_ARGUMENT);
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    const cmr_value *object = cmr_snapshot_value(snapshot, "a.json");
    const cmr_value *list = cmr_value_member(object, "list");
    CHECK_STATUS(cmr_snapshot_key(snapshot, 4, &found, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_snapshot_key(snapshot, SIZE_MAX, &found, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_snapshot_bytes(snapshot, "absent", &bytes, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_snapshot_string(snapshot, "absent", &found, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_snapshot_string(snapshot, "a.json", &found, &size), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_string(snapshot, "blob", &found, &size), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, "word", &integer), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, "huge", &integer), CMR_E_RANGE);
    CHECK_STATUS(cmr_snapshot_double(snapshot, "word", &number), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_bool(snapshot, "word", &truth), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_duration(snapshot, "word", &integer), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_quantity(snapshot, "word", &integer), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_json(snapshot, "absent", &json, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_value_name_at(object, 1, &found, &size), CMR_E_NOT_FOUND);
    CHECK_STATUS(cmr_value_name_at(list, 0, &found, &size), CMR_E_TYPE);
    CHECK_STATUS(cmr_value_string(list, &found, &size), CMR_E_TYPE);
    CHECK_STATUS(cmr_value_bytes(list, &bytes, &size), CMR_E_TYPE);
    CHECK_STATUS(cmr_value_int64(list, &integer), CMR_E_TYPE);
    CHECK_STATUS(cmr_value_double(object, &number), CMR_E_TYPE);
    CHECK_STATUS(cmr_value_bool(cmr_value_at(list, 0), &truth), CMR_E_TYPE);
    CHECK_STATUS(cmr_watcher_wait(watcher, 1, 0, &version), CMR_E_TIMEOUT);
    PUBLISH(mount, FILE_TEXT("a.json", "{"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), &version, NULL), CMR_E_PARSE);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_STATUS(cmr_watcher_dispatch(watcher, &size), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_reload(watcher, 0, &version, NULL), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_wait(watcher, 0, 0, &version), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, &id, NULL), CMR_E_STATE);
    CHECK_TEXT(found, "untouched");
    CHECK_TEXT((const char *)bytes, "untouched");
    CHECK(json == NULL && size == 7 && integer == 7 && version == 7 && id == 7 && number == 7.0
          && truth);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("an event carries the size of the library's struct")
{
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(NULL);
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    CHECK_INT(event_at(&recorder, 0)->struct_size, sizeof(cmr_event));
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}
