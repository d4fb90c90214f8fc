/* Cells: bound values that a caller loads by itself, and which change before the version does. */
#include "abitest.h"

#include <math.h>

static const cmr_cell *bind_int64(cmr_watcher *watcher, const char *path, int64_t fallback)
{
    const cmr_cell *cell = NULL;
    REQUIRE_OK(cmr_watcher_bind_int64(watcher, path, fallback, &cell));
    REQUIRE(cell != NULL && (uintptr_t)cell % 8 == 0);
    return cell;
}

static const cmr_cell *bind_double(cmr_watcher *watcher, const char *path, double fallback)
{
    const cmr_cell *cell = NULL;
    REQUIRE_OK(cmr_watcher_bind_double(watcher, path, fallback, &cell));
    REQUIRE(cell != NULL && (uintptr_t)cell % 8 == 0);
    return cell;
}

static const cmr_cell *bind_bool(cmr_watcher *watcher, const char *path, bool fallback)
{
    const cmr_cell *cell = NULL;
    REQUIRE_OK(cmr_watcher_bind_bool(watcher, path, fallback, &cell));
    REQUIRE(cell != NULL && (uintptr_t)cell % 8 == 0);
    return cell;
}

TEST("a cell holds what the getter of its type reads in the current version")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("limit", "-7\n"), FILE_TEXT("ratio", "0.25"), FILE_TEXT("on", "Yes"),
            FILE_TEXT("a.json", "{\"n\": [1, 9007199254740993], \"x\": 1e300, \"t\": true,"
                                " \"whole\": 3.0}"));
    start(watcher);
    CHECK_INT(cmr_cell_int64(bind_int64(watcher, "limit", 1)), -7);
    CHECK(cmr_cell_double(bind_double(watcher, "ratio", 1)) == 0.25);
    CHECK(cmr_cell_bool(bind_bool(watcher, "on", false)));
    CHECK_INT(cmr_cell_int64(bind_int64(watcher, "a.json#/n/1", 1)), 9007199254740993);
    CHECK(cmr_cell_double(bind_double(watcher, "a.json#/x", 1)) == 1e300);
    CHECK(cmr_cell_bool(bind_bool(watcher, "a.json#/t", false)));
    CHECK_INT(cmr_cell_int64(bind_int64(watcher, "a.json#/whole", 1)), 3);
    CHECK(cmr_cell_double(bind_double(watcher, "a.json#/n/0", 7)) == 1.0);
    cmr_watcher_destroy(watcher);
}

TEST("a cell is eight bytes: an integer, the bits of a double, or 0 or 1")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const double ratio = -0.1;
    uint64_t bits;
    PUBLISH(mount, FILE_TEXT("limit", "-2"), FILE_TEXT("ratio", "-0.1"), FILE_TEXT("on", "1"));
    start(watcher);
    memcpy(&bits, &ratio, sizeof bits);
    CHECK(bind_int64(watcher, "limit", 1)->bits == (uint64_t)-2);
    CHECK(bind_double(watcher, "ratio", 1)->bits == bits);
    CHECK(bind_bool(watcher, "on", false)->bits == 1);
    CHECK(bind_bool(watcher, "off", false)->bits == 0);
    cmr_watcher_destroy(watcher);
}

TEST("a cell holds the fallback while its path is absent or of another type")
{
    static const char *const wrong[] = {
        "{}", "[]", "{\"limit\": null}", "{\"limit\": \"many\"}", "{\"limit\": 1.5}",
        "{\"limit\": [7]}", "{\"limit\": true}", "{\"limit\": \"99999999999999999999\"}",
    };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const cmr_cell *limit = bind_int64(watcher, "a.json#/limit", INT64_MIN);
    uint64_t version = 1;
    CHECK_INT(cmr_cell_int64(limit), INT64_MIN);
    PUBLISH(mount, FILE_TEXT("other", "1"));
    start(watcher);
    CHECK_INT(cmr_cell_int64(limit), INT64_MIN);
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        about("%s", wrong[index]);
        PUBLISH(mount, FILE_TEXT("a.json", "{\"limit\": 7}"));
        CHECK_INT(reload(watcher), ++version);
        CHECK_INT(cmr_cell_int64(limit), 7);
        PUBLISH(mount, {"a.json", wrong[index], strlen(wrong[index]), 0, 0});
        CHECK_INT(reload(watcher), ++version);
        CHECK_INT(cmr_cell_int64(limit), INT64_MIN);
    }
    PUBLISH(mount, FILE_TEXT("a.json", "{\"limit\": 7}"));
    CHECK_INT(reload(watcher), ++version);
    CHECK_INT(cmr_cell_int64(limit), 7);
    PUBLISH(mount, FILE_TEXT("other", "1"));
    CHECK_INT(reload(watcher), ++version);
    CHECK_INT(cmr_cell_int64(limit), INT64_MIN);
    cmr_watcher_destroy(watcher);
}

TEST("the same path, type and fallback give the same cell, anything else another one")
{
    cmr_watcher *watcher = new_watcher(NULL);
    const cmr_cell *one = bind_int64(watcher, "a", 0);
    const cmr_cell *all[] = {
        one, bind_int64(watcher, "a", 1), bind_int64(watcher, "b", 0), bind_int64(watcher, "aa", 0),
        bind_double(watcher, "a", 0), bind_double(watcher, "a", -0.0),
        bind_double(watcher, "a", NAN), bind_bool(watcher, "a", false),
        bind_bool(watcher, "a", true),
    };
    enum { COUNT = sizeof all / sizeof *all };
    for (int left = 0; left < COUNT; left++)
        for (int right = left + 1; right < COUNT; right++) CHECK(all[left] != all[right]);
    start(watcher);
    CHECK(bind_int64(watcher, "a", 0) == one);
    CHECK(bind_double(watcher, "a", NAN) == all[6]);
    CHECK(isnan(cmr_cell_double(all[6])));
    CHECK(bind_bool(watcher, "a", true) == all[8]);
    cmr_watcher_destroy(watcher);
}

TEST("a cell that is bound before start holds the fallback, and the value once start returns")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const cmr_cell *limit = bind_int64(watcher, "limit", 5);
    PUBLISH(mount, FILE_TEXT("limit", "6"), FILE_TEXT("bad.json", "["));
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_PARSE);
    CHECK_INT(cmr_cell_int64(limit), 5);
    PUBLISH(mount, FILE_TEXT("limit", "6"));
    start(watcher);
    CHECK_INT(cmr_cell_int64(limit), 6);
    cmr_watcher_destroy(watcher);
}

TEST("a rejected reload leaves the cells as they are")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("limit", "6"));
    start(watcher);
    const cmr_cell *limit = bind_int64(watcher, "limit", 5);
    PUBLISH(mount, FILE_TEXT("limit", "7"), FILE_TEXT("bad.json", "["));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK_INT(cmr_cell_int64(limit), 6);
    cmr_watcher_destroy(watcher);
}

TEST("a rollback brings back what cells held")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("limit", "6"), FILE_TEXT("stays", "1"));
    start(watcher);
    const cmr_cell *limit = bind_int64(watcher, "limit", 5);
    const cmr_cell *stays = bind_int64(watcher, "stays", 5);
    PUBLISH(mount, FILE_TEXT("limit", "7"), FILE_TEXT("stays", "1"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(cmr_cell_int64(limit), 7);
    REQUIRE_OK(cmr_watcher_rollback(watcher, 1, NULL, NULL));
    CHECK_INT(cmr_cell_int64(limit), 6);
    CHECK_INT(cmr_cell_int64(stays), 1);
    cmr_watcher_destroy(watcher);
}

TEST("a cell follows its path when another key takes the path over")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 1}"));
    start(watcher);
    const cmr_cell *cell = bind_int64(watcher, "a.json#/x", 0);
    CHECK_INT(cmr_cell_int64(cell), 1);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 1}"), FILE_TEXT("a.json#/x", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(cmr_cell_int64(cell), 2);
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 1}"));
    CHECK_INT(reload(watcher), 3);
    CHECK_INT(cmr_cell_int64(cell), 1);
    cmr_watcher_destroy(watcher);
}

TEST("a thousand cells each follow their own path")
{
    enum { CELLS = 1000 };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const cmr_cell *cells[CELLS];
    static char list[CELLS * 8];
    for (int index = 0; index < CELLS; index++)
        cells[index] = bind_int64(watcher, text("list.json#/%d", index), -index);
    start(watcher);
    for (int index = 0; index < CELLS; index++) CHECK_INT(cmr_cell_int64(cells[index]), -index);
    for (int round = 1; round <= 3; round++) {
        size_t size = 0;
        for (int index = 0; index < CELLS; index++)
            size += (size_t)snprintf(list + size, sizeof list - size, "%c%d", index ? ',' : '[',
                                     round * index);
        list[size++] = ']';
        PUBLISH(mount, {"list.json", list, size, 0, 0});
        CHECK_INT(reload(watcher), round + 1);
        for (int index = 0; index < CELLS; index++)
            CHECK_INT(cmr_cell_int64(cells[index]), round * index);
    }
    cmr_watcher_destroy(watcher);
}

TEST("cells and the version word stay while a snapshot or a reader is there, without the watcher")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("limit", "6"));
    for (int with_reader = 0; with_reader < 2; with_reader++) {
        cmr_watcher *watcher = new_watcher(mount);
        const cmr_snapshot *snapshot = NULL;
        cmr_reader *reader = NULL;
        start(watcher);
        const cmr_cell *limit = bind_int64(watcher, "limit", 5);
        const uint64_t *word = cmr_watcher_version_word(watcher);
        if (with_reader) REQUIRE_OK(cmr_reader_create(watcher, &reader));
        else snapshot = cmr_watcher_acquire(watcher);
        cmr_watcher_destroy(watcher);
        cmr_watcher *next = new_watcher(NULL);
        CHECK(bind_int64(next, "limit", 4) != limit);
        start(next);
        CHECK_INT(cmr_cell_int64(limit), 6);
        CHECK_INT(cmr_version_load(word), 1);
        cmr_snapshot_release(snapshot);
        cmr_reader_destroy(reader);
        cmr_watcher_destroy(next);
    }
}

TEST("paths that cannot be are refused, and so is a watcher that was stopped")
{
    static char long_path[4097];
    cmr_watcher *watcher = new_watcher(NULL);
    const cmr_cell *cell = NULL;
    memset(long_path, 'x', 4096);
    CHECK_STATUS(cmr_watcher_bind_int64(watcher, "", 0, &cell), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_bind_double(watcher, "a\xff", 0, &cell), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_watcher_bind_bool(watcher, long_path, 0, &cell), CMR_E_LIMIT);
    long_path[4095] = '\0';
    CHECK_INT(cmr_cell_int64(bind_int64(watcher, long_path, 8)), 8);
    start(watcher);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_STATUS(cmr_watcher_bind_int64(watcher, "a", 0, &cell), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_bind_double(watcher, "a", 0, &cell), CMR_E_STATE);
    CHECK_STATUS(cmr_watcher_bind_bool(watcher, "a", false, &cell), CMR_E_STATE);
    CHECK(cell == NULL);
    cmr_watcher_destroy(watcher);
}

/* ---- Threads ---- */

struct follower {
    const uint64_t *word;
    const cmr_cell *number, *half;
    int64_t last;
    const char *wrong;
};

/* Each version N has the number N. */
static void *follow(void *context)
{
    struct follower *me = context;
    int64_t number = 0, before = 0;
    while (!me->wrong && number < me->last) {
        uint64_t version = cmr_version_load(me->word);
        number = cmr_cell_int64(me->number);
        if (number < (int64_t)version) me->wrong = "a cell is older than the word";
        if (cmr_cell_double(me->half) * 2 < (double)version) me->wrong = "the other cell is older";
        if (number < before) me->wrong = "a cell goes back";
        before = number;
        sched_yield(); /* to who publishes */
    }
    return NULL;
}

TEST("whoever sees a version in the word sees the cells of that version or of a newer one")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    struct follower followers[3];
    pthread_t threads[3];
    const int64_t last = rounds(120, 40);
    PUBLISH(mount, FILE_TEXT("number", "1"), FILE_TEXT("a.json", "{\"half\": 0.5}"));
    start(watcher);
    for (int index = 0; index < 3; index++) {
        followers[index] = (struct follower){
            cmr_watcher_version_word(watcher), bind_int64(watcher, "number", 0),
            bind_double(watcher, "a.json#/half", 0), last, NULL};
        REQUIRE(pthread_create(&threads[index], NULL, follow, &followers[index]) == 0);
    }
    for (int number = 2; number <= last; number++) {
        const char *content = text("%d", number), *half = text("{\"half\": %.1f}", number / 2.0);
        PUBLISH(mount, {"number", content, strlen(content), 0, 0},
                {"a.json", half, strlen(half), 0, 0});
        CHECK_INT(reload(watcher), number);
        /* New cells come while others are read. */
        CHECK_INT(cmr_cell_int64(bind_int64(watcher, "number", -number)), number);
    }
    for (int index = 0; index < 3; index++) {
        pthread_join(threads[index], NULL);
        CHECK_TEXT(followers[index].wrong, NULL);
    }
    cmr_watcher_destroy(watcher);
}
