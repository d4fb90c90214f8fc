/* What a watcher tells of itself: statistics and the log, and that neither holds a value. */
#include "abitest.h"

#include <grp.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <time.h>

static cmr_stats stats_of(cmr_watcher *watcher)
{
    cmr_stats stats = CMR_STATS_INIT;
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    return stats;
}

/* ---- Statistics ---- */

TEST("statistics count what happened")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    struct timespec now;
    cmr_stats stats = stats_of(watcher);
    CHECK_INT(stats.struct_size, sizeof stats);
    CHECK_INT(stats.healthy, 0);
    CHECK_INT(stats.version, 0);
    CHECK_INT(stats.reloads_succeeded, 0);
    CHECK_INT(stats.last_success_ns, 0);
    CHECK_INT(stats.last_failure_ns, 0);
    CHECK_INT(stats.held_snapshots, 0);

    recorder_init(&recorder);
    record(watcher, &recorder);
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    start(watcher);
    clock_gettime(CLOCK_REALTIME, &now);
    stats = stats_of(watcher);
    CHECK_INT(stats.healthy, 1);
    CHECK_INT(stats.version, 1);
    CHECK_INT(stats.reloads_succeeded, 1);
    CHECK_INT(stats.reloads_rejected, 0);
    CHECK_INT(stats.callbacks, 1);
    CHECK(stats.last_success_ns > ((int64_t)now.tv_sec - 60) * 1000000000);
    CHECK(stats.last_success_ns <= (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    CHECK(stats.last_duration_ns > 0);
    CHECK_INT(stats.polling, 0);

    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    await_version(watcher, 2);
    event_at(&recorder, 1);
    EVENTUALLY(stats_of(watcher).callbacks == 2);
    PUBLISH(mount, FILE_TEXT("a.json", "["));
    event_at(&recorder, 2);
    stats = stats_of(watcher);
    CHECK_INT(stats.version, 2);
    CHECK_INT(stats.reloads_succeeded, 2);
    CHECK_INT(stats.reloads_rejected, 1);
    CHECK_INT(stats.healthy, 0);
    CHECK(stats.last_failure_ns >= stats.last_success_ns);
    REQUIRE_OK(cmr_watcher_stop(watcher, patience_ms()));
    CHECK_INT(stats_of(watcher).version, 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("held snapshots are those that callers acquired or retained and did not release")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    const cmr_snapshot *first, *second;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    CHECK_INT(stats_of(watcher).held_snapshots, 0);
    first = cmr_watcher_acquire(watcher);
    cmr_snapshot_retain(first);
    CHECK_INT(stats_of(watcher).held_snapshots, 1);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    second = cmr_watcher_acquire(watcher);
    CHECK_INT(stats_of(watcher).held_snapshots, 2);
    cmr_snapshot_release(first);
    CHECK_INT(stats_of(watcher).held_snapshots, 2);
    cmr_snapshot_release(first);
    EVENTUALLY(stats_of(watcher).held_snapshots == 1);
    cmr_snapshot_release(second);
    EVENTUALLY(stats_of(watcher).held_snapshots == 0);
    cmr_watcher_destroy(watcher);
}

/* The statistics once a watcher has looked at its sources some times, because time asked for it. */
static cmr_stats looked_at(cmr_watcher *watcher)
{
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, 5));
    start(watcher);
    EVENTUALLY(stats_of(watcher).rescans >= 5);
    cmr_stats stats = stats_of(watcher);
    cmr_watcher_destroy(watcher);
    return stats;
}

TEST("an optional source that was never there is no error, however often it is looked for")
{
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_OPTIONAL, 1));
    REQUIRE_OK(cmr_watcher_add_mount(watcher, text("%s/nothing", test_directory()), NULL));
    cmr_stats stats = looked_at(watcher);
    CHECK_INT(stats.source_errors, 0);
    CHECK_INT(stats.reloads_unchanged, 0);
    CHECK_INT(stats.healthy, 1);
}

TEST("a look at a source that is polled is no reload unless it finds something")
{
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_file(watcher, "/proc/version", NULL));
    cmr_stats stats = looked_at(watcher);
    CHECK_INT(stats.reloads_unchanged, 0);
    CHECK_INT(stats.version, 1);
}

TEST("an idle watcher is healthy, however long nothing happens")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 5));
    start(watcher);
    EVENTUALLY(stats_of(watcher).rescans >= 20);
    CHECK_INT(stats_of(watcher).healthy, 1);
    CHECK_INT(stats_of(watcher).version, 1);
    cmr_watcher_destroy(watcher);
}

TEST("a file system without notifications is polled, and the statistics say so")
{
    /* procfs tells inotify nothing. */
    const char *file = "/proc/sys/kernel/hostname";
    cmr_watcher *watcher = new_watcher(NULL);
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_OK(cmr_watcher_add_file(watcher, file, NULL));
    REQUIRE_FINE(cmr_watcher_start(watcher, &error), error);
    CHECK_INT(stats_of(watcher).polling, 1);
    cmr_watcher_destroy(watcher);
}

/* ---- The log ---- */

struct log {
    pthread_mutex_t lock;
    char text[1 << 16];
    int lines[5], other_levels;
    bool sizes_agree;
};
static struct log journal = {.lock = PTHREAD_MUTEX_INITIALIZER, .sizes_agree = true};

static void keep_line(void *context, int32_t level, const char *message, size_t size)
{
    struct log *log = context;
    pthread_mutex_lock(&log->lock);
    size_t used = strlen(log->text);
    if (used + size + 2 < sizeof log->text) {
        memcpy(log->text + used, message, size);
        memcpy(log->text + used + size, "\n", 2);
    }
    if (level >= 1 && level <= 4) log->lines[level]++;
    else log->other_levels++;
    log->sizes_agree &= strlen(message) == size && size > 0 && !strchr(message, '\n');
    CHECK(cmr_status_name(CMR_OK) != NULL && cmr_version() != NULL);
    pthread_mutex_unlock(&log->lock);
}

static bool was_logged(const char *words)
{
    pthread_mutex_lock(&journal.lock);
    bool found = strstr(journal.text, words) != NULL;
    pthread_mutex_unlock(&journal.lock);
    return found;
}

TEST("the log tells of what happens, at levels, in whole lines")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_DEBUG));
    REQUIRE_OK(cmr_watcher_set_name(watcher, "settings-of-the-shop", NULL));
    PUBLISH(mount, FILE_TEXT("a.json", "[1]"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    CHECK_INT(reload(watcher), 2);
    PUBLISH(mount, FILE_TEXT("broken.json", "[2"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    EVENTUALLY(was_logged("broken.json"));
    CHECK(was_logged("settings-of-the-shop"));
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, CMR_LOG_ERROR));
    CHECK(journal.lines[CMR_LOG_INFO] > 0);
    CHECK_INT(journal.other_levels, 0);
    CHECK(journal.sizes_agree);
}

/* Refuses the key no, and says nothing of where. */
static cmr_status without_no(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    const void *bytes;
    (void)context;
    if (cmr_snapshot_bytes(candidate, "no", &bytes, NULL) != CMR_OK) return CMR_OK;
    strcpy(error->message, "there is a no");
    return CMR_E_REJECTED;
}

TEST("a line of the log says of the place what is known of it")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_ERROR));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_VALUE_BYTES, 4));
    REQUIRE_OK(cmr_watcher_set_validator(watcher, without_no, NULL));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("no", "1"));
    EVENTUALLY(was_logged("rejected: there is a no\n"));
    PUBLISH(mount, FILE_TEXT("large", "12345"));
    EVENTUALLY(was_logged("rejected: large: "));
    PUBLISH(mount, FILE_TEXT("a.json", "["));
    EVENTUALLY(was_logged("rejected: a.json:1:2: "));
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
}

/* Whether each line of the journal begins with these words. */
static bool all_lines_begin(const char *words)
{
    pthread_mutex_lock(&journal.lock);
    const char *line = journal.text;
    while (*line && strncmp(line, words, strlen(words)) == 0) line = strchr(line, '\n') + 1;
    bool all = *line == '\0' && line > journal.text;
    pthread_mutex_unlock(&journal.lock);
    return all;
}

/* Mounts a file over another in a namespace of this process; false without the right to. */
static bool mount_file(const char *from, const char *to)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0
        && mount(from, to, "none", MS_BIND, NULL) == 0;
}

TEST("every line begins with the watcher's name; what was forgiven is told with its source")
{
    const char *mount = new_mount("mount"), *file = text("%s/single", test_directory());
    PUBLISH(mount, FILE_TEXT("twice.json", "{\"member\": 1, \"member\": 2}"),
            FILE_TEXT("broken.json", "{\n "), FILE_TEXT("single", "1"));
    write_text(file, "");
    bool mounted = mount_file(text("%s/single", mount), file);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_DEBUG));
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_name(watcher, "shop", NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_LENIENT, 1));
    REQUIRE_OK(cmr_watcher_add_file(watcher, file, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "default.json", "[", 1, NULL));
    start(watcher);
    CHECK(was_logged(text("shop: %s: twice.json:1:15: ", mount)));
    CHECK(was_logged(text("shop: %s: broken.json:2:2: ", mount)));
    CHECK(was_logged("shop: defaults: default.json:1:2: "));
    CHECK_INT(was_logged(text("shop: %s: is a single file", file)), mounted);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
    CHECK(all_lines_begin("shop: "));
}

/* Becomes a user who shares the number of inotify instances with nobody. */
static void become_somebody(void)
{
    uid_t user = 600000 + (uid_t)getpid();
    if (geteuid() != 0) test_skip("only root can become a user of its own");
    REQUIRE(chown(test_directory(), user, user) == 0 && setgroups(0, NULL) == 0);
    REQUIRE(setgid(user) == 0 && setuid(user) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* for the leak checker, which traces */
}

TEST("polling for want of inotify is logged when it begins and when it ends, with who and what")
{
    static int taken[65536];
    int count = 0;
    become_somebody();
    while ((taken[count] = inotify_init1(IN_CLOEXEC)) >= 0) REQUIRE(++count < 65536);
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_INFO));
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_name(watcher, "shop", NULL));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, 5));
    start(watcher);
    CHECK_INT(stats_of(watcher).polling, 1);
    CHECK(was_logged(text("shop: %s: no inotify watch to be had", mount)));
    while (count > 0) close(taken[--count]);
    EVENTUALLY(was_logged(text("shop: %s: watched by inotify again\n", mount)));
    EVENTUALLY(stats_of(watcher).polling == 0);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
}

TEST("only lines up to the level are told")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_ERROR));
    PUBLISH(mount, FILE_TEXT("a.json", "{\"x\": 1, \"x\": 2}"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("a.json", "[2]"));
    CHECK_INT(reload(watcher), 2);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
    CHECK_INT(journal.lines[CMR_LOG_WARN], 0);
    CHECK_INT(journal.lines[CMR_LOG_INFO], 0);
    CHECK_INT(journal.lines[CMR_LOG_DEBUG], 0);
}

TEST("levels that do not exist are refused")
{
    CHECK_STATUS(cmr_set_log_handler(keep_line, &journal, 0), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_set_log_handler(keep_line, &journal, 5), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_set_log_handler(keep_line, &journal, -1), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_set_log_handler(keep_line, &journal, INT32_MAX), CMR_E_INVALID_ARGUMENT);
}

static struct gate in_log = GATE_INIT;
static cmr_status status_in_log = -1;
static void replace_in_log(void *context, int32_t level, const char *message, size_t size)
{
    (void)context, (void)level, (void)message, (void)size;
    status_in_log = cmr_set_log_handler(NULL, NULL, 0);
    gate_open(&in_log);
}

TEST("the log handler cannot be replaced from inside the log handler")
{
    cmr_watcher *watcher = new_watcher(NULL);
    CHECK_OK(cmr_set_log_handler(replace_in_log, NULL, CMR_LOG_DEBUG));
    start(watcher);
    CHECK(gate_wait(&in_log, 1));
    CHECK_STATUS(status_in_log, CMR_E_STATE);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
}

TEST("a log handler is never called again once it was replaced")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "0"));
    start(watcher);
    for (int round = 1; round < 50; round++) {
        /* It is freed, so that sanitizers would see a late call. */
        struct log *log = calloc(1, sizeof *log);
        const char *content = text("%d", round);
        pthread_mutex_init(&log->lock, NULL);
        CHECK_OK(cmr_set_log_handler(keep_line, log, CMR_LOG_DEBUG));
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
        CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
        memset(log, 0xff, sizeof *log);
        free(log);
    }
    cmr_watcher_destroy(watcher);
}

TEST("members with the same name are worth a warning that names the key, once for each content")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_WARN));
    PUBLISH(mount, FILE_TEXT("twice.json", "{\"member\": 1, \"member\": 2}"),
            FILE_TEXT("key", "1"));
    start(watcher);
    CHECK(was_logged("twice.json"));
    CHECK_INT(journal.lines[CMR_LOG_WARN], 1);
    /* Another key changes: this one's document is kept, and nothing is said again. */
    PUBLISH(mount, FILE_TEXT("twice.json", "{\"member\": 1, \"member\": 2}"),
            FILE_TEXT("key", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(journal.lines[CMR_LOG_WARN], 1);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
}

TEST("what is forgiven beside a key that is rejected is told once, not at each rescan")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_WARN));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 5));
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("broken.json", "{"),
            FILE_TEXT("twice.json", "{\"member\": 1, \"member\": 2}"),
            FILE_TEXT("more.json", "{\"member\": 1, \"member\": 2}"));
    EVENTUALLY(was_logged("rejected: broken.json"));
    uint64_t rescans = stats_of(watcher).rescans;
    EVENTUALLY(stats_of(watcher).rescans >= rescans + 5);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK_INT(journal.lines[CMR_LOG_WARN], 2);
    CHECK_INT(journal.lines[CMR_LOG_ERROR], 1);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
}

/* ---- Secrets ---- */

#define SECRET "hunter2-correct-horse"

static void check_no_secret(const cmr_error *error)
{
    CHECK(strstr(error->message, SECRET) == NULL && strstr(error->key, SECRET) == NULL);
    CHECK(strstr(error->message, "hunter2") == NULL);
}

TEST("no value reaches an error, an event's error or the log, however it fails")
{
    static const char *const broken[] = {
        "{\"password\": \"" SECRET "\"", "{\"password\": " SECRET "}", "[\"" SECRET "\", ]", SECRET,
        "\"" SECRET "\x01\"", "{\"" SECRET "\": 1,}", "[\"" SECRET "\\x\"]", "[\"" SECRET "\xff\"]",
        "{\"" SECRET "\" 1}", "[1e999, \"" SECRET "\"]",
        "{\"twice\": \"" SECRET "\", \"twice\": \"" SECRET "\", ?}",
    };
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error = CMR_ERROR_INIT;
    int64_t integer;
    CHECK_OK(cmr_set_log_handler(keep_line, &journal, CMR_LOG_DEBUG));
    PUBLISH(mount,
            FILE_TEXT("a.json",
                      "{\"password\": \"" SECRET "\", \"twice\": \"" SECRET "\", \"twice\": 2}"),
            FILE_TEXT("token", SECRET));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_MAX_VALUE_BYTES, 200));
    setenv("SECRET_TOKEN", SECRET, 1);
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "SECRET_", NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "default", SECRET, strlen(SECRET), NULL));
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, "token", &integer), CMR_E_TYPE);
    CHECK_STATUS(cmr_snapshot_duration(snapshot, "a.json#/password", &integer), CMR_E_TYPE);
    cmr_snapshot_release(snapshot);
    for (size_t index = 0; index < sizeof broken / sizeof *broken; index++) {
        about("%s", broken[index]);
        PUBLISH(mount, {"a.json", broken[index], strlen(broken[index]), 0, 0},
                FILE_TEXT("token", SECRET));
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_PARSE);
        check_no_secret(&error);
        struct heard *heard = event_at(&recorder, 1 + index);
        CHECK_INT(heard->kind, CMR_EVENT_REJECTED);
        check_no_secret(&heard->error);
    }
    static char long_value[400];
    for (size_t at = 0; at + sizeof SECRET < sizeof long_value; at += sizeof SECRET - 1)
        memcpy(long_value + at, SECRET, sizeof SECRET - 1);
    PUBLISH(mount, FILE_TEXT("a.json", "[]"), {"token", long_value, strlen(long_value), 0, 0});
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_LIMIT);
    check_no_secret(&error);
    cmr_watcher_destroy(watcher);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
    CHECK(journal.lines[CMR_LOG_INFO] > 0);
    CHECK(!was_logged("hunter2"));
    recorder_free(&recorder);
}
