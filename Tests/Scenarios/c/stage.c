/* The verbs about the watcher and what is expected of it. Events are heard one after another, none
 * is passed over: each must be expected by a line of the story. Values are read from the newest
 * version so expected. */
#define _GNU_SOURCE
#include "runner.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINES = 256 };

/* An event, kept beyond its callback. */
typedef struct heard {
    struct heard *next;
    uint32_t kind, cause;
    uint64_t version;
    const cmr_snapshot *snapshot;
    char *changes;                  /* "+key ~key -key", or "none" */
    cmr_error error;
} heard;

static struct {
    cmr_watcher *watcher;
    bool started;
    const cmr_snapshot *at_hand;    /* what values are read from */
    const cmr_snapshot *held;
    char *changes;                  /* of the event at hand */
    pthread_mutex_t lock;           /* what callbacks on other threads write: */
    pthread_cond_t news;
    heard *first, **last;
    char *log[LOG_LINES];
    int32_t levels[LOG_LINES];
    int log_count;
} stage = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .news = PTHREAD_COND_INITIALIZER,
    .last = &stage.first,
};

/* ---- hearing ---- */

static char *describe_changes(const cmr_event *event) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < event->change_count; i++)
        fprintf(stream, "%s%c%s", i ? " " : "", "?+-~"[event->changes[i].kind & 3],
                event->changes[i].key);
    if (event->change_count == 0)
        fputs("none", stream);
    fclose(stream);
    return text;
}

/* Level 0 holds what events say, so that a story can look for words there too. */
static void note(int32_t level, const char *message, size_t size) {
    pthread_mutex_lock(&stage.lock);
    if (stage.log_count < LOG_LINES) {
        stage.levels[stage.log_count] = level;
        stage.log[stage.log_count++] = strndup(message, size);
        pthread_cond_signal(&stage.news);
    }
    pthread_mutex_unlock(&stage.lock);
}

static void on_log(void *context, int32_t level, const char *message, size_t size) {
    (void)context;
    note(level, message, size);
}

static void on_event(void *context, const cmr_event *event) {
    (void)context;
    if (event->error != NULL)
        note(0, event->error->message, strlen(event->error->message));
    heard *news = calloc(1, sizeof *news);
    if (news == NULL)
        abort();
    *news = (heard){
        .kind = event->kind, .cause = event->cause, .version = event->version,
        .snapshot = cmr_snapshot_retain(event->snapshot), .changes = describe_changes(event),
        .error = event->error != NULL ? *event->error : (cmr_error)CMR_ERROR_INIT,
    };
    pthread_mutex_lock(&stage.lock);
    *stage.last = news;
    stage.last = &news->next;
    pthread_cond_signal(&stage.news);
    pthread_mutex_unlock(&stage.lock);
}

static struct timespec deadline_from_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += setting.deadline_ms / 1000;
    return time;
}

/* Waits until `ready` holds; false when the deadline came first. The lock is held around each look.
 * What comes by the event descriptor is fetched when `by_descriptor`. */
static bool wait_until(bool (*ready)(void), bool by_descriptor) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&stage.lock);
    bool in_time = true;
    while (!ready() && in_time) {
        if (!by_descriptor) {
            in_time = pthread_cond_timedwait(&stage.news, &stage.lock, &deadline) == 0;
            continue;
        }
        pthread_mutex_unlock(&stage.lock);
        struct pollfd wait = {.fd = cmr_watcher_event_fd(stage.watcher), .events = POLLIN};
        in_time = poll(&wait, 1, setting.deadline_ms) > 0;
        cmr_watcher_dispatch(stage.watcher, NULL);
        pthread_mutex_lock(&stage.lock);
    }
    bool result = ready();
    pthread_mutex_unlock(&stage.lock);
    return result;
}

static bool has_news(void) {
    return stage.first != NULL;
}

static const char *kind_name(uint32_t kind) {
    static const char *const names[] = {
        "?", "PUBLISHED", "REJECTED", "SOURCE_LOST", "SOURCE_RECOVERED",
    };
    return names[kind < 5 ? kind : 0];
}

static void free_event(heard *event) {
    cmr_snapshot_release(event->snapshot);
    free(event->changes);
    free(event);
}

/* Takes the next event; fails the story when none comes. */
static heard *next_event(const char *wanted) {
    if (!wait_until(has_news, setting.manual))
        fail("no event came, %s was expected", wanted);
    pthread_mutex_lock(&stage.lock);
    heard *event = stage.first;
    stage.first = event->next;
    if (stage.first == NULL)
        stage.last = &stage.first;
    pthread_mutex_unlock(&stage.lock);
    return event;
}

static void unexpected(const heard *event, const char *wanted) {
    fail("%s of version %" PRIu64 " came (%s%s%s), %s was expected", kind_name(event->kind),
         event->version, event->kind == CMR_EVENT_PUBLISHED ? event->changes : event->error.key,
         event->error.message[0] ? ": " : "", event->error.message, wanted);
}

/* The event's snapshot and changes become those at hand. */
static void take_in_hand(heard *event) {
    cmr_snapshot_release(stage.at_hand);
    free(stage.changes);
    stage.at_hand = event->snapshot;
    stage.changes = event->changes;
    free(event);
}

/* ---- the watcher's life ---- */

static cmr_watcher *the_watcher(void) {
    if (stage.watcher != NULL)
        return stage.watcher;
    cmr_error error = CMR_ERROR_INIT;
    uint32_t flags = setting.manual ? CMR_SUBSCRIBE_MANUAL : 0;
    cmr_set_log_handler(on_log, NULL, CMR_LOG_WARN);
    if (cmr_watcher_create(&stage.watcher) != CMR_OK
        || cmr_watcher_subscribe(stage.watcher, NULL, flags, on_event, NULL, NULL, &error)
            != CMR_OK)
        fail("no watcher: %s", error.message);
    return stage.watcher;
}

static int32_t option_number(const char *name) {
    static const struct { const char *name; int32_t number; } options[] = {
        {"SETTLE_MS", CMR_OPTION_SETTLE_MS}, {"RESCAN_MS", CMR_OPTION_RESCAN_MS},
        {"POLL_MS", CMR_OPTION_POLL_MS}, {"OPTIONAL", CMR_OPTION_OPTIONAL},
        {"SNIFF_JSON", CMR_OPTION_SNIFF_JSON}, {"LENIENT", CMR_OPTION_LENIENT},
        {"MAX_VALUE_BYTES", CMR_OPTION_MAX_VALUE_BYTES},
        {"MAX_TOTAL_BYTES", CMR_OPTION_MAX_TOTAL_BYTES},
        {"MAX_KEYS", CMR_OPTION_MAX_KEYS}, {"MAX_DEPTH", CMR_OPTION_MAX_DEPTH},
        {"EXPAND_ENVIRONMENT", CMR_OPTION_EXPAND_ENVIRONMENT},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (is(options[i].name, name))
            return options[i].number;
    fail("there is no option %s", name);
}

static void add(const char *kind, const char *what) {
    cmr_watcher *watcher = the_watcher();
    cmr_error error = CMR_ERROR_INIT;
    cmr_status status;
    if (is(kind, "mount"))
        status = cmr_watcher_add_mount(watcher, path_of(what), &error);
    else if (is(kind, "file"))
        status = cmr_watcher_add_file(watcher, path_of(what), &error);
    else if (is(kind, "environment"))
        status = cmr_watcher_add_environment(watcher, what, &error);
    else if (is(kind, "default"))
        status = cmr_watcher_add_default(watcher, what, argument(3).text, argument(3).size, &error);
    else
        fail("no %s can be added", kind);
    if (status != CMR_OK)
        fail("add: %s: %s", cmr_status_name(status), error.message);
}

/* `[LINE COLUMN]` from index on. */
static void expect_place(int index, const cmr_error *error) {
    if (has_argument(index)
        && (error->line != argument_number(index) || error->column != argument_number(index + 1)))
        fail("it is at %" PRIu32 ":%" PRIu32 " (%s)", error->line, error->column, error->message);
    no_more_arguments_than(index + 2);
}

/* `fails STATUS [KEY [LINE COLUMN]]` from index on, or nothing there for CMR_OK. */
static void expect_outcome(int index, cmr_status status, const cmr_error *error) {
    const char *wanted = cmr_status_name(CMR_OK);
    if (has_argument(index) && is(argument_text(index), "fails"))
        wanted = argument_text(index + 1);
    else
        no_more_arguments_than(index);
    if (!is(cmr_status_name(status), wanted))
        fail("%s (%s: %s), %s was expected", cmr_status_name(status), error->key, error->message,
             wanted);
    if (has_argument(index + 2) && !is(error->key, argument_text(index + 2))
        && !is(error->key, path_of(argument_text(index + 2))))
        fail("the error is about '%s' (%s)", error->key, error->message);
    expect_place(index + 3, error);
}

static void expect_version(uint64_t version, const char *what);

static void start(void) {
    cmr_error error = CMR_ERROR_INIT;
    cmr_status status = cmr_watcher_start(the_watcher(), &error);
    expect_outcome(1, status, &error);
    stage.started = status == CMR_OK;
    if (stage.started)
        expect_version(1, "version 1");
}

/* Whoever reloads knows that the attempt has ended: the way to see that nothing happens. */
static cmr_status reload(uint64_t *version_out, cmr_error *error) {
    return cmr_watcher_reload(the_watcher(), setting.deadline_ms, version_out, error);
}

/* ---- expecting events ---- */

/* Passes over older versions only: how many swaps make one version is the library's business. */
static void expect_version(uint64_t version, const char *what) {
    for (;;) {
        heard *event = next_event(what);
        if (event->kind != CMR_EVENT_PUBLISHED || event->version > version)
            unexpected(event, what);
        bool found = event->version == version;
        take_in_hand(event);
        if (found)
            return;
    }
}

static void expect_cause(const char *name, uint32_t cause) {
    static const char *const names[] = {"?", "START", "CHANGE", "RELOAD"};
    if (!is(name, names[cause < 4 ? cause : 0]))
        fail("the cause is %s", names[cause < 4 ? cause : 0]);
}

static void expect_next_version(void) {
    uint64_t version = (uint64_t)argument_number(2);
    heard *event = next_event("a version");
    if (event->kind != CMR_EVENT_PUBLISHED || event->version != version)
        unexpected(event, "another version");
    if (has_argument(3))
        expect_cause(argument_text(3), event->cause);
    no_more_arguments_than(4);
    take_in_hand(event);
}

static void expect_no_version_with(const heard *event) {
    if (event->version != cmr_snapshot_version(stage.at_hand))
        fail("the event is of version %" PRIu64 ", version %" PRIu64 " was current", event->version,
             cmr_snapshot_version(stage.at_hand));
}

static void expect_rejected(void) {
    heard *event = next_event("a rejection");
    if (event->kind != CMR_EVENT_REJECTED)
        unexpected(event, "a rejection");
    const char *status = cmr_status_name(event->error.status);
    if (!is(status, argument_text(2)))
        fail("rejected as %s (%s: %s)", status, event->error.key, event->error.message);
    if (!is(event->error.key, argument_text(3)) && !is(event->error.key, path_of(argument_text(3))))
        fail("rejected for '%s' (%s)", event->error.key, event->error.message);
    expect_place(4, &event->error);
    expect_no_version_with(event);
    free_event(event);
}

static void expect_source(uint32_t kind) {
    heard *event = next_event(kind_name(kind));
    if (event->kind != kind)
        unexpected(event, kind_name(kind));
    if (!is(event->error.key, path_of(argument_text(2))))
        fail("it is about '%s'", event->error.key);
    no_more_arguments_than(3);
    free_event(event);
}

static void expect_changes(void) {
    char wanted[4096] = "";
    for (int i = 2; i < current_line.count; i++) {
        strcat(wanted, i > 2 ? " " : "");
        strncat(wanted, argument_text(i), sizeof wanted - strlen(wanted) - 2);
    }
    if (!is(stage.changes, wanted))
        fail("the changes are: %s", stage.changes);
}

static void expect_quiet(void) {
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = cmr_snapshot_version(stage.at_hand);
    reload(NULL, &error);
    cmr_watcher_dispatch(stage.watcher, NULL);  /* has nothing to do, unless manual */
    if (cmr_watcher_version(stage.watcher) != version)
        fail("version %" PRIu64 " was published", cmr_watcher_version(stage.watcher));
    pthread_mutex_lock(&stage.lock);
    if (stage.first != NULL)
        unexpected(stage.first, "nothing");
    pthread_mutex_unlock(&stage.lock);
}

/* Reloads, and takes the version that is current then. */
static void settle(void) {
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = 0;
    cmr_status status = reload(&version, &error);
    if (status != CMR_OK)
        fail("%s (%s: %s)", cmr_status_name(status), error.key, error.message);
    if (version != cmr_snapshot_version(stage.at_hand))
        expect_version(version, "the newest version");
}

/* ---- expecting values ---- */

/* A path that cannot be read as text reads as the name of the status. */
static bool reads_as(const cmr_snapshot *snapshot, const char *path, word wanted,
                     const char **got_out) {
    const char *text = NULL;
    size_t size = 0;
    cmr_status status = cmr_snapshot_string(snapshot, path, &text, &size);
    if (status != CMR_OK)
        size = strlen(text = cmr_status_name(status));
    *got_out = text;
    return size == wanted.size && memcmp(text, wanted.text, size) == 0;
}

static void expect_value(const cmr_snapshot *snapshot, const char *path, int index) {
    word wanted = argument_value(index);
    const char *got;
    if (!reads_as(snapshot, path, wanted, &got))
        fail("%s is %.200s", path, got);
    free(wanted.text);
}

/* Passes over versions until one has the value. */
static void await_value(void) {
    word wanted = argument(3);
    const char *got;
    no_more_arguments_than(4);
    while (!reads_as(stage.at_hand, argument_text(2), wanted, &got)) {
        heard *event = next_event("a version with the value");
        if (event->kind != CMR_EVENT_PUBLISHED)
            unexpected(event, "a version");
        take_in_hand(event);
    }
}

static void expect_bytes(const char *key) {
    word wanted = argument_value(3);
    const void *bytes = NULL;
    size_t size = 0;
    cmr_status status = cmr_snapshot_bytes(stage.at_hand, key, &bytes, &size);
    if (status != CMR_OK)
        fail("%s: %s", key, cmr_status_name(status));
    if (size != wanted.size || memcmp(bytes, wanted.text, size) != 0)
        fail("%s has %zu other bytes", key, size);
    free(wanted.text);
}

static void expect_json(const char *path) {
    char *json = NULL;
    size_t size = 0;
    cmr_status status = cmr_snapshot_json(stage.at_hand, path, &json, &size);
    if (status != CMR_OK)
        fail("%s: %s", path, cmr_status_name(status));
    if (!is(json, argument_text(3)))
        fail("%s is %.400s", path, json);
    no_more_arguments_than(4);
    cmr_free(json);
}

static void expect_type(const char *path) {
    static const char *const names[] = {
        "none", "null", "bool", "int64", "double", "string", "array", "object", "bytes",
    };
    int32_t type = cmr_value_type(cmr_snapshot_value(stage.at_hand, path));
    if (type < CMR_TYPE_NONE || type > CMR_TYPE_BYTES || !is(argument_text(3), names[type + 1]))
        fail("%s is of type %s (%" PRIi32 ")", path,
             type >= CMR_TYPE_NONE && type <= CMR_TYPE_BYTES ? names[type + 1] : "?", type);
    no_more_arguments_than(4);
}

/* Reads a number or a truth value by the getter of that name and compares it as text. */
static bool expect_scalar(const char *getter, const char *path) {
    char got[64];
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    cmr_status status;
    if (is(getter, "int64"))
        status = cmr_snapshot_int64(stage.at_hand, path, &integer);
    else if (is(getter, "duration"))
        status = cmr_snapshot_duration(stage.at_hand, path, &integer);
    else if (is(getter, "quantity"))
        status = cmr_snapshot_quantity(stage.at_hand, path, &integer);
    else if (is(getter, "double"))
        status = cmr_snapshot_double(stage.at_hand, path, &number);
    else if (is(getter, "bool"))
        status = cmr_snapshot_bool(stage.at_hand, path, &truth);
    else
        return false;
    if (status != CMR_OK)
        snprintf(got, sizeof got, "%s", cmr_status_name(status));
    else if (is(getter, "double"))
        snprintf(got, sizeof got, "%.17g", number);
    else if (is(getter, "bool"))
        snprintf(got, sizeof got, "%s", truth ? "true" : "false");
    else
        snprintf(got, sizeof got, "%" PRIi64, integer);
    bool equal = is(getter, "double") && status == CMR_OK ? strtod(argument_text(3), NULL) == number
                                                          : is(got, argument_text(3));
    if (!equal)
        fail("%s reads as %s", path, got);
    no_more_arguments_than(4);
    return true;
}

static void expect_keys(void) {
    size_t count = cmr_snapshot_count(stage.at_hand);
    for (size_t i = 0; i < count || has_argument((int)i + 2); i++) {
        const char *key = "nothing";
        size_t size;
        if (i < count && cmr_snapshot_key(stage.at_hand, i, &key, &size) != CMR_OK)
            fail("key %zu cannot be read", i);
        if (!has_argument((int)i + 2) || !is(key, argument_text((int)i + 2)))
            fail("there is %s, %zu keys in all", key, count);
    }
}

static void expect_generation(const char *mount) {
    char target[256] = "", link[4096];
    snprintf(link, sizeof link, "%s/..data", path_of(mount));
    if (readlink(link, target, sizeof target - 1) < 0)
        fail("%s has no ..data", mount);
    if (!is(cmr_snapshot_generation(stage.at_hand), target))
        fail("the generation is '%s', not %s", cmr_snapshot_generation(stage.at_hand), target);
}

/* ---- expecting what can be observed ---- */

static cmr_stats stats(void) {
    cmr_stats stats = CMR_STATS_INIT;
    if (cmr_watcher_stats(the_watcher(), &stats) != CMR_OK)
        fail("no statistics");
    return stats;
}

static void expect_healthy(bool healthy) {
    if ((stats().healthy != 0) != healthy)
        fail("the watcher is %s", healthy ? "unhealthy" : "healthy");
}

/* How sources are watched may change with the next look at them. */
static void expect_polling(int64_t count) {
    for (int turn = 0; turn < setting.deadline_ms && stats().polling != count; turn++)
        poll(NULL, 0, 1);
    if (stats().polling != count)
        fail("%" PRIu32 " sources are polled", stats().polling);
}

/* What was dropped stands at the end of what the kernel kept: a version may be told before that. */
static void expect_overflows(int64_t count) {
    for (int turn = 0; turn < setting.deadline_ms && (int64_t)stats().overflows < count; turn++)
        poll(NULL, 0, 1);
    if ((int64_t)stats().overflows != count)
        fail("%" PRIu64 " overflows", stats().overflows);
}

static int log_lines(const char *level, const char *text) {
    static const char *const names[] = {"EVENT", "ERROR", "WARN", "INFO", "DEBUG"};
    int found = 0;
    for (int i = 0; i < stage.log_count; i++)
        found += stage.levels[i] >= 0 && stage.levels[i] <= 4 && is(names[stage.levels[i]], level)
            && strstr(stage.log[i], text) != NULL;
    return found;
}

static bool is_logged(void) {
    int64_t wanted = has_argument(4) ? argument_number(5) : 1;
    return log_lines(argument_text(2), argument_text(3)) >= wanted;
}

static void expect_log(void) {
    bool counted = has_argument(4);
    if (counted && !is(argument_text(4), "times"))
        fail("'%s' where `times COUNT` may stand", argument_text(4));
    /* The library logs once all have been told: a reload may have returned before. */
    if (!wait_until(is_logged, false) && !counted)
        fail("nothing such was logged");
    pthread_mutex_lock(&stage.lock);
    int found = log_lines(argument_text(2), argument_text(3));
    pthread_mutex_unlock(&stage.lock);
    if (counted && found != argument_number(5))
        fail("it was logged %d times", found);
}

/* ---- the verbs ---- */

static bool expect_value_of(const char *what) {
    if (is(what, "value"))
        expect_value(stage.at_hand, argument_text(2), 3);
    else if (is(what, "held"))
        expect_value(stage.held, argument_text(2), 3);
    else if (is(what, "bytes"))
        expect_bytes(argument_text(2));
    else if (is(what, "json"))
        expect_json(argument_text(2));
    else if (is(what, "type"))
        expect_type(argument_text(2));
    else if (is(what, "keys"))
        expect_keys();
    else if (is(what, "generation"))
        expect_generation(argument_text(2));
    else
        return has_argument(2) && expect_scalar(what, argument_text(2));
    return true;
}

static void expect(const char *what) {
    if (is(what, "version"))
        expect_next_version();
    else if (is(what, "rejected"))
        expect_rejected();
    else if (is(what, "lost"))
        expect_source(CMR_EVENT_SOURCE_LOST);
    else if (is(what, "recovered"))
        expect_source(CMR_EVENT_SOURCE_RECOVERED);
    else if (is(what, "changes"))
        expect_changes();
    else if (is(what, "quiet"))
        expect_quiet();
    else if (is(what, "healthy") || is(what, "unhealthy"))
        expect_healthy(is(what, "healthy"));
    else if (is(what, "polling"))
        expect_polling(argument_number(2));
    else if (is(what, "overflows"))
        expect_overflows(argument_number(2));
    else if (is(what, "log"))
        expect_log();
    else if (!expect_value_of(what))
        fail("nothing is known about %s", what);
}

static void hold(void) {
    cmr_snapshot_release(stage.held);
    stage.held = cmr_snapshot_retain(stage.at_hand);
}

bool stage_perform(const char *verb) {
    cmr_error error = CMR_ERROR_INIT;
    if (is(verb, "option")) {
        int32_t option = option_number(argument_text(1));
        if (cmr_watcher_set_option(the_watcher(), option, argument_number(2)) != CMR_OK)
            fail("the option was refused");
    } else if (is(verb, "add"))
        add(argument_text(1), argument_text(2));
    else if (is(verb, "start"))
        start();
    else if (!stage.started)
        fail("not started, or no such verb: %s", verb);
    else if (is(verb, "reload"))
        expect_outcome(1, reload(NULL, &error), &error);
    else if (is(verb, "request-reload"))
        cmr_watcher_request_reload(stage.watcher);
    else if (is(verb, "settle"))
        settle();
    else if (is(verb, "await") && is(argument_text(1), "value"))
        await_value();
    else if (is(verb, "hold"))
        hold();
    else if (is(verb, "expect"))
        expect(argument_text(1));
    else
        return false;
    return true;
}

/* Nothing may have happened that no line expected. */
void stage_end(void) {
    if (stage.started && setting.manual)
        cmr_watcher_dispatch(stage.watcher, NULL);
    cmr_watcher_destroy(stage.watcher);
    if (stage.first != NULL)
        unexpected(stage.first, "the end");
    cmr_snapshot_release(stage.at_hand);
    cmr_snapshot_release(stage.held);
    free(stage.changes);
    cmr_set_log_handler(NULL, NULL, 0);
    for (int i = 0; i < stage.log_count; i++)
        free(stage.log[i]);
}
