/* Sources are layers: a later one wins, key by key, and defaults lie under all. */
#include "abitest.h"

TEST("of defaults, environment, mount and file, each wins over those before it")
{
    const char *mount = new_mount("mount");
    const char *file = text("%s/four", test_directory());
    cmr_watcher *watcher = new_watcher(NULL);
    setenv("LAYER_one", "environment", 1);
    setenv("LAYER_two", "environment", 1);
    setenv("LAYER_four", "environment", 1);
    PUBLISH(mount, FILE_TEXT("two", "mount"), FILE_TEXT("three", "mount"),
            FILE_TEXT("four", "mount"));
    write_text(file, "file");
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "LAYER_", NULL));
    REQUIRE_OK(cmr_watcher_add_mount(watcher, mount, NULL));
    REQUIRE_OK(cmr_watcher_add_file(watcher, file, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "zero", "default", 7, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "one", "default", 7, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "four", "default", 7, NULL));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "zero"), "default");
    CHECK_TEXT(current_text(watcher, "one"), "environment");
    CHECK_TEXT(current_text(watcher, "two"), "mount");
    CHECK_TEXT(current_text(watcher, "three"), "mount");
    CHECK_TEXT(current_text(watcher, "four"), "file");
    cmr_watcher_destroy(watcher);
}

TEST("the order in which sources are added decides, not their kind")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    setenv("LAYER_key", "environment", 1);
    PUBLISH(mount, FILE_TEXT("key", "mount"));
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "LAYER_", NULL));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "environment");
    cmr_watcher_destroy(watcher);
}

TEST("the later of two mounts wins, and a key that it loses shows that of the earlier one again")
{
    const char *lower = new_mount("lower"), *upper = new_mount("upper");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(lower);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, upper, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "key", "default", 7, NULL));
    PUBLISH(lower, FILE_TEXT("key", "lower"), FILE_TEXT("only", "lower"));
    PUBLISH(upper, FILE_TEXT("key", "upper"), FILE_TEXT("other", "upper"));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "upper");
    CHECK_TEXT(current_text(watcher, "only"), "lower");

    PUBLISH(upper, FILE_TEXT("other", "upper"));
    CHECK_TEXT(event_at(&recorder, 1)->changes, "~key");
    CHECK_TEXT(current_text(watcher, "key"), "lower");

    PUBLISH(lower, FILE_TEXT("only", "lower"));
    CHECK_TEXT(event_at(&recorder, 2)->changes, "~key");
    CHECK_TEXT(current_text(watcher, "key"), "default");

    /* What is covered changes nothing that anybody sees. */
    PUBLISH(upper, FILE_TEXT("other", "upper"), FILE_TEXT("key", "default"));
    CHECK_INT(reload(watcher), 3);
    PUBLISH(lower, FILE_TEXT("only", "lower"), FILE_TEXT("key", "covered"));
    CHECK_INT(reload(watcher), 3);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a file inside a kubelet's volume follows the volume's swaps, one key of it")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(NULL);
    const cmr_snapshot *snapshot;
    PUBLISH(mount, FILE_TEXT("app.json", "{\"x\": 1}"), FILE_TEXT("other", "a"));
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/app.json", mount), NULL));
    start(watcher);
    snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_snapshot_count(snapshot), 1);
    cmr_snapshot_release(snapshot);
    PUBLISH(mount, FILE_TEXT("app.json", "{\"x\": 1}"), FILE_TEXT("other", "b"));
    CHECK_INT(reload(watcher), 1);
    PUBLISH(mount, FILE_TEXT("app.json", "{\"x\": \"two\"}"), FILE_TEXT("other", "b"));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "app.json#/x"), "two");
    cmr_watcher_destroy(watcher);
}

TEST("each layer keeps its own last good content: one that breaks does not hold up the other")
{
    const char *first = new_mount("first"), *second = new_mount("second");
    cmr_watcher *watcher = new_watcher(first);
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_OK(cmr_watcher_add_mount(watcher, second, NULL));
    PUBLISH(first, FILE_TEXT("a.json", "{\"x\": \"one\"}"));
    PUBLISH(second, FILE_TEXT("level", "info"));
    start(watcher);
    remove_all(first);
    CHECK(cmr_watcher_reload(watcher, patience_ms(), NULL, &error) != CMR_OK);
    PUBLISH(second, FILE_TEXT("level", "debug"));
    EVENTUALLY(strcmp(current_text(watcher, "level"), "debug") == 0);
    CHECK_TEXT(current_text(watcher, "a.json#/x"), "one");
    cmr_watcher_destroy(watcher);
}

TEST("the environment is read once, at start, and only what has the prefix")
{
    cmr_watcher *watcher = new_watcher(NULL);
    const cmr_snapshot *snapshot;
    setenv("APP_X", "before", 1);
    setenv("APP_EMPTY", "", 1);
    setenv("APP_", "the prefix itself", 1);
    setenv("APPX_Y", "not this one", 1);
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "APP_", NULL));
    setenv("APP_X", "at start", 1);
    start(watcher);
    setenv("APP_X", "after", 1);
    CHECK_INT(reload(watcher), 1);
    snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_snapshot_count(snapshot), 2);
    cmr_snapshot_release(snapshot);
    CHECK_TEXT(current_text(watcher, "X"), "at start");
    CHECK_TEXT(current_text(watcher, "EMPTY"), "");
    cmr_watcher_destroy(watcher);
}

TEST("of two defaults for a key the later one counts, and what was given may be freed")
{
    cmr_watcher *watcher = new_watcher(NULL);
    char *key = strdup("key.json"), *bytes = strdup("{\"x\": \"first\"}");
    REQUIRE_OK(cmr_watcher_add_default(watcher, key, bytes, strlen(bytes), NULL));
    memcpy(strstr(bytes, "first"), "other", 5);
    REQUIRE_OK(cmr_watcher_add_default(watcher, key, bytes, strlen(bytes), NULL));
    memset(bytes, '?', strlen(bytes));
    memset(key, '?', strlen(key));
    free(bytes);
    free(key);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key.json#/x"), "other");
    cmr_watcher_destroy(watcher);
}

TEST("a default is parsed at start, like the content of a source")
{
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", "{\n  \"x\": nope}", 14, &error));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_PARSE);
    CHECK_TEXT(error.key, "a.json");
    CHECK_INT(error.line, 2);
    cmr_watcher_destroy(watcher);
}

TEST("nested paths, names with spaces, of 253 characters and in any script are keys")
{
    const char *mount = new_mount("mount"), *plain = new_mount("plain");
    cmr_watcher *watcher = new_watcher(mount);
    char longest[254];
    memset(longest, 'k', 253);
    longest[253] = '\0';
    PUBLISH(mount, FILE_TEXT("user/labels", "nested"), FILE_TEXT("user/deep/er", "deeper"),
            {longest, "long", 4, 0, 0}, FILE_TEXT("with space", "space"),
            FILE_TEXT("\xc3\xbc\xe6\xbc\xa2", "script"), FILE_TEXT(".hidden", "one dot"));
    write_text(text("%s/..ignored", plain), "x");
    write_text(text("%s/plain", plain), "plain");
    REQUIRE_OK(cmr_watcher_add_mount(watcher, plain, NULL));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "user/labels"), "nested");
    CHECK_TEXT(current_text(watcher, "user/deep/er"), "deeper");
    CHECK_TEXT(current_text(watcher, longest), "long");
    CHECK_TEXT(current_text(watcher, "with space"), "space");
    CHECK_TEXT(current_text(watcher, "\xc3\xbc\xe6\xbc\xa2"), "script");
    CHECK_TEXT(current_text(watcher, ".hidden"), "one dot");
    CHECK_TEXT(current_text(watcher, "plain"), "plain");
    CHECK_TEXT(current_text(watcher, "..ignored"), "<CMR_E_NOT_FOUND>");
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_snapshot_count(snapshot), 7);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}
