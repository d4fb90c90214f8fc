/* Readers: one thread's view of a watcher, which changes only when the version does. */
#include "abitest.h"

static cmr_reader *new_reader(cmr_watcher *watcher)
{
    cmr_reader *reader = NULL;
    REQUIRE_OK(cmr_reader_create(watcher, &reader));
    REQUIRE(reader != NULL);
    return reader;
}

static uint32_t held_snapshots(cmr_watcher *watcher)
{
    cmr_stats stats = CMR_STATS_INIT;
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    return stats.held_snapshots;
}

static uint64_t version_of(cmr_reader *reader)
{
    return cmr_snapshot_version(cmr_reader_current(reader));
}

/* Publishes a number under two keys, as one version. */
static void publish_number(const char *mount, int number)
{
    const char *content = text("%d", number);
    const cmr_file files[] = {
        {"first", content, strlen(content), 0, 0}, {"second", content, strlen(content), 0, 0},
    };
    publish(mount, files, 2);
}

TEST("a reader gives the same snapshot until there is a newer one")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *reader = new_reader(watcher);
    const cmr_snapshot *first;
    CHECK(cmr_reader_current(reader) == NULL);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    first = cmr_reader_current(reader);
    CHECK_INT(cmr_snapshot_version(first), 1);
    CHECK(cmr_reader_current(reader) == first);
    CHECK_INT(reload(watcher), 1);
    CHECK(cmr_reader_current(reader) == first);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(version_of(reader), 2);
    cmr_reader_destroy(reader);
    cmr_watcher_destroy(watcher);
}

TEST("a rejected reload changes nothing for a reader")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *reader = new_reader(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    start(watcher);
    const cmr_snapshot *first = cmr_reader_current(reader);
    PUBLISH(mount, FILE_TEXT("a.json", "[1"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK(cmr_reader_current(reader) == first);
    cmr_reader_destroy(reader);
    cmr_watcher_destroy(watcher);
}

TEST("what a reader has counts as held until it looks again, parks or is destroyed")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *one = new_reader(watcher), *other = new_reader(watcher);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_INT(held_snapshots(watcher), 0);
    CHECK_INT(version_of(one), 1);
    CHECK_INT(version_of(other), 1);
    CHECK_INT(held_snapshots(watcher), 1);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(held_snapshots(watcher), 1);
    CHECK_INT(version_of(one), 2);
    CHECK_INT(held_snapshots(watcher), 2);
    cmr_reader_park(other);
    EVENTUALLY(held_snapshots(watcher) == 1);
    cmr_reader_park(other);
    CHECK_INT(version_of(other), 2);
    cmr_reader_park(one);
    CHECK_INT(held_snapshots(watcher), 1);
    cmr_reader_destroy(other);
    CHECK_INT(held_snapshots(watcher), 0);
    cmr_reader_destroy(one);
    cmr_watcher_destroy(watcher);
}

TEST("a drain waits for a reader that does not look, and its parking ends it")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *reader = new_reader(watcher);
    size_t held = 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_INT(version_of(reader), 1);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_STATUS(cmr_watcher_drain(watcher, 2, 0, &held), CMR_E_TIMEOUT);
    CHECK_INT(held, 1);
    cmr_reader_park(reader);
    CHECK_OK(cmr_watcher_drain(watcher, 2, patience_ms(), &held));
    cmr_reader_destroy(reader);
    cmr_watcher_destroy(watcher);
}

TEST("a snapshot that was retained outlives what its reader does")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *reader = new_reader(watcher);
    const char *found = NULL;
    PUBLISH(mount, FILE_TEXT("key", "first"));
    start(watcher);
    const cmr_snapshot *kept = cmr_snapshot_retain(cmr_reader_current(reader));
    PUBLISH(mount, FILE_TEXT("key", "second"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(version_of(reader), 2);
    cmr_reader_destroy(reader);
    CHECK_OK(cmr_snapshot_string(kept, "key", &found, NULL));
    CHECK_TEXT(found, "first");
    cmr_snapshot_release(kept);
    cmr_watcher_destroy(watcher);
}

TEST("a reader outlives its watcher with what it has, and with nothing once it was parked")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_reader *newest = new_reader(watcher), *behind = new_reader(watcher);
    cmr_reader *empty = new_reader(watcher);
    const uint64_t *word = cmr_watcher_version_word(watcher);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_INT(version_of(behind), 1);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(version_of(newest), 2);
    cmr_watcher_destroy(watcher);

    /* New watchers do not take the place of one whose readers are there. */
    cmr_watcher *next = new_watcher(NULL);
    start(next);
    CHECK(cmr_watcher_version_word(next) != word);
    CHECK_INT(cmr_version_load(word), 2);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(version_of(newest), 2);
        CHECK_INT(version_of(behind), 1);
        CHECK(cmr_reader_current(empty) == NULL);
    }
    cmr_reader_park(behind);
    CHECK(cmr_reader_current(behind) == NULL);
    cmr_reader_destroy(behind);
    cmr_reader_destroy(newest);
    cmr_reader_destroy(empty);
    cmr_watcher_destroy(next);
}

TEST("a watcher that was stopped is read as before")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    cmr_reader *reader = new_reader(watcher);
    CHECK_INT(version_of(reader), 1);
    cmr_reader_destroy(reader);
    cmr_watcher_destroy(watcher);
}

TEST("a thousand readers come and go")
{
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_reader *readers[1000];
    start(watcher);
    for (int index = 0; index < 1000; index++) {
        readers[index] = new_reader(watcher);
        CHECK_INT(version_of(readers[index]), 1);
    }
    CHECK_INT(held_snapshots(watcher), 1);
    for (int index = 0; index < 1000; index++) cmr_reader_destroy(readers[index]);
    CHECK_INT(held_snapshots(watcher), 0);
    cmr_watcher_destroy(watcher);
}

static void *destroy_reader(void *reader) { return cmr_reader_destroy(reader), NULL; }

TEST("a reader may be destroyed by another thread than the one that read")
{
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_reader *reader = new_reader(watcher);
    pthread_t thread;
    start(watcher);
    CHECK_INT(version_of(reader), 1);
    REQUIRE(pthread_create(&thread, NULL, destroy_reader, reader) == 0);
    pthread_join(thread, NULL);
    CHECK_INT(held_snapshots(watcher), 0);
    cmr_watcher_destroy(watcher);
}

/* ---- Threads ---- */

static cmr_watcher *shared;
static int last_number;

/* Reads until the last number was seen; parks now and then. Answers what went wrong. */
static void *follow(void *context)
{
    cmr_reader *reader = new_reader(shared);
    const char *wrong = NULL;
    uint64_t before = 0;
    int64_t first = 0;
    (void)context;
    for (int round = 1; !wrong && first < last_number; round++) {
        uint64_t word = cmr_version_load(cmr_watcher_version_word(shared));
        const cmr_snapshot *now = cmr_reader_current(reader);
        int64_t second = -1;
        uint64_t version = cmr_snapshot_version(now);
        if (version < word) wrong = "older than the word";
        if (version < before) wrong = "older than before";
        before = version;
        if (cmr_snapshot_int64(now, "first", &first) != CMR_OK
            || cmr_snapshot_int64(now, "second", &second) != CMR_OK || first != second)
            wrong = "torn";
        if (round % 100 == 0) cmr_reader_park(reader);
        sched_yield(); /* to who publishes */
    }
    cmr_reader_destroy(reader);
    return (void *)wrong;
}

TEST("threads with a reader each see whole versions in order, none older than the word says")
{
    const char *mount = new_mount("mount");
    pthread_t threads[4];
    publish_number(mount, 0);
    last_number = rounds(100, 40);
    shared = new_watcher(mount);
    start(shared);
    for (int index = 0; index < 4; index++)
        REQUIRE(pthread_create(&threads[index], NULL, follow, NULL) == 0);
    for (int number = 1; number <= last_number; number++) {
        publish_number(mount, number);
        reload(shared);
    }
    for (int index = 0; index < 4; index++) {
        void *wrong = NULL;
        pthread_join(threads[index], &wrong);
        CHECK_TEXT(wrong, NULL);
    }
    EVENTUALLY(held_snapshots(shared) == 0);
    cmr_watcher_destroy(shared);
}
