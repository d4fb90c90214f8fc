/* JSON Schema as the watcher applies it: what is refused when set, what rejects, what is told. */
#include "abitest.h"

static cmr_status set_schema(cmr_watcher *watcher, const char *path, const char *schema,
                             cmr_error *error)
{
    return cmr_watcher_set_schema(watcher, path, schema, strlen(schema), error);
}

/* Notes the violations of the newest rejection. */
struct told {
    struct gate rejected, published;
    size_t count;
    char first[512], error[512];
    cmr_status status;
};
static void note(void *context, const cmr_event *event)
{
    struct told *told = context;
    if (event->kind == CMR_EVENT_REJECTED) {
        const cmr_violation *violation = event->violations;
        told->count = event->violation_count;
        told->status = event->error->status;
        snprintf(told->error, sizeof told->error, "%s:%u:%u %s", event->error->key,
                 event->error->line, event->error->column, event->error->stage);
        if (told->count > 0)
            snprintf(told->first, sizeof told->first, "%s %s %s %s %u:%u", violation->key,
                     violation->instance_path, violation->schema_path, violation->keyword,
                     violation->line, violation->column);
        gate_open(&told->rejected);
    } else {
        CHECK(event->violations == NULL);
        CHECK_INT(event->violation_count, 0);
        gate_open(&told->published);
    }
}

TEST("what breaks a schema is not published, and all of it is told with its place")
{
    const char *mount = new_mount("mount");
    struct told told = {.rejected = GATE_INIT, .published = GATE_INIT};
    char *json = NULL;
    size_t size = 0;
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("features.json", "{\"rate\": 1, \"name\": \"x\"}"));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, note, &told, NULL, NULL));
    REQUIRE_OK(set_schema(watcher, "features.json",
                          "{\"properties\": {\"rate\": {\"type\": \"integer\", \"maximum\": 10},"
                          " \"name\": {\"type\": \"string\"}}, \"required\": [\"rate\"]}", NULL));
    start(watcher);
    CHECK_STATUS(cmr_watcher_violations(watcher, &json, &size), CMR_E_NOT_FOUND);
    PUBLISH(mount, FILE_TEXT("features.json", "{\n  \"rate\": 11,\n  \"name\": \"s3cret\" }"));
    REQUIRE(gate_wait(&told.rejected, 1));
    CHECK_INT(told.count, 1);
    CHECK_TEXT(told.first, "features.json /rate /properties/rate/maximum maximum 2:11");
    CHECK_TEXT(told.error, "features.json:2:11 validate");
    CHECK_INT(told.status, CMR_E_REJECTED);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.healthy, 0);

    PUBLISH(mount, FILE_TEXT("features.json", "{\n  \"rate\": \"s3cret\",\n  \"name\": 5 }"));
    REQUIRE(gate_wait(&told.rejected, 2));
    CHECK_INT(told.count, 2);
    REQUIRE_OK(cmr_watcher_violations(watcher, &json, &size));
    CHECK_INT(strlen(json), size);
    CHECK(strstr(json, "\"instance_path\":\"/rate\"") != NULL);
    CHECK(strstr(json, "\"instance_path\":\"/name\"") != NULL);
    CHECK(strstr(json, "\"schema_path\":\"/properties/name/type\"") != NULL);
    CHECK(strstr(json, "s3cret") == NULL);
    cmr_free(json);

    PUBLISH(mount, FILE_TEXT("features.json", "{\"rate\": 2}"));
    await_version(watcher, 2);
    CHECK_STATUS(cmr_watcher_violations(watcher, &json, &size), CMR_E_NOT_FOUND);
    PUBLISH(mount, FILE_TEXT("features.json", "{"));
    REQUIRE(gate_wait(&told.rejected, 3));
    CHECK_INT(told.count, 0);
    REQUIRE_OK(cmr_watcher_violations(watcher, &json, NULL));
    CHECK_TEXT(json, "[]");
    cmr_free(json);
    cmr_watcher_destroy(watcher);
}

TEST("a schema for the whole configuration sees an object of keys, and text as what it reads as")
{
    const char *mount = new_mount("mount");
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(set_schema(watcher, "",
                          "{\"type\": \"object\", \"required\": [\"PORT\"], \"properties\": {"
                          "\"PORT\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535},"
                          "\"DEBUG\": {\"type\": \"boolean\"},"
                          "\"app.json\": {\"required\": [\"name\"]}}}", &error));
    PUBLISH(mount, FILE_TEXT("PORT", "99999\n"));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "PORT");
    char *json = NULL;
    REQUIRE_OK(cmr_watcher_violations(watcher, &json, NULL));
    CHECK(strstr(json, "\"keyword\":\"maximum\"") != NULL);
    cmr_free(json);
    PUBLISH(mount, FILE_TEXT("PORT", "8080\n"), FILE_TEXT("DEBUG", "off"),
            FILE_TEXT("app.json", "{\"name\": 1}"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("DEBUG", "off"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK(strstr(error.message, "PORT") != NULL);
    PUBLISH(mount, FILE_TEXT("PORT", "1"), FILE_TEXT("DEBUG", "perhaps"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "DEBUG");
    CHECK(strstr(error.message, "perhaps") == NULL);
    PUBLISH(mount, FILE_TEXT("PORT", "1"), FILE_TEXT("app.json", "{}"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "app.json");
    CHECK_TEXT(current_text(watcher, "PORT"), "8080");
    cmr_watcher_destroy(watcher);
}

TEST("strings within a parsed value are no numbers, whatever they read as")
{
    static const struct { const char *path, *schema; } asked[] = {
        {"a.env", "{\"properties\": {\"PORT\": {\"type\": \"integer\"}}}"},
        {"a.env#/PORT", "{\"type\": \"integer\"}"},
        {"", "{\"properties\": {\"a.env\":"
             " {\"properties\": {\"PORT\": {\"type\": \"integer\"}}}}}"},
    };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.env", "PORT=8080\n"), FILE_TEXT("PORT", "8080"));
    start(watcher);
    for (size_t index = 0; index < sizeof asked / sizeof *asked; index++) {
        about("%s", asked[index].path);
        cmr_error error = CMR_ERROR_INIT;
        CHECK_STATUS(set_schema(watcher, asked[index].path, asked[index].schema, &error),
                     CMR_E_REJECTED);
        CHECK(strstr(error.message, "at /PORT: expected an integer, found a string") != NULL);
    }
    CHECK_OK(set_schema(watcher, "PORT", "{\"type\": \"integer\"}", NULL));
    CHECK_OK(set_schema(watcher, "a.env#/PORT", "{\"pattern\": \"^[0-9]+$\"}", NULL));
    cmr_watcher_destroy(watcher);
}

TEST("what breaks a schema and is in no text has no line: the whole, and names of keys")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error = CMR_ERROR_INIT;
    PUBLISH(mount, FILE_TEXT("Key", "1"));
    start(watcher);
    CHECK_STATUS(set_schema(watcher, "", "{\"required\": [\"PORT\"]}", &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "");
    CHECK(error.line == 0 && error.column == 0);
    CHECK_STATUS(set_schema(watcher, "", "{\"propertyNames\": {\"maxLength\": 2}}", &error),
                 CMR_E_REJECTED);
    CHECK_TEXT(error.key, "Key");
    CHECK(error.line == 0 && error.column == 0);
    cmr_watcher_destroy(watcher);
}

TEST("a schema that is wrong is refused when it is set, with the place")
{
    static const struct { const char *schema; cmr_status status; uint32_t line, column; } rows[] = {
        {"{\"type\": 5}", CMR_E_INVALID_ARGUMENT, 1, 10},
        {"{\n \"minimum\": \"1\"}", CMR_E_INVALID_ARGUMENT, 2, 13},
        {"{\"pattern\": \"(?=a)\"}", CMR_E_INVALID_ARGUMENT, 1, 13},
        {"{\"pattern\": \"(a)\\\\1\"}", CMR_E_INVALID_ARGUMENT, 1, 13},
        {"{\"pattern\": \"\\\\p{Script=Greek}\"}", CMR_E_INVALID_ARGUMENT, 1, 13},
        {"{\"$ref\": \"http://nowhere.example/schema\"}", CMR_E_INVALID_ARGUMENT, 1, 10},
        {"{\"type\": ", CMR_E_PARSE, 1, 10},
        {"[]", CMR_E_INVALID_ARGUMENT, 1, 1},
        {"", CMR_E_PARSE, 1, 1},
    };
    cmr_watcher *watcher = new_watcher(NULL);
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++) {
        cmr_error error = CMR_ERROR_INIT;
        about("%s", rows[index].schema);
        CHECK_STATUS(set_schema(watcher, "a.json", rows[index].schema, &error),
                     rows[index].status);
        CHECK_INT(error.line, rows[index].line);
        CHECK_INT(error.column, rows[index].column);
        CHECK_TEXT(error.key, "a.json");
    }
    /* None of them was set. */
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", "5", 1, NULL));
    start(watcher);
    cmr_watcher_destroy(watcher);
}

TEST("a schema may refer to others that were added, and nothing is fetched")
{
    const char *mount = new_mount("mount");
    cmr_error error = CMR_ERROR_INIT;
    static const char port[] = "{\"$defs\": {\"port\": {\"type\": \"integer\", \"minimum\": 1}}}";
    static const char schema[] = "{\"properties\": {\"p\": {\"$ref\": "
                                 "\"https://example.com/port.json#/$defs/port\"}}}";
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_STATUS(set_schema(watcher, "a.json", schema, &error), CMR_E_INVALID_ARGUMENT);
    REQUIRE_OK(cmr_watcher_add_schema(watcher, "https://example.com/port.json", port,
                                      sizeof port - 1, &error));
    CHECK_STATUS(cmr_watcher_add_schema(watcher, "https://example.com/port.json", port,
                                        sizeof port - 1, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_add_schema(watcher, "https://example.com/x#y", port, sizeof port - 1,
                                        &error), CMR_E_INVALID_ARGUMENT);
    REQUIRE_FINE(set_schema(watcher, "a.json", schema, &error), error);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"p\": 1}"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"p\": 0}"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    cmr_watcher_destroy(watcher);
}

TEST("format annotates, and rejects only in schemas that are set after the option")
{
    const char *mount = new_mount("mount");
    static const char schema[] = "{\"properties\": {\"when\": {\"format\": \"date-time\"}}}";
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(set_schema(watcher, "lax.json", schema, NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_ASSERT_FORMAT, 1));
    REQUIRE_OK(set_schema(watcher, "strict.json", schema, NULL));
    PUBLISH(mount, FILE_TEXT("lax.json", "{\"when\": \"later\"}"),
            FILE_TEXT("strict.json", "{\"when\": \"2026-11-22T08:45:04Z\"}"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("strict.json", "{\"when\": \"later\"}"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    cmr_watcher_destroy(watcher);
}

TEST("a schema on a started watcher must hold for the current version, and may be taken away")
{
    const char *mount = new_mount("mount");
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"list\": [1, 2]}"));
    start(watcher);
    CHECK_STATUS(set_schema(watcher, "a.json#/list", "{\"maxItems\": 1}", &error), CMR_E_REJECTED);
    CHECK_TEXT(error.key, "a.json");
    CHECK_OK(set_schema(watcher, "a.json#/list", "{\"maxItems\": 2}", &error));
    PUBLISH(mount, FILE_TEXT("a.json", "{\"list\": [1, 2, 3]}"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    /* Without it what was held back comes. */
    CHECK_OK(cmr_watcher_set_schema(watcher, "a.json#/list", NULL, 0, &error));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_STATUS(set_schema(watcher, "a.json", "{}", &error), CMR_E_STATE);
    cmr_watcher_destroy(watcher);
}

TEST("more violations than anybody reads are counted and cut at a hundred")
{
    const char *mount = new_mount("mount");
    struct told told = {.rejected = GATE_INIT, .published = GATE_INIT};
    static char content[4000] = "[0";
    cmr_watcher *watcher = new_watcher(mount);
    for (int index = 0; index < 999; index++) strcat(content, ",0");
    strcat(content, "]");
    PUBLISH(mount, FILE_TEXT("a.json", "[]"));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, note, &told, NULL, NULL));
    REQUIRE_OK(set_schema(watcher, "a.json", "{\"items\": {\"minimum\": 1}}", NULL));
    start(watcher);
    PUBLISH(mount, {"a.json", content, strlen(content), 0, 0});
    REQUIRE(gate_wait(&told.rejected, 1));
    CHECK_INT(told.count, 100);
    cmr_error error = CMR_ERROR_INIT;
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
    CHECK(strstr(error.message, "999 more") != NULL);
    cmr_watcher_destroy(watcher);
}
