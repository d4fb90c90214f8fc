/* Reading a snapshot: paths, pointers, types, and the same rules for every string. */
#include "abitest.h"

#include <time.h>

static cmr_watcher *watcher;
static const cmr_snapshot *snapshot;

/* Starts a watcher on these files and acquires the snapshot of them. */
static void load(const cmr_file *files, size_t count)
{
    const char *mount = new_mount("mount");
    publish(mount, files, count);
    watcher = new_watcher(mount);
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    REQUIRE(snapshot != NULL);
}
#define LOAD(...) \
    do { \
        const cmr_file files_[] = {__VA_ARGS__}; \
        load(files_, sizeof files_ / sizeof *files_); \
    } while (0)

static void unload(void)
{
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

static const char *string_at(const char *path)
{
    const char *found = NULL;
    size_t size = 0;
    cmr_status status = cmr_snapshot_string(snapshot, path, &found, &size);
    if (status != CMR_OK) return text("<%s>", cmr_status_name(status));
    CHECK_INT(strlen(found), size);
    return found;
}

static const char *json_at(const char *path)
{
    char *json = NULL;
    size_t size = 0;
    cmr_status status = cmr_snapshot_json(snapshot, path, &json, &size);
    const char *kept;
    if (status != CMR_OK) return text("<%s>", cmr_status_name(status));
    CHECK_INT(strlen(json), size);
    kept = text("%s", json);
    cmr_free(json);
    return kept;
}

/* ---- Keys and bytes ---- */

TEST("keys are sorted by their bytes and counted")
{
    static const char *sorted[] = {"A", "B.json", "a", "a-b", "a.b", "a/b", "b", "\xc3\xa4"};
    LOAD(FILE_TEXT("b", "1"), FILE_TEXT("a/b", "2"), FILE_TEXT("\xc3\xa4", "3"),
         FILE_TEXT("a.b", "4"), FILE_TEXT("A", "5"), FILE_TEXT("a-b", "6"),
         FILE_TEXT("B.json", "7"));
    /* "a" and "a/b" cannot both be files of one mount. */
    size_t row = 0;
    CHECK_INT(cmr_snapshot_count(snapshot), 7);
    for (size_t index = 0; index < cmr_snapshot_count(snapshot); index++, row++) {
        const char *key = NULL;
        size_t size = 0;
        if (strcmp(sorted[row], "a") == 0) row++;
        CHECK_OK(cmr_snapshot_key(snapshot, index, &key, &size));
        CHECK_TEXT(key, sorted[row]);
        CHECK_INT(size, strlen(sorted[row]));
    }
    unload();
}

TEST("bytes are exactly what is stored, followed by a NUL")
{
    static const char stored[] = "  \n\t with space, NUL \0 and CRLF \r\n\n";
    const void *bytes = NULL;
    size_t size = 0;
    LOAD({"key", stored, sizeof stored - 1, 0, 0}, FILE_TEXT("empty", ""),
         FILE_TEXT("a.json", " {\"a\": 1}\n"));
    CHECK_OK(cmr_snapshot_bytes(snapshot, "key", &bytes, &size));
    CHECK_INT(size, sizeof stored - 1);
    CHECK(memcmp(bytes, stored, sizeof stored) == 0);
    CHECK_OK(cmr_snapshot_bytes(snapshot, "empty", &bytes, &size));
    CHECK_INT(size, 0);
    CHECK_TEXT((const char *)bytes, "");
    CHECK_OK(cmr_snapshot_bytes(snapshot, "a.json", &bytes, &size));
    CHECK_TEXT((const char *)bytes, " {\"a\": 1}\n");
    CHECK_STATUS(cmr_snapshot_bytes(snapshot, "a.json#/a", &bytes, &size), CMR_E_NOT_FOUND);
    unload();
}

TEST("the white space around a text is not part of the string, that within is")
{
    LOAD(FILE_TEXT("one", "value\n"), FILE_TEXT("two", " \t\r\n two  words \n\n"),
         FILE_TEXT("three", " \n\t "), FILE_TEXT("four", ""), FILE_TEXT("five", "same"));
    CHECK_TEXT(string_at("one"), "value");
    CHECK_TEXT(string_at("two"), "two  words");
    CHECK_TEXT(string_at("three"), "");
    CHECK_TEXT(string_at("four"), "");
    CHECK_TEXT(string_at("five"), "same");
    unload();
}

TEST("a string within a value keeps its white space")
{
    LOAD(FILE_TEXT("a.json", "{\"text\": \" x \"}"));
    CHECK_TEXT(string_at("a.json#/text"), " x ");
    unload();
}

TEST("a text with a NUL in it is counted whole")
{
    static const char stored[] = "before\0after";
    const char *found = NULL;
    size_t size = 0;
    LOAD({"key", stored, sizeof stored - 1, 0, 0}, FILE_TEXT("a.json", "\"x\\u0000y\""));
    CHECK_OK(cmr_snapshot_string(snapshot, "key", &found, &size));
    CHECK_INT(size, sizeof stored - 1);
    CHECK(memcmp(found, stored, sizeof stored) == 0);
    CHECK_OK(cmr_snapshot_string(snapshot, "a.json", &found, &size));
    CHECK_INT(size, 3);
    CHECK(memcmp(found, "x\0y", 4) == 0);
    CHECK_TEXT(json_at("a.json"), "\"x\\u0000y\"");
    unload();
}

TEST("a text that is not UTF-8 is of type BYTES: no string, base64 in JSON")
{
    static const char *const not_utf8[] = {
        "\xff", "\xc3", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82",
        "\xf0\x80\x80\x80",
    };
    const void *bytes = NULL;
    size_t size = 0;
    cmr_file files[8];
    for (size_t index = 0; index < 8; index++)
        files[index] = (cmr_file){text("k%zu", index), not_utf8[index], strlen(not_utf8[index]), 0,
                                  0};
    load(files, 8);
    for (size_t index = 0; index < 8; index++) {
        const char *key = text("k%zu", index);
        const cmr_value *value = cmr_snapshot_value(snapshot, key);
        int64_t integer = 0;
        CHECK_INT(cmr_value_type(value), CMR_TYPE_BYTES);
        CHECK_TEXT(string_at(key), "<CMR_E_TYPE>");
        CHECK_STATUS(cmr_snapshot_int64(snapshot, key, &integer), CMR_E_TYPE);
        CHECK_OK(cmr_value_bytes(value, &bytes, &size));
        CHECK_INT(size, strlen(not_utf8[index]));
        CHECK(memcmp(bytes, not_utf8[index], size + 1) == 0);
    }
    CHECK_TEXT(json_at("k0"), "\"/w==\"");
    CHECK_TEXT(json_at("k2"), "\"YYA=\"");
    CHECK_TEXT(json_at("k4"), "\"7aCA\"");
    unload();
}

/* ---- Paths ---- */

TEST("a path is a key, or a key and a pointer into its value")
{
    LOAD(FILE_TEXT("a.json", "{\"server\": {\"port\": 80, \"names\": [\"x\", \"y\"]},"
                             " \"\": \"empty\", \"a/b\": \"slash\", \"m~n\": \"tilde\","
                             " \"~1\": \"both\", \"%\": \"percent\", \"0\": \"zero\","
                             " \"#\": \"hash\"}"),
         FILE_TEXT("list.json", "[10, [20, 21], {\"x\": 30}]"), FILE_TEXT("word", "text"));
    CHECK_TEXT(json_at("a.json#/server/port"), "80");
    CHECK_TEXT(string_at("a.json#/server/names/0"), "x");
    CHECK_TEXT(string_at("a.json#/server/names/1"), "y");
    CHECK_TEXT(string_at("a.json#/"), "empty");
    CHECK_TEXT(string_at("a.json#/a~1b"), "slash");
    CHECK_TEXT(string_at("a.json#/m~0n"), "tilde");
    CHECK_TEXT(string_at("a.json#/~01"), "both");
    CHECK_TEXT(string_at("a.json#/%"), "percent");
    CHECK_TEXT(string_at("a.json#/0"), "zero");
    CHECK_TEXT(string_at("a.json#/#"), "hash");
    CHECK_TEXT(json_at("list.json#/1/1"), "21");
    CHECK_TEXT(json_at("list.json#/2/x"), "30");
    unload();
}

TEST("a pointer that points at nothing finds nothing, however odd it is")
{
    static const char *const nothing[] = {
        "absent", "", "a.json#/absent", "a.json#/list/3", "a.json#/list/-", "a.json#/list/-1",
        "a.json#/list/00", "a.json#/list/01", "a.json#/list/+1", "a.json#/list/1e0",
        "a.json#/list/ 1", "a.json#/list/", "a.json#/list/x", "a.json#/list/18446744073709551616",
        "a.json#/list/18446744073709551617", "a.json#/list/99999999999999999999999",
        "a.json#/list/0/x", "a.json#/list/0/", "a.json#/text/0", "a.json#/~", "a.json#/~2",
        "a.json#/list~", "a.json#/list#", "a.json#list", "a.json/list", "absent#/list", "word#/x",
        "#/a", "#", "a.json##/list", "/", "a.json#/\xff",
    };
    LOAD(FILE_TEXT("a.json", "{\"list\": [0, 1, 2], \"text\": \"abc\"}"),
         FILE_TEXT("word", "text"));
    for (size_t index = 0; index < sizeof nothing / sizeof *nothing; index++) {
        int64_t integer = 7;
        about("the path %s", nothing[index]);
        CHECK_TEXT(string_at(nothing[index]), "<CMR_E_NOT_FOUND>");
        CHECK(cmr_snapshot_value(snapshot, nothing[index]) == NULL);
        CHECK_STATUS(cmr_snapshot_int64(snapshot, nothing[index], &integer), CMR_E_NOT_FOUND);
    }
    unload();
}

TEST("a whole path that is itself a key means that key")
{
    LOAD(FILE_TEXT("a.json#", "key"), FILE_TEXT("b", "plain"),
         FILE_TEXT("c.json", "{\"x\": \"pointed\"}"));
    CHECK_TEXT(string_at("a.json#"), "key");
    unload();
    /* A key with a slash behind the hash is a nested file. */
    cmr_error error = CMR_ERROR_INIT;
    watcher = NULL;
    REQUIRE_OK(cmr_watcher_create(&watcher));
    REQUIRE_FINE(cmr_watcher_add_default(watcher, "c.json#/x", "whole", 5, &error), error);
    REQUIRE_FINE(cmr_watcher_add_default(watcher, "c.json", "{\"x\": \"pointed\"}", 16, &error),
                 error);
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    CHECK_TEXT(string_at("c.json#/x"), "whole");
    unload();
}

/* ---- Types ---- */

TEST("a value says its type, and a text is a string")
{
    LOAD(FILE_TEXT("a.json", "[null, true, 1, 1.5, \"x\", [], {}, -0, 1e2, 9223372036854775807,"
                             " 9223372036854775808]"),
         FILE_TEXT("word", "text"));
    static const int32_t types[] = {
        CMR_TYPE_NULL, CMR_TYPE_BOOL, CMR_TYPE_INT64, CMR_TYPE_DOUBLE, CMR_TYPE_STRING,
        CMR_TYPE_ARRAY, CMR_TYPE_OBJECT,
    };
    const cmr_value *list = cmr_snapshot_value(snapshot, "a.json");
    CHECK_INT(cmr_value_type(list), CMR_TYPE_ARRAY);
    CHECK_INT(cmr_value_count(list), 11);
    for (size_t index = 0; index < 7; index++)
        CHECK_INT(cmr_value_type(cmr_value_at(list, index)), types[index]);
    CHECK_INT(cmr_value_type(cmr_value_at(list, 9)), CMR_TYPE_INT64);
    CHECK_INT(cmr_value_type(cmr_value_at(list, 10)), CMR_TYPE_DOUBLE);
    CHECK(cmr_value_at(list, 11) == NULL);
    CHECK(cmr_value_at(list, SIZE_MAX) == NULL);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "word")), CMR_TYPE_STRING);
    CHECK_INT(cmr_value_count(cmr_snapshot_value(snapshot, "word")), 0);
    CHECK(cmr_value_at(cmr_snapshot_value(snapshot, "word"), 0) == NULL);
    CHECK(cmr_value_member(list, "x") == NULL);
    unload();
}

TEST("an object gives its members by name and in the order in which they are written")
{
    static const char *const names[] = {"z", "a", "", "nested", "last"};
    LOAD(FILE_TEXT("a.json",
                   "{\"z\": 1, \"a\": [1, [2, 3], {\"deep\": 4}], \"\": 3,"
                   " \"nested\": {\"x\": {\"y\": 5}}, \"last\": true}"));
    const cmr_value *object = cmr_snapshot_value(snapshot, "a.json");
    int64_t integer = 0;
    bool truth = false;
    CHECK_INT(cmr_value_count(object), 5);
    for (size_t index = 0; index < 5; index++) {
        const char *name = NULL;
        size_t size = 99;
        CHECK_OK(cmr_value_name_at(object, index, &name, &size));
        CHECK_TEXT(name, names[index]);
        CHECK_INT(size, strlen(names[index]));
        CHECK(cmr_value_at(object, index) == cmr_value_member(object, names[index]));
    }
    CHECK(cmr_value_member(object, "absent") == NULL);
    CHECK_OK(cmr_value_int64(cmr_value_member(cmr_value_at(cmr_value_at(object, 1), 2), "deep"),
                             &integer));
    CHECK_INT(integer, 4);
    CHECK_OK(cmr_value_bool(cmr_value_at(object, 4), &truth));
    CHECK(truth);
    unload();
}

TEST("of members with the same name the last one wins")
{
    int64_t integer = 0;
    LOAD(FILE_TEXT("a.json", "{\"x\": 1, \"y\": 2, \"x\": 3}"));
    CHECK_OK(cmr_snapshot_int64(snapshot, "a.json#/x", &integer));
    CHECK_INT(integer, 3);
    CHECK_OK(cmr_value_int64(cmr_value_member(cmr_snapshot_value(snapshot, "a.json"), "x"),
                             &integer));
    CHECK_INT(integer, 3);
    unload();
}

TEST("integers read from numbers and strings alike, or say why not")
{
    static const struct { const char *json; cmr_status status; int64_t value; } cases[] = {
        {"0", CMR_OK, 0}, {"-0", CMR_OK, 0}, {"100", CMR_OK, 100}, {"-7", CMR_OK, -7},
        {"9223372036854775807", CMR_OK, INT64_MAX}, {"-9223372036854775808", CMR_OK, INT64_MIN},
        {"9223372036854775808", CMR_E_RANGE, 0}, {"-9223372036854775809", CMR_E_RANGE, 0},
        {"1.0", CMR_OK, 1}, {"1e3", CMR_OK, 1000}, {"-2.5e1", CMR_OK, -25}, {"1.5", CMR_E_TYPE, 0},
        {"1e-1", CMR_E_TYPE, 0}, {"1e18", CMR_OK, 1000000000000000000}, {"1e19", CMR_E_RANGE, 0},
        {"1e300", CMR_E_RANGE, 0}, {"-1e300", CMR_E_RANGE, 0},
        {"9007199254740993", CMR_OK, 9007199254740993}, {"\"100\"", CMR_OK, 100},
        {"\"-9223372036854775808\"", CMR_OK, INT64_MIN},
        {"\"9223372036854775808\"", CMR_E_RANGE, 0},
        {"\"99999999999999999999999999\"", CMR_E_RANGE, 0}, {"\"1e3\"", CMR_OK, 1000},
        {"\"1.5\"", CMR_E_TYPE, 0}, {"\"\"", CMR_E_TYPE, 0}, {"\"-\"", CMR_E_TYPE, 0},
        {"\"0x10\"", CMR_E_TYPE, 0}, {"\"1 2\"", CMR_E_TYPE, 0}, {"\"12abc\"", CMR_E_TYPE, 0},
        {"\"nan\"", CMR_E_TYPE, 0}, {"\"inf\"", CMR_E_TYPE, 0}, {"true", CMR_E_TYPE, 0},
        {"null", CMR_E_TYPE, 0}, {"[1]", CMR_E_TYPE, 0}, {"{}", CMR_E_TYPE, 0},
    };
    char json[4096] = "[";
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        strcat(strcat(json, index ? "," : ""), cases[index].json);
    strcat(json, "]");
    LOAD({"a.json", json, strlen(json), 0, 0});
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        int64_t value = 0, again = 0;
        const char *path = text("a.json#/%zu", index);
        about("%s", cases[index].json);
        CHECK_STATUS(cmr_snapshot_int64(snapshot, path, &value), cases[index].status);
        CHECK_STATUS(cmr_value_int64(cmr_snapshot_value(snapshot, path), &again),
                     cases[index].status);
        CHECK_INT(value, cases[index].value);
        CHECK_INT(again, cases[index].value);
    }
    unload();
}

TEST("doubles read from numbers and strings alike, or say why not")
{
    static const struct { const char *json; cmr_status status; double value; } cases[] = {
        {"0.1", CMR_OK, 0.1}, {"1", CMR_OK, 1}, {"-2.5e-3", CMR_OK, -2.5e-3},
        {"1e308", CMR_OK, 1e308}, {"5e-324", CMR_OK, 5e-324}, {"1e-400", CMR_OK, 0},
        {"9223372036854775807", CMR_OK, 9223372036854775807.0},
        {"123456789012345678901234567890", CMR_OK, 123456789012345678901234567890.0},
        {"\"0.1\"", CMR_OK, 0.1}, {"\"1e308\"", CMR_OK, 1e308}, {"\"1e309\"", CMR_E_RANGE, 0},
        {"\"-1e309\"", CMR_E_RANGE, 0}, {"\"17\"", CMR_OK, 17}, {"\"\"", CMR_E_TYPE, 0},
        {"\"1,5\"", CMR_E_TYPE, 0}, {"\"0x1p3\"", CMR_E_TYPE, 0}, {"\"nan\"", CMR_E_TYPE, 0},
        {"\"inf\"", CMR_E_TYPE, 0}, {"\"infinity\"", CMR_E_TYPE, 0}, {"\"1e\"", CMR_E_TYPE, 0},
        {"false", CMR_E_TYPE, 0}, {"null", CMR_E_TYPE, 0}, {"[]", CMR_E_TYPE, 0},
        {"{}", CMR_E_TYPE, 0},
    };
    char json[4096] = "[";
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        strcat(strcat(json, index ? "," : ""), cases[index].json);
    strcat(json, "]");
    LOAD({"a.json", json, strlen(json), 0, 0});
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        double value = 0, again = 0;
        const char *path = text("a.json#/%zu", index);
        about("%s", cases[index].json);
        CHECK_STATUS(cmr_snapshot_double(snapshot, path, &value), cases[index].status);
        CHECK_STATUS(cmr_value_double(cmr_snapshot_value(snapshot, path), &again),
                     cases[index].status);
        CHECK(value == cases[index].value);
        CHECK(again == cases[index].value);
    }
    unload();
}

TEST("truth values read from true and false, and from strings in any case, not from numbers")
{
    static const struct { const char *json; cmr_status status; bool value; } cases[] = {
        {"true", CMR_OK, true}, {"false", CMR_OK, false}, {"\"true\"", CMR_OK, true},
        {"\"FALSE\"", CMR_OK, false}, {"\"Yes\"", CMR_OK, true}, {"\"no\"", CMR_OK, false},
        {"\"oN\"", CMR_OK, true}, {"\"OFF\"", CMR_OK, false}, {"\"1\"", CMR_OK, true},
        {"\"0\"", CMR_OK, false}, {"\"y\"", CMR_E_TYPE, false}, {"\"2\"", CMR_E_TYPE, false},
        {"\"\"", CMR_E_TYPE, false}, {"\"truethful\"", CMR_E_TYPE, false},
        {"\"t\"", CMR_E_TYPE, false}, {"1", CMR_E_TYPE, false}, {"0", CMR_E_TYPE, false},
        {"1.0", CMR_E_TYPE, false}, {"null", CMR_E_TYPE, false}, {"[true]", CMR_E_TYPE, false},
        {"{}", CMR_E_TYPE, false},
    };
    char json[4096] = "[";
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        strcat(strcat(json, index ? "," : ""), cases[index].json);
    strcat(json, "]");
    LOAD({"a.json", json, strlen(json), 0, 0});
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        bool value = false, again = false;
        const char *path = text("a.json#/%zu", index);
        about("%s", cases[index].json);
        CHECK_STATUS(cmr_snapshot_bool(snapshot, path, &value), cases[index].status);
        CHECK_STATUS(cmr_value_bool(cmr_snapshot_value(snapshot, path), &again),
                     cases[index].status);
        CHECK(value == cases[index].value);
        CHECK(again == cases[index].value);
    }
    unload();
}

TEST("a text key reads by the rules of any string, with a line feed behind it or not")
{
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    LOAD(FILE_TEXT("limit", "100\n"), FILE_TEXT("ratio", " 0.25\r\n"), FILE_TEXT("flag", "On\n"),
         FILE_TEXT("wait", "1h30m\n"), FILE_TEXT("memory", "64Mi\n"), FILE_TEXT("one", "1"));
    CHECK_OK(cmr_snapshot_int64(snapshot, "limit", &integer));
    CHECK_INT(integer, 100);
    CHECK_OK(cmr_snapshot_double(snapshot, "ratio", &number));
    CHECK(number == 0.25);
    CHECK_OK(cmr_snapshot_bool(snapshot, "flag", &truth));
    CHECK(truth);
    CHECK_OK(cmr_snapshot_duration(snapshot, "wait", &integer));
    CHECK_INT(integer, 5400000000000);
    CHECK_OK(cmr_snapshot_quantity(snapshot, "memory", &integer));
    CHECK_INT(integer, 67108864);
    truth = false;
    CHECK_OK(cmr_snapshot_bool(snapshot, "one", &truth));
    CHECK(truth);
    unload();
}

TEST("durations read as Go writes them, a bare number being seconds")
{
    static const struct { const char *text; cmr_status status; int64_t value; } cases[] = {
        {"250ms", CMR_OK, 250000000}, {"1h30m", CMR_OK, 5400000000000},
        {"1.5s", CMR_OK, 1500000000}, {"2h45m30.5s", CMR_OK, 9930500000000},
        {"10us", CMR_OK, 10000}, {"10\xc2\xb5s", CMR_OK, 10000}, {"10\xce\xbcs", CMR_OK, 10000},
        {"7ns", CMR_OK, 7}, {"-1m", CMR_OK, -60000000000}, {"+5s", CMR_OK, 5000000000},
        {"0", CMR_OK, 0}, {"30", CMR_OK, 30000000000}, {"0.5", CMR_OK, 500000000},
        {"-2", CMR_OK, -2000000000}, {".5s", CMR_OK, 500000000}, {"1.s", CMR_OK, 1000000000},
        {"2562047h47m16.854775807s", CMR_OK, INT64_MAX},
        {"2562047h47m16.854775808s", CMR_E_RANGE, 0}, {"9223372036854775807ns", CMR_OK, INT64_MAX},
        {"9223372036854775808ns", CMR_E_RANGE, 0}, {"9999999999999999999999h", CMR_E_RANGE, 0},
        {"10000000000", CMR_E_RANGE, 0}, {"", CMR_E_TYPE, 0}, {"s", CMR_E_TYPE, 0},
        {".s", CMR_E_TYPE, 0}, {"1d", CMR_E_TYPE, 0}, {"1h 30m", CMR_E_TYPE, 0},
        {"1h30", CMR_E_TYPE, 0}, {"--1s", CMR_E_TYPE, 0}, {"1S", CMR_E_TYPE, 0},
        {"abc", CMR_E_TYPE, 0}, {"1e3s", CMR_E_TYPE, 0},
    };
    cmr_file files[sizeof cases / sizeof *cases];
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        files[index] = (cmr_file){text("k%zu", index), cases[index].text, strlen(cases[index].text),
                                  0, 0};
    load(files, sizeof cases / sizeof *cases);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        int64_t value = 0;
        about("%s", cases[index].text);
        CHECK_STATUS(cmr_snapshot_duration(snapshot, files[index].key, &value),
                     cases[index].status);
        CHECK_INT(value, cases[index].value);
    }
    unload();
}

TEST("durations read from JSON too: numbers are seconds, other types are none")
{
    int64_t value = 0;
    LOAD(FILE_TEXT("a.json",
                   "{\"int\": 3, \"double\": 0.25, \"text\": \"2m\", \"bool\": true,"
                   " \"huge\": 1e300}"));
    CHECK_OK(cmr_snapshot_duration(snapshot, "a.json#/int", &value));
    CHECK_INT(value, 3000000000);
    CHECK_OK(cmr_snapshot_duration(snapshot, "a.json#/double", &value));
    CHECK_INT(value, 250000000);
    CHECK_OK(cmr_snapshot_duration(snapshot, "a.json#/text", &value));
    CHECK_INT(value, 120000000000);
    CHECK_STATUS(cmr_snapshot_duration(snapshot, "a.json#/bool", &value), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_duration(snapshot, "a.json#/huge", &value), CMR_E_RANGE);
    CHECK_STATUS(cmr_snapshot_duration(snapshot, "a.json", &value), CMR_E_TYPE);
    unload();
}

TEST("quantities read as Kubernetes writes them, fractions rounded up")
{
    static const struct { const char *text; cmr_status status; int64_t value; } cases[] = {
        {"64Mi", CMR_OK, 67108864}, {"1k", CMR_OK, 1000}, {"1Ki", CMR_OK, 1024},
        {"2M", CMR_OK, 2000000}, {"1G", CMR_OK, 1000000000}, {"1Gi", CMR_OK, 1073741824},
        {"1T", CMR_OK, 1000000000000}, {"1Ti", CMR_OK, 1099511627776},
        {"1P", CMR_OK, 1000000000000000}, {"1Pi", CMR_OK, 1125899906842624},
        {"1E", CMR_OK, 1000000000000000000}, {"1Ei", CMR_OK, 1152921504606846976}, {"7", CMR_OK, 7},
        {"100m", CMR_OK, 1}, {"1000m", CMR_OK, 1}, {"1001m", CMR_OK, 2}, {"1u", CMR_OK, 1},
        {"1n", CMR_OK, 1}, {"0.1", CMR_OK, 1}, {"1.5Ki", CMR_OK, 1536},
        {"0.5Gi", CMR_OK, 536870912}, {"1e3", CMR_OK, 1000}, {"1E3", CMR_OK, 1000},
        {"12e-1", CMR_OK, 2}, {"-1Ki", CMR_OK, -1024}, {"+1", CMR_OK, 1}, {"0", CMR_OK, 0},
        {"0m", CMR_OK, 0}, {".5", CMR_OK, 1}, {"5.", CMR_OK, 5},
        {"9223372036854775807", CMR_OK, INT64_MAX}, {"9223372036854775808", CMR_E_RANGE, 0},
        {"8Ei", CMR_E_RANGE, 0}, {"10E", CMR_E_RANGE, 0}, {"1e19", CMR_E_RANGE, 0},
        {"1e999999999999", CMR_E_RANGE, 0}, {"", CMR_E_TYPE, 0}, {"Mi", CMR_E_TYPE, 0},
        {"1mi", CMR_E_TYPE, 0}, {"1K", CMR_E_TYPE, 0}, {"1 Ki", CMR_E_TYPE, 0},
        {"1KiB", CMR_E_TYPE, 0}, {"abc", CMR_E_TYPE, 0}, {"1e3k", CMR_E_TYPE, 0},
        {"0x10", CMR_E_TYPE, 0}, {"1..5", CMR_E_TYPE, 0},
    };
    cmr_file files[sizeof cases / sizeof *cases];
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        files[index] = (cmr_file){text("k%zu", index), cases[index].text, strlen(cases[index].text),
                                  0, 0};
    load(files, sizeof cases / sizeof *cases);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        int64_t value = 0;
        about("%s", cases[index].text);
        CHECK_STATUS(cmr_snapshot_quantity(snapshot, files[index].key, &value),
                     cases[index].status);
        CHECK_INT(value, cases[index].value);
    }
    unload();
}

/* ---- JSON out ---- */

TEST("everything is one JSON object, each key a member: text as a string, a parsed value as itself")
{
    LOAD(FILE_TEXT("word", " a \"b\" \\ \n"),
         FILE_TEXT("a.json", " {\"x\" : [1, 2.5, null, true], \"y\":{}} "),
         FILE_TEXT("blob", "\xff\xfe\xfd"), FILE_TEXT("tab", "\x01\t\x1f"));
    CHECK_TEXT(json_at(""),
               "{\"a.json\":{\"x\":[1,2.5,null,true],\"y\":{}},\"blob\":\"//79\","
               "\"tab\":\"\\u0001\\t\\u001f\","
               "\"word\":\"a \\\"b\\\" \\\\\"}");
    CHECK_TEXT(json_at("a.json#/x"), "[1,2.5,null,true]");
    CHECK_TEXT(json_at("a.json#/x/1"), "2.5");
    CHECK_TEXT(json_at("absent"), "<CMR_E_NOT_FOUND>");
    unload();
}

TEST("JSON that was written reads back as the same value")
{
    static const char json[] = "{\"i\":[0,-1,9223372036854775807,-9223372036854775808],"
                               "\"d\":[0.1,1e+300,5e-324,-0.0,123456789.125],"
                               "\"s\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\","
                               "\"n\":{\"\":[[],{}]}}";
    char *again = NULL;
    LOAD({"a.json", json, sizeof json - 1, 0, 0});
    CHECK_OK(cmr_snapshot_json(snapshot, "a.json", &again, NULL));
    cmr_watcher *second = NULL;
    REQUIRE_OK(cmr_watcher_create(&second));
    REQUIRE_OK(cmr_watcher_add_default(second, "b.json", again, strlen(again), NULL));
    start(second);
    const cmr_snapshot *other = cmr_watcher_acquire(second);
    for (size_t index = 0; index < 5; index++) {
        double first_number = 0, second_number = 1;
        CHECK_OK(cmr_snapshot_double(snapshot, text("a.json#/d/%zu", index), &first_number));
        CHECK_OK(cmr_snapshot_double(other, text("b.json#/d/%zu", index), &second_number));
        CHECK(memcmp(&first_number, &second_number, sizeof first_number) == 0);
    }
    char *third = NULL;
    CHECK_OK(cmr_snapshot_json(other, "b.json", &third, NULL));
    CHECK_TEXT(third, again);
    cmr_free(again);
    cmr_free(third);
    cmr_snapshot_release(other);
    cmr_watcher_destroy(second);
    unload();
}

/* ---- Formats ---- */

TEST("only what ends in .json is parsed; sniffing parses what is JSON, and leaves the rest text")
{
    const char *mount = new_mount("sniffed");
    LOAD(FILE_TEXT("plain", "{\"x\": 1}"), FILE_TEXT("json", "{\"x\": 1}"),
         FILE_TEXT("x.json.txt", "[1"), FILE_TEXT(".json", "[1]"));
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "plain")), CMR_TYPE_STRING);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "json")), CMR_TYPE_STRING);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "x.json.txt")), CMR_TYPE_STRING);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, ".json")), CMR_TYPE_ARRAY);
    unload();

    PUBLISH(mount, FILE_TEXT("object", " {\"x\": 1}\n"), FILE_TEXT("broken", "{\"x\": "),
            FILE_TEXT("word", "text"), FILE_TEXT("list", "[1]"));
    watcher = new_watcher(mount);
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SNIFF_JSON, 1));
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "object")), CMR_TYPE_OBJECT);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "list")), CMR_TYPE_ARRAY);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "broken")), CMR_TYPE_STRING);
    CHECK_TEXT(string_at("broken"), "{\"x\":");
    CHECK_TEXT(string_at("word"), "text");
    unload();
}

TEST("with LENIENT what does not parse is text, and nothing is rejected")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": "), FILE_TEXT("b.json", "[1]"),
            FILE_TEXT("c.json", "\xff"));
    watcher = new_watcher(mount);
    CHECK_OK(cmr_watcher_set_option(watcher, CMR_OPTION_LENIENT, 1));
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    CHECK_TEXT(string_at("a.json"), "{\"x\":");
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "b.json")), CMR_TYPE_ARRAY);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "c.json")), CMR_TYPE_BYTES);
    unload();
}

/* ---- The snapshot itself ---- */

TEST("a snapshot never changes, whatever is published after it")
{
    const char *found = NULL;
    LOAD(FILE_TEXT("level", "info"), FILE_TEXT("a.json", "{\"x\": \"first\"}"));
    const char *kept = string_at("a.json#/x");
    for (int round = 0; round < 50; round++) {
        const char *content = text("{\"x\": \"%d\"}", round);
        const cmr_file files[] = {{"a.json", content, strlen(content), 0, 0}};
        publish(text("%s/mount", test_directory()), files, 1);
        reload(watcher);
    }
    CHECK_TEXT(kept, "first");
    CHECK_TEXT(string_at("level"), "info");
    CHECK_INT(cmr_snapshot_version(snapshot), 1);
    CHECK_INT(cmr_watcher_version(watcher), 51);
    CHECK_OK(cmr_snapshot_string(snapshot, "a.json#/x", &found, NULL));
    CHECK(found == kept);
    unload();
}

TEST("a snapshot knows its version, its time, its generation and its checksum")
{
    const char *mount = text("%s/mount", test_directory());
    char generation[256];
    struct timespec now;
    ssize_t size;
    LOAD(FILE_TEXT("level", "info"));
    clock_gettime(CLOCK_REALTIME, &now);
    size = readlink(text("%s/..data", mount), generation, sizeof generation - 1);
    REQUIRE(size > 0);
    generation[size] = '\0';
    CHECK_TEXT(cmr_snapshot_generation(snapshot), generation);
    CHECK_INT(cmr_snapshot_version(snapshot), 1);
    CHECK(cmr_snapshot_published_ns(snapshot) <= (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    CHECK(cmr_snapshot_published_ns(snapshot) > ((int64_t)now.tv_sec - 60) * 1000000000);
    const char *checksum = cmr_snapshot_checksum(snapshot);
    CHECK_INT(strlen(checksum), 32);
    CHECK_INT(strspn(checksum, "0123456789abcdef"), 32);
    CHECK(cmr_snapshot_checksum(snapshot) == checksum);
    unload();
}

TEST("the checksum depends on keys and bytes alone")
{
    const char *mount = new_mount("other");
    LOAD(FILE_TEXT("ab", "c"), FILE_TEXT("x.json", "[1]"));
    const char *first = text("%s", cmr_snapshot_checksum(snapshot));
    const cmr_snapshot *other;
    cmr_watcher *second;
    /* The same from other sources, in another order, at another time. */
    REQUIRE_OK(cmr_watcher_create(&second));
    REQUIRE_OK(cmr_watcher_add_mount(second, mount, NULL));
    PUBLISH(mount, FILE_TEXT("x.json", "[1]"));
    REQUIRE_OK(cmr_watcher_add_default(second, "ab", "c", 1, NULL));
    start(second);
    other = cmr_watcher_acquire(second);
    CHECK_TEXT(cmr_snapshot_checksum(other), first);
    cmr_snapshot_release(other);
    /* The same bytes, divided otherwise; the same value, written otherwise. */
    PUBLISH(mount, FILE_TEXT("x.json", "[ 1]"));
    reload(second);
    other = cmr_watcher_acquire(second);
    CHECK(strcmp(cmr_snapshot_checksum(other), first) != 0);
    cmr_snapshot_release(other);
    cmr_watcher_destroy(second);
    REQUIRE_OK(cmr_watcher_create(&second));
    REQUIRE_OK(cmr_watcher_add_default(second, "a", "bc", 2, NULL));
    REQUIRE_OK(cmr_watcher_add_default(second, "x.json", "[1]", 3, NULL));
    start(second);
    other = cmr_watcher_acquire(second);
    CHECK(strcmp(cmr_snapshot_checksum(other), first) != 0);
    cmr_snapshot_release(other);
    cmr_watcher_destroy(second);
    unload();
}

static void *read_often(void *context)
{
    (void)context;
    for (int round = 0; round < 20000; round++) {
        const cmr_snapshot *held = cmr_watcher_acquire(watcher);
        int64_t first = -1, second = -2;
        if (cmr_snapshot_int64(held, "first", &first) != CMR_OK || cmr_snapshot_int64(held,
            "second", &second) != CMR_OK
            || first != second || strlen(cmr_snapshot_checksum(held)) != 32) {
            cmr_snapshot_release(held);
            return "torn";
        }
        cmr_snapshot_release(held);
    }
    return NULL;
}

TEST("many threads read one watcher while it reloads, and each sees one version at a time")
{
    pthread_t threads[4];
    LOAD(FILE_TEXT("first", "0"), FILE_TEXT("second", "0"));
    for (int index = 0; index < 4; index++)
        REQUIRE(pthread_create(&threads[index], NULL, read_often, NULL) == 0);
    for (int round = 1; round <= 100; round++) {
        const char *content = text("%d", round);
        const cmr_file files[] = {
            {"first", content, strlen(content), 0, 0}, {"second", content, strlen(content), 0, 0},
        };
        publish(text("%s/mount", test_directory()), files, 2);
        reload(watcher);
    }
    for (int index = 0; index < 4; index++) {
        void *result = NULL;
        pthread_join(threads[index], &result);
        CHECK(result == NULL);
    }
    CHECK_TEXT(current_text(watcher, "first"), "100");
    unload();
}
