/* Metrics: the exposition that Prometheus reads, series by series. */
#include "abitest.h"

#include <time.h>

enum { MOST_SERIES = 4096 };

/* One line of an exposition, taken apart: "name{labels} value". */
struct series {
    char id[512]; /* the name with its labels, as they stand */
    double value;
};

struct exposition {
    const char *text;
    struct series series[MOST_SERIES];
    size_t count;
};

/* Reads an exposition, and checks its form: HELP and TYPE once for each metric, then its series. */
static void parse(struct exposition *exposition, const char *metrics)
{
    char metric[128] = "", help[128] = "";
    exposition->text = metrics;
    exposition->count = 0;
    for (const char *line = metrics; *line;) {
        const char *end = strchr(line, '\n');
        REQUIRE(end != NULL);
        const char *whole = text("%.*s", (int)(end - line), line);
        if (sscanf(whole, "# HELP %127s", help) == 1) {
            CHECK(strstr(metrics, whole) == line);
        } else if (sscanf(whole, "# TYPE %127s", metric) == 1) {
            CHECK_TEXT(metric, help);
            CHECK(strstr(metrics, whole) == line);
        } else {
            struct series *series = &exposition->series[exposition->count++];
            const char *space = strrchr(whole, ' ');
            char *rest = NULL;
            REQUIRE(exposition->count < MOST_SERIES && space != NULL);
            CHECK(strncmp(whole, metric, strlen(metric)) == 0);
            snprintf(series->id, sizeof series->id, "%.*s", (int)(space - whole), whole);
            series->value = strtod(space + 1, &rest);
            CHECK(*rest == '\0');
        }
        line = end + 1;
    }
    for (size_t one = 0; one < exposition->count; one++)
        for (size_t other = 0; other < one; other++)
            CHECK(strcmp(exposition->series[one].id, exposition->series[other].id) != 0);
}

/* The whole text of one watcher's metrics, or with NULL of all; valid until the test ends. */
static const char *metrics_of(cmr_watcher *watcher)
{
    char buffer[1 << 16];
    size_t size = 0;
    if (watcher) REQUIRE_OK(cmr_watcher_metrics(watcher, buffer, sizeof buffer, &size));
    else REQUIRE_OK(cmr_metrics(buffer, sizeof buffer, &size));
    CHECK_INT(strlen(buffer), size);
    return text("%s", buffer);
}

static const struct exposition *expose(cmr_watcher *watcher)
{
    static struct exposition exposition;
    parse(&exposition, metrics_of(watcher));
    return &exposition;
}

/* The value of a series, or -1 when there is none. */
static double value(const struct exposition *exposition, const char *id)
{
    for (size_t index = 0; index < exposition->count; index++)
        if (strcmp(exposition->series[index].id, id) == 0) return exposition->series[index].value;
    return -1;
}

#define CHECK_VALUE(exposition, id, expected) \
    do { \
        about("%s", id); \
        CHECK_INT(value((exposition), (id)), (expected)); \
        about("%s", ""); \
    } while (0)

static cmr_stats stats_of(cmr_watcher *watcher)
{
    cmr_stats stats = CMR_STATS_INIT;
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    return stats;
}

/* ---- What is told ---- */

TEST("metrics tell what the statistics tell")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const struct exposition *now = expose(watcher);
    struct timespec time;
    CHECK_VALUE(now, "config_version", 0);
    CHECK_VALUE(now, "config_last_reload_successful", 0);
    CHECK_VALUE(now, "config_last_reload_success_timestamp_seconds", 0);
    CHECK_VALUE(now, "config_reload_total{status=\"success\"}", 0);
    CHECK_VALUE(now, "config_reload_duration_seconds_count", 0);
    CHECK(strstr(now->text, "config_info{") == NULL);

    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    start(watcher);
    now = expose(watcher);
    clock_gettime(CLOCK_REALTIME, &time);
    CHECK_VALUE(now, "config_version", 1);
    CHECK_VALUE(now, "config_last_reload_successful", 1);
    CHECK_VALUE(now, "config_reload_total{status=\"success\"}", 1);
    CHECK_VALUE(now, "config_reload_duration_seconds_count", 1);
    CHECK_VALUE(now, "config_watch_mode{mode=\"inotify\"}", 1);
    CHECK_VALUE(now, "config_watch_mode{mode=\"polling\"}", 0);
    double success = value(now, "config_last_reload_success_timestamp_seconds");
    CHECK(success > (double)time.tv_sec - 60 && success <= (double)time.tv_sec + 1);
    CHECK(strstr(now->text, text("config_last_reload_success_timestamp_seconds %.0f.%09.0f\n",
                                 (double)(stats_of(watcher).last_success_ns / 1000000000),
                                 (double)(stats_of(watcher).last_success_ns % 1000000000))));

    CHECK_INT(reload(watcher), 1);
    PUBLISH(mount, FILE_TEXT("a.json", "["));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    now = expose(watcher);
    CHECK_VALUE(now, "config_version", 1);
    CHECK_VALUE(now, "config_last_reload_successful", 0);
    CHECK_VALUE(now, "config_reload_total{status=\"rejected\"}", 1);
    CHECK(value(now, "config_reload_total{status=\"unchanged\"}") >= 1);
    CHECK_VALUE(now, "config_reload_total{status=\"unchanged\"}",
                stats_of(watcher).reloads_unchanged);

    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    CHECK_INT(reload(watcher), 2);
    CHECK_VALUE(expose(watcher), "config_last_reload_successful", 1);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_VALUE(expose(watcher), "config_version", 2);
    cmr_watcher_destroy(watcher);
}

TEST("what is current is told by its checksum and its generation")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_VALUE(expose(watcher),
                text("config_info{checksum=\"%s\",generation=\"%s\"}",
                     cmr_snapshot_checksum(snapshot), cmr_snapshot_generation(snapshot)), 1);
    /* Looking is not holding. */
    cmr_snapshot_release(snapshot);
    CHECK_INT(stats_of(watcher).held_snapshots, 0);
    cmr_watcher_destroy(watcher);
}

TEST("a source that fails or is polled is told of")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_add_file(watcher, "/proc/sys/kernel/hostname", NULL));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    const struct exposition *now = expose(watcher);
    CHECK_VALUE(now, "config_watch_mode{mode=\"inotify\"}", 0);
    CHECK_VALUE(now, "config_watch_mode{mode=\"polling\"}", 1);
    CHECK_VALUE(now, "config_source_errors_total", 0);
    remove_all(mount);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_IO);
    now = expose(watcher);
    CHECK(value(now, "config_source_errors_total") >= 1);
    CHECK_VALUE(now, "config_last_reload_successful", 0);
    cmr_watcher_destroy(watcher);
}

TEST("buckets rise to the count, from 50 microseconds to 10 seconds, and the sum is between them")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    for (int round = 0; round < 20; round++) reload(watcher);
    const struct exposition *now = expose(watcher);
    double before = 0, bound_before = 0, at_least = 0, at_most = 0;
    int buckets = 0;
    for (size_t index = 0; index < now->count; index++) {
        static const char bucket[] = "config_reload_duration_seconds_bucket{le=\"";
        const struct series *series = &now->series[index];
        if (strncmp(series->id, bucket, sizeof bucket - 1) != 0) continue;
        double bound = strtod(series->id + sizeof bucket - 1, NULL);
        about("%s", series->id);
        CHECK(bound > bound_before);
        CHECK(series->value >= before);
        if (buckets == 0) CHECK(bound == 50e-6);
        at_least += (series->value - before) * bound_before;
        if (series->value > before) at_most += (series->value - before) * bound;
        buckets++;
        if (bound < 1e9) CHECK(bound <= 10);
        else CHECK(bound_before == 10);
        bound_before = bound;
        before = series->value;
    }
    about("%s", "");
    CHECK(buckets > 10);
    CHECK(before >= 21);
    CHECK_VALUE(now, "config_reload_duration_seconds_count", before);
    CHECK(value(now, "config_reload_duration_seconds_sum") >= at_least);
    CHECK(value(now, "config_reload_duration_seconds_sum") <= at_most);
    cmr_watcher_destroy(watcher);
}

TEST("a rescan that finds what is there is no duration")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 5));
    start(watcher);
    EVENTUALLY(stats_of(watcher).rescans >= 20);
    CHECK_VALUE(expose(watcher), "config_reload_duration_seconds_count", 1);
    cmr_watcher_destroy(watcher);
}

/* ---- Labels ---- */

TEST("a name is a label of each series, with what the format escapes escaped")
{
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_set_name(watcher, "a\\b\"c\nd\xc3\xa4 {x=\"1\"}", NULL));
    start(watcher);
    const struct exposition *now = expose(watcher);
    CHECK_VALUE(now, "config_version{watcher=\"a\\\\b\\\"c\\nd\xc3\xa4 {x=\\\"1\\\"}\"}", 1);
    for (size_t index = 0; index < now->count; index++)
        CHECK(strstr(now->series[index].id, "{watcher=\"a\\\\b\\\"c\\nd") != NULL);
    cmr_watcher_destroy(watcher);
}

TEST("a generation that is not UTF-8 does not spoil the exposition")
{
    const char *mount = new_mount("mount");
    make_directory(text("%s/..odd\xff\"", mount));
    write_text(text("%s/..odd\xff\"/key", mount), "1");
    replace_link("..odd\xff\"", text("%s/..data", mount));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    CHECK(strstr(expose(watcher)->text, "generation=\"..odd\xef\xbf\xbd\\\"\"") != NULL);
    cmr_watcher_destroy(watcher);
}

/* ---- All watchers of the process ---- */

TEST("without watchers there is nothing to tell")
{
    char buffer[4] = "old";
    size_t size = 7;
    CHECK_OK(cmr_metrics(buffer, 1, &size));
    CHECK_INT(size, 0);
    CHECK_TEXT(buffer, "");
}

TEST("all watchers are told of in one exposition, in which each series stands once")
{
    static const char *const names[] = {NULL, "one", NULL, "other", "one", NULL, "one"};
    enum { COUNT = sizeof names / sizeof *names };
    cmr_watcher *watchers[COUNT];
    for (int index = 0; index < COUNT; index++) {
        watchers[index] = new_watcher(NULL);
        if (names[index]) REQUIRE_OK(cmr_watcher_set_name(watchers[index], names[index], NULL));
        if (index != 3) start(watchers[index]);
    }
    const struct exposition *now = expose(NULL);
    CHECK_VALUE(now, "config_version", 1);
    CHECK_VALUE(now, "config_version{number=\"2\"}", 1);
    CHECK_VALUE(now, "config_version{number=\"3\"}", 1);
    CHECK_VALUE(now, "config_version{watcher=\"one\"}", 1);
    CHECK_VALUE(now, "config_version{watcher=\"one\",number=\"2\"}", 1);
    CHECK_VALUE(now, "config_version{watcher=\"one\",number=\"3\"}", 1);
    CHECK_VALUE(now, "config_version{watcher=\"other\"}", 0);
    CHECK_VALUE(now, "config_reload_total{watcher=\"one\",number=\"2\",status=\"success\"}", 1);
    /* Alone there is nothing to tell it from. */
    CHECK_VALUE(expose(watchers[2]), "config_version", 1);
    for (int index = 0; index < COUNT; index++) cmr_watcher_destroy(watchers[index]);
    CHECK_INT(expose(NULL)->count, 0);
}

TEST("a series stays the same watcher's while others come and go")
{
    const char *mount = new_mount("mount");
    cmr_watcher *first = new_watcher(NULL), *second = new_watcher(mount), *third;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(first);
    start(second);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(second), 2);
    CHECK_VALUE(expose(NULL), "config_version{number=\"2\"}", 2);
    cmr_watcher_destroy(first);
    third = new_watcher(NULL);
    start(third);
    const struct exposition *now = expose(NULL);
    CHECK_VALUE(now, "config_version{number=\"2\"}", 2);
    CHECK_VALUE(now, "config_version{number=\"3\"}", 1);
    CHECK_VALUE(now, "config_version", -1);
    cmr_watcher_destroy(second);
    cmr_watcher_destroy(third);
}

TEST("a watcher that is named after it was told of is numbered among those of its name")
{
    cmr_watcher *first = new_watcher(NULL), *second = new_watcher(NULL);
    CHECK_VALUE(expose(NULL), "config_version{number=\"2\"}", 0);
    REQUIRE_OK(cmr_watcher_set_name(second, "settings", NULL));
    const struct exposition *now = expose(NULL);
    CHECK_VALUE(now, "config_version{watcher=\"settings\"}", 0);
    CHECK_VALUE(now, "config_version", 0);
    cmr_watcher_destroy(first);
    cmr_watcher_destroy(second);
}

/* ---- Room ---- */

static cmr_status write_one(cmr_watcher *watcher, char *buffer, size_t capacity, size_t *size)
{
    return cmr_watcher_metrics(watcher, buffer, capacity, size);
}

static cmr_status write_all(cmr_watcher *watcher, char *buffer, size_t capacity, size_t *size)
{
    (void)watcher;
    return cmr_metrics(buffer, capacity, size);
}

TEST("a buffer that is too small stays as it is, and the size that would do is told")
{
    cmr_status (*const calls[])(cmr_watcher *, char *, size_t, size_t *) = {write_one, write_all};
    cmr_watcher *watcher = new_watcher(NULL);
    start(watcher);
    for (int call = 0; call < 2; call++) {
        size_t needed = 0, size = 0;
        CHECK_STATUS(calls[call](watcher, NULL, 0, &needed), CMR_E_LIMIT);
        REQUIRE(needed > 500 && needed < 10000);
        char *buffer = malloc(needed); /* sanitizers see a byte too many */
        memset(buffer, 'x', needed);
        CHECK_STATUS(calls[call](watcher, buffer, needed - 1, &size), CMR_E_LIMIT);
        CHECK_INT(size, needed);
        for (size_t index = 0; index < needed; index++) CHECK(buffer[index] == 'x');
        CHECK_OK(calls[call](watcher, buffer, needed, &size));
        CHECK_INT(size, needed - 1);
        CHECK_INT(strlen(buffer), size);
        CHECK_OK(calls[call](watcher, buffer, SIZE_MAX, &size));
        CHECK_INT(strlen(buffer), needed - 1);
        free(buffer);
    }
    cmr_watcher_destroy(watcher);
}

/* ---- Threads ---- */

static struct gate written = GATE_INIT;
static cmr_watcher *busy;

static void *tell(void *context)
{
    (void)context;
    for (int round = 0; round < 200; round++) {
        char buffer[1 << 14];
        size_t size = 0;
        if (cmr_metrics(buffer, sizeof buffer, &size) != CMR_OK || strlen(buffer) != size
            || cmr_watcher_metrics(busy, buffer, sizeof buffer, &size) != CMR_OK)
            return "refused";
    }
    gate_open(&written);
    return NULL;
}

TEST("metrics are told while watchers come, go and publish")
{
    const char *mount = new_mount("mount");
    pthread_t threads[2];
    PUBLISH(mount, FILE_TEXT("key", "0"));
    busy = new_watcher(mount);
    start(busy);
    for (int index = 0; index < 2; index++)
        REQUIRE(pthread_create(&threads[index], NULL, tell, NULL) == 0);
    for (int round = 1; round < rounds(100, 20); round++) {
        const char *content = text("%d", round);
        cmr_watcher *passing = new_watcher(NULL);
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
        reload(busy);
        start(passing);
        cmr_watcher_destroy(passing);
    }
    CHECK(gate_wait(&written, 2));
    for (int index = 0; index < 2; index++) {
        void *wrong = NULL;
        pthread_join(threads[index], &wrong);
        CHECK_TEXT(wrong, NULL);
    }
    cmr_watcher_destroy(busy);
}
