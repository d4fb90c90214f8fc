/* Every function with every pointer NULL: the documented answer, and never a trap. */
#include "abitest.h"

static void ignore(void *context, const cmr_event *event) { (void)context, (void)event; }
static void ignore_close(void *context) { (void)context; }
static cmr_status accept(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    (void)context, (void)candidate, (void)error;
    return CMR_OK;
}

/* Each call that must answer CMR_E_INVALID_ARGUMENT says so in the error as well. */
#define CHECK_REFUSED(call) \
    do { \
        cmr_error error = CMR_ERROR_INIT; \
        CHECK_STATUS(call, CMR_E_INVALID_ARGUMENT); \
        CHECK_INT(error.status, CMR_E_INVALID_ARGUMENT); \
        CHECK(error.message[0] != '\0'); \
    } while (0)
#define CHECK_INVALID(call) CHECK_STATUS(call, CMR_E_INVALID_ARGUMENT)

static cmr_status refuse(void *context, const char *key, const void *bytes, size_t size,
                         cmr_sink *json, cmr_error *error)
{
    (void)context, (void)key, (void)bytes, (void)size, (void)json, (void)error;
    return CMR_E_PARSE;
}

static cmr_watcher *started_watcher(void)
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher;
    PUBLISH(mount, FILE_TEXT("level", "info"),
            FILE_TEXT("a.json", "{\"list\":[1],\"text\":\"x\"}"));
    watcher = new_watcher(mount);
    start(watcher);
    return watcher;
}

TEST("a NULL watcher is refused by every function that has a status")
{
    CHECK_INVALID(cmr_watcher_create(NULL));
    CHECK_REFUSED(cmr_watcher_set_name(NULL, "name", &error));
    CHECK_INVALID(cmr_watcher_set_option(NULL, CMR_OPTION_SETTLE_MS, 1));
    CHECK_REFUSED(cmr_watcher_add_mount(NULL, "/tmp", &error));
    CHECK_REFUSED(cmr_watcher_add_file(NULL, "/tmp/file", &error));
    CHECK_REFUSED(cmr_watcher_add_environment(NULL, "APP_", &error));
    CHECK_REFUSED(cmr_watcher_add_default(NULL, "key", "value", 5, &error));
    CHECK_INVALID(cmr_watcher_set_closed(NULL, ignore_close, NULL));
    CHECK_REFUSED(cmr_watcher_start(NULL, &error));
    CHECK_INVALID(cmr_watcher_stop(NULL, 0));
    CHECK_REFUSED(cmr_watcher_subscribe(NULL, NULL, 0, ignore, NULL, NULL, &error));
    CHECK_INVALID(cmr_watcher_unsubscribe(NULL, 1));
    CHECK_INVALID(cmr_watcher_dispatch(NULL, NULL));
    CHECK_REFUSED(cmr_watcher_reload(NULL, 0, NULL, &error));
    CHECK_INVALID(cmr_watcher_wait(NULL, 0, 0, NULL));
    CHECK_REFUSED(cmr_watcher_set_schema(NULL, "", "{}", 2, &error));
    CHECK_REFUSED(cmr_watcher_add_schema(NULL, "a", "{}", 2, &error));
    char *json = NULL;
    CHECK_INVALID(cmr_watcher_violations(NULL, &json, NULL));
    CHECK_INVALID(cmr_watcher_set_validator(NULL, accept, NULL));
    CHECK_REFUSED(cmr_watcher_set_format(NULL, "key", CMR_FORMAT_JSON, &error));
    CHECK_REFUSED(cmr_watcher_set_parser(NULL, "key", refuse, NULL, &error));
    CHECK_INVALID(cmr_sink_write(NULL, "1", 1));
    CHECK_REFUSED(cmr_watcher_rollback(NULL, 0, NULL, &error));
    CHECK_INVALID(cmr_watcher_confirm(NULL, 1));
    const cmr_snapshot *former = NULL;
    CHECK_INVALID(cmr_watcher_history(NULL, 0, &former));
    CHECK_INVALID(cmr_watcher_drain(NULL, 1, 0, NULL));
    cmr_stats stats = CMR_STATS_INIT;
    CHECK_INVALID(cmr_watcher_stats(NULL, &stats));
    size_t size = 7;
    CHECK_INVALID(cmr_watcher_metrics(NULL, NULL, 0, &size));
    CHECK_INT(size, 7);
    cmr_reader *reader = NULL;
    CHECK_INVALID(cmr_reader_create(NULL, &reader));
    const cmr_cell *cell = NULL;
    CHECK_INVALID(cmr_watcher_bind_int64(NULL, "key", 0, &cell));
    CHECK_INVALID(cmr_watcher_bind_double(NULL, "key", 0, &cell));
    CHECK_INVALID(cmr_watcher_bind_bool(NULL, "key", false, &cell));
    CHECK(reader == NULL && cell == NULL);
}

TEST("a NULL watcher answers NULL, 0 or -1, or nothing, where there is no status")
{
    CHECK(cmr_watcher_acquire(NULL) == NULL);
    CHECK_INT(cmr_watcher_version(NULL), 0);
    CHECK(cmr_watcher_version_word(NULL) == NULL);
    CHECK_INT(cmr_watcher_event_fd(NULL), -1);
    cmr_watcher_request_reload(NULL);
    cmr_watcher_destroy(NULL);
    cmr_snapshot_release(NULL);
    cmr_free(NULL);
}

TEST("a NULL reader has nothing, and nothing is done to it")
{
    CHECK(cmr_reader_current(NULL) == NULL);
    cmr_reader_park(NULL);
    cmr_reader_destroy(NULL);
}

TEST("a NULL among the inputs of a watcher's functions is refused")
{
    cmr_watcher *watcher = new_watcher(NULL);
    CHECK_REFUSED(cmr_watcher_set_name(watcher, NULL, &error));
    CHECK_REFUSED(cmr_watcher_add_mount(watcher, NULL, &error));
    CHECK_REFUSED(cmr_watcher_add_file(watcher, NULL, &error));
    CHECK_REFUSED(cmr_watcher_add_environment(watcher, NULL, &error));
    CHECK_REFUSED(cmr_watcher_add_default(watcher, NULL, "value", 5, &error));
    CHECK_REFUSED(cmr_watcher_add_default(watcher, "key", NULL, 5, &error));
    CHECK_INVALID(cmr_watcher_set_closed(watcher, NULL, NULL));
    CHECK_REFUSED(cmr_watcher_set_format(watcher, NULL, CMR_FORMAT_JSON, &error));
    CHECK_REFUSED(cmr_watcher_set_parser(watcher, NULL, refuse, NULL, &error));
    CHECK_REFUSED(cmr_watcher_set_parser(watcher, "key", NULL, NULL, &error));
    CHECK_REFUSED(cmr_watcher_subscribe(watcher, NULL, 0, NULL, NULL, NULL, &error));
    CHECK_INVALID(cmr_watcher_stats(watcher, NULL));
    char buffer[8];
    size_t size = 7;
    CHECK_INVALID(cmr_watcher_metrics(watcher, NULL, 1, &size));
    CHECK_INVALID(cmr_watcher_metrics(watcher, buffer, sizeof buffer, NULL));
    CHECK_INVALID(cmr_metrics(NULL, 1, &size));
    CHECK_INVALID(cmr_metrics(buffer, sizeof buffer, NULL));
    CHECK_INT(size, 7);
    const cmr_cell *cell = NULL;
    CHECK_INVALID(cmr_reader_create(watcher, NULL));
    CHECK_INVALID(cmr_watcher_bind_int64(watcher, NULL, 0, &cell));
    CHECK_INVALID(cmr_watcher_bind_int64(watcher, "key", 0, NULL));
    CHECK_INVALID(cmr_watcher_bind_double(watcher, NULL, 0, &cell));
    CHECK_INVALID(cmr_watcher_bind_double(watcher, "key", 0, NULL));
    CHECK_INVALID(cmr_watcher_bind_bool(watcher, NULL, false, &cell));
    CHECK_INVALID(cmr_watcher_bind_bool(watcher, "key", false, NULL));
    CHECK(cell == NULL);
    cmr_watcher_destroy(watcher);
}

TEST("an error that is NULL is no reason to fail, nor to trap")
{
    cmr_watcher *watcher = new_watcher(NULL);
    CHECK_INVALID(cmr_watcher_set_name(watcher, NULL, NULL));
    CHECK_INVALID(cmr_watcher_add_mount(watcher, NULL, NULL));
    CHECK_INVALID(cmr_watcher_add_file(watcher, NULL, NULL));
    CHECK_INVALID(cmr_watcher_add_environment(watcher, NULL, NULL));
    CHECK_INVALID(cmr_watcher_add_default(watcher, NULL, NULL, 0, NULL));
    CHECK_INVALID(cmr_watcher_subscribe(watcher, NULL, 0, NULL, NULL, NULL, NULL));
    CHECK_INVALID(cmr_watcher_start(NULL, NULL));
    CHECK_INVALID(cmr_watcher_reload(NULL, 0, NULL, NULL));
    CHECK_INVALID(cmr_mount_write(NULL, NULL, 0, NULL));
    CHECK_OK(cmr_watcher_set_name(watcher, "name", NULL));
    CHECK_OK(cmr_watcher_add_default(watcher, "key", NULL, 0, NULL));
    CHECK_OK(cmr_watcher_start(watcher, NULL));
    CHECK_OK(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
}

TEST("outputs that may be NULL may be NULL")
{
    cmr_watcher *watcher = started_watcher();
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const cmr_value *object = cmr_snapshot_value(snapshot, "a.json");
    const char *found = NULL;
    const void *bytes = NULL;
    char *json = NULL;
    CHECK_OK(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, NULL, NULL));
    CHECK_OK(cmr_watcher_dispatch(watcher, NULL));
    CHECK_OK(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL));
    CHECK_OK(cmr_watcher_wait(watcher, 0, 0, NULL));
    CHECK_OK(cmr_snapshot_key(snapshot, 0, &found, NULL));
    CHECK_OK(cmr_snapshot_bytes(snapshot, "level", &bytes, NULL));
    CHECK_OK(cmr_snapshot_string(snapshot, "level", &found, NULL));
    CHECK_OK(cmr_snapshot_json(snapshot, "", &json, NULL));
    CHECK_OK(cmr_value_name_at(object, 0, &found, NULL));
    CHECK_OK(cmr_value_string(cmr_value_member(object, "text"), &found, NULL));
    CHECK_OK(cmr_value_bytes(cmr_value_member(object, "text"), &bytes, NULL));
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("a NULL snapshot is refused by every function that has a status")
{
    const char *found = "untouched";
    const void *bytes = "untouched";
    char *json = NULL;
    size_t size = 7;
    int64_t integer = 7;
    double number = 7;
    bool truth = true;
    CHECK_INVALID(cmr_snapshot_key(NULL, 0, &found, &size));
    CHECK_INVALID(cmr_snapshot_bytes(NULL, "level", &bytes, &size));
    CHECK_INVALID(cmr_snapshot_string(NULL, "level", &found, &size));
    CHECK_INVALID(cmr_snapshot_int64(NULL, "level", &integer));
    CHECK_INVALID(cmr_snapshot_double(NULL, "level", &number));
    CHECK_INVALID(cmr_snapshot_bool(NULL, "level", &truth));
    CHECK_INVALID(cmr_snapshot_duration(NULL, "level", &integer));
    CHECK_INVALID(cmr_snapshot_quantity(NULL, "level", &integer));
    CHECK_INVALID(cmr_snapshot_json(NULL, "level", &json, &size));
    CHECK_TEXT(found, "untouched");
    CHECK_TEXT((const char *)bytes, "untouched");
    CHECK(json == NULL && size == 7 && integer == 7 && number == 7.0 && truth);
}

TEST("a NULL snapshot answers NULL or 0 where there is no status")
{
    CHECK(cmr_snapshot_retain(NULL) == NULL);
    CHECK_INT(cmr_snapshot_version(NULL), 0);
    CHECK_INT(cmr_snapshot_published_ns(NULL), 0);
    CHECK(cmr_snapshot_checksum(NULL) == NULL);
    CHECK(cmr_snapshot_generation(NULL) == NULL);
    CHECK_INT(cmr_snapshot_count(NULL), 0);
    CHECK(cmr_snapshot_value(NULL, "level") == NULL);
}

TEST("a NULL path or output of a snapshot's functions is refused")
{
    cmr_watcher *watcher = started_watcher();
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const char *found = NULL;
    const void *bytes = NULL;
    char *json = NULL;
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    CHECK_INVALID(cmr_snapshot_key(snapshot, 0, NULL, NULL));
    CHECK_INVALID(cmr_snapshot_bytes(snapshot, NULL, &bytes, NULL));
    CHECK_INVALID(cmr_snapshot_bytes(snapshot, "level", NULL, NULL));
    CHECK_INVALID(cmr_snapshot_string(snapshot, NULL, &found, NULL));
    CHECK_INVALID(cmr_snapshot_string(snapshot, "level", NULL, NULL));
    CHECK_INVALID(cmr_snapshot_int64(snapshot, NULL, &integer));
    CHECK_INVALID(cmr_snapshot_int64(snapshot, "level", NULL));
    CHECK_INVALID(cmr_snapshot_double(snapshot, NULL, &number));
    CHECK_INVALID(cmr_snapshot_double(snapshot, "level", NULL));
    CHECK_INVALID(cmr_snapshot_bool(snapshot, NULL, &truth));
    CHECK_INVALID(cmr_snapshot_bool(snapshot, "level", NULL));
    CHECK_INVALID(cmr_snapshot_duration(snapshot, NULL, &integer));
    CHECK_INVALID(cmr_snapshot_duration(snapshot, "level", NULL));
    CHECK_INVALID(cmr_snapshot_quantity(snapshot, NULL, &integer));
    CHECK_INVALID(cmr_snapshot_quantity(snapshot, "level", NULL));
    CHECK_INVALID(cmr_snapshot_json(snapshot, NULL, &json, NULL));
    CHECK_INVALID(cmr_snapshot_json(snapshot, "level", NULL, NULL));
    CHECK(cmr_snapshot_value(snapshot, NULL) == NULL);
    /* NULL comes before all else: an absent key, too, is refused. */
    CHECK_INVALID(cmr_snapshot_int64(snapshot, "absent", NULL));
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("a NULL value answers none, 0 or NULL, and is refused where there is a status")
{
    const char *found = NULL;
    const void *bytes = NULL;
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    CHECK_INT(cmr_value_type(NULL), CMR_TYPE_NONE);
    CHECK_INT(cmr_value_count(NULL), 0);
    CHECK(cmr_value_at(NULL, 0) == NULL);
    CHECK(cmr_value_member(NULL, "name") == NULL);
    CHECK_INVALID(cmr_value_name_at(NULL, 0, &found, NULL));
    CHECK_INVALID(cmr_value_string(NULL, &found, NULL));
    CHECK_INVALID(cmr_value_bytes(NULL, &bytes, NULL));
    CHECK_INVALID(cmr_value_int64(NULL, &integer));
    CHECK_INVALID(cmr_value_double(NULL, &number));
    CHECK_INVALID(cmr_value_bool(NULL, &truth));
}

TEST("a NULL output of a value's functions is refused")
{
    cmr_watcher *watcher = started_watcher();
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const cmr_value *object = cmr_snapshot_value(snapshot, "a.json");
    REQUIRE(object != NULL);
    CHECK(cmr_value_member(object, NULL) == NULL);
    CHECK_INVALID(cmr_value_name_at(object, 0, NULL, NULL));
    CHECK_INVALID(cmr_value_string(object, NULL, NULL));
    CHECK_INVALID(cmr_value_bytes(object, NULL, NULL));
    CHECK_INVALID(cmr_value_int64(object, NULL));
    CHECK_INVALID(cmr_value_double(object, NULL));
    CHECK_INVALID(cmr_value_bool(object, NULL));
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("a NULL among the inputs of cmr_mount_write is refused and nothing is written")
{
    const char *mount = new_mount("mount");
    const cmr_file no_key[] = {{NULL, "x", 1, 0, 0}};
    const cmr_file no_bytes[] = {{"key", NULL, 1, 0, 0}};
    const cmr_file empty[] = {{"key", NULL, 0, 0, 0}};
    CHECK_REFUSED(cmr_mount_write(NULL, empty, 1, &error));
    CHECK_REFUSED(cmr_mount_write(mount, NULL, 1, &error));
    CHECK_REFUSED(cmr_mount_write(mount, no_key, 1, &error));
    CHECK_REFUSED(cmr_mount_write(mount, no_bytes, 1, &error));
    CHECK(access(text("%s/..data", mount), F_OK) != 0);
    CHECK_OK(cmr_mount_write(mount, NULL, 0, NULL));
    CHECK_OK(cmr_mount_write(mount, empty, 1, NULL));
    CHECK(access(text("%s/key", mount), F_OK) == 0);
}

TEST("the log handler may be NULL, whatever the level")
{
    CHECK_OK(cmr_set_log_handler(NULL, NULL, CMR_LOG_INFO));
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 99));
}

TEST("a status has a name whatever its number")
{
    CHECK_TEXT(cmr_status_name(CMR_OK), "CMR_OK");
    CHECK_TEXT(cmr_status_name(CMR_E_INVALID_ARGUMENT), "CMR_E_INVALID_ARGUMENT");
    CHECK_TEXT(cmr_status_name(CMR_E_NOT_FOUND), "CMR_E_NOT_FOUND");
    CHECK_TEXT(cmr_status_name(CMR_E_TYPE), "CMR_E_TYPE");
    CHECK_TEXT(cmr_status_name(CMR_E_RANGE), "CMR_E_RANGE");
    CHECK_TEXT(cmr_status_name(CMR_E_IO), "CMR_E_IO");
    CHECK_TEXT(cmr_status_name(CMR_E_PARSE), "CMR_E_PARSE");
    CHECK_TEXT(cmr_status_name(CMR_E_REJECTED), "CMR_E_REJECTED");
    CHECK_TEXT(cmr_status_name(CMR_E_LIMIT), "CMR_E_LIMIT");
    CHECK_TEXT(cmr_status_name(CMR_E_STATE), "CMR_E_STATE");
    CHECK_TEXT(cmr_status_name(CMR_E_TIMEOUT), "CMR_E_TIMEOUT");
    CHECK_TEXT(cmr_status_name(CMR_E_UNAVAILABLE), "CMR_E_UNAVAILABLE");
    CHECK_TEXT(cmr_status_name(CMR_E_DENIED), "CMR_E_DENIED");
    CHECK_TEXT(cmr_status_name(CMR_E_NO_MEMORY), "CMR_E_NO_MEMORY");
    CHECK_TEXT(cmr_status_name(14), "unknown");
    CHECK_TEXT(cmr_status_name(-1), "unknown");
    CHECK_TEXT(cmr_status_name(INT32_MIN), "unknown");
    CHECK_TEXT(cmr_status_name(INT32_MAX), "unknown");
}

TEST("the loaded library is the one of this header")
{
    CHECK_TEXT(cmr_version(), CMR_VERSION);
    CHECK_INT(cmr_abi_version(), CMR_VERSION_MAJOR << 16 | CMR_VERSION_MINOR);
}
