/* Calls the C interface in whatever order bytes say, with whatever arguments: a byte chooses the
 * function, those behind it handles, numbers and texts. It must hold that a status is one that the
 * header lists, that outputs and errors are written as it says, that states allow what they allow,
 * that versions only grow, that what is held does not change, and that no value is in a log line or
 * an error.
 */
#include "fuzz.h"

#include <sys/stat.h>

enum { MOST_CALLS = 60, SLOTS = 4, MOST_TEXT = 64 };

/* Part of every value that is written, and of nothing else. */
static const char secret[] = "v4lu3-0f-4-k3y";

enum state { ABSENT, CREATED, STARTED, STOPPED };

static struct {
    cmr_watcher *watcher;
    enum state state;
    uint64_t version, subscription;
    const uint64_t *word;
    bool tells_end, has_ended;
} watchers[SLOTS];

static struct {
    const cmr_snapshot *snapshot;
    uint64_t version;
    char checksum[33];
} held[SLOTS];

static cmr_reader *readers[SLOTS];
static char root[64], mounts[2][80];

/* ---- Bytes as arguments ---- */

static const uint8_t *input;
static size_t input_left;

static uint8_t next(void)
{
    if (input_left == 0) return 0;
    input_left--;
    return *input++;
}

static size_t pick(size_t count) { return next() % count; }

static int64_t number(void)
{
    static const int64_t numbers[] = {0, 1, 2, 3, 5, 30, 1000, 4096, -1, INT64_MAX, INT64_MIN};
    size_t choice = pick(16);
    return choice < sizeof numbers / sizeof *numbers ? numbers[choice] : next();
}

/* One of the texts that mean something, or what the input has up to a NUL, or NULL. Lives until the
 * fourth after it is taken. */
static const char *text(void)
{
    static const char *const texts[] = {
        "", "a", "b.json", "c.yaml", "d.toml", "e.properties", "f.env", "g.ini", "b.json#/x",
        "b.json#/x/0", "c.yaml#/a/b", "*", "*.json", "[a-z]*", "a/b", "..a", "https://x.test/s",
    };
    static char copies[4][MOST_TEXT];
    static int turn;
    size_t choice = pick(24), size = 0;
    if (choice < sizeof texts / sizeof *texts) return texts[choice];
    if (choice == 23) return NULL;
    char *copy = copies[turn++ % 4];
    while (size < MOST_TEXT - 1 && (copy[size] = (char)next())) size++;
    copy[size] = '\0';
    return copy;
}

/* A value with the secret in it, in one of the formats or in none. */
static const char *value(size_t *size)
{
    static const char *const forms[] = {
        "%s", "{\"x\":[\"%s\"]}", "a: {b: %s}\n", "a = \"%s\"\n", "a=%s\n", "[s]\na=%s\n",
        "{\"x\":%s", "a: [%s", "a = %s", "'%s", "%s: *%s", "1",
    };
    static char buffers[4][256];
    static int turn;
    char *buffer = buffers[turn++ % 4];
    size_t choice = pick(16);
    if (choice < sizeof forms / sizeof *forms) {
        snprintf(buffer, sizeof buffers[0], forms[choice], secret, secret);
        *size = strlen(buffer);
        return buffer;
    }
    if (choice == 15) return *size = pick(2), NULL;
    *size = sizeof secret - 1;
    memcpy(buffer, secret, *size);
    for (size_t count = pick(MOST_TEXT); count > 0; count--) buffer[(*size)++] = (char)next();
    return buffer;
}

static const char *path(void)
{
    static char paths[4][128];
    static int turn;
    const char *name = text();
    if (!name) return NULL;
    char *buffer = paths[turn++ % 4];
    snprintf(buffer, sizeof paths[0], "%s/%s", mounts[pick(2)], name);
    return buffer;
}

/* ---- Errors ---- */

/* The error of the call that is made next: whole, too small, or none. */
static cmr_error error_room;
static cmr_error *error_given;

static cmr_error *error(void)
{
    error_room = unwritten_error;
    error_given = &error_room;
    switch (pick(8)) {
        case 0: error_given = NULL; break;
        case 1: error_room.struct_size = (uint32_t)number() % sizeof error_room; break;
    }
    return error_given;
}

static void has_no_secret(const char *words) { demand(!strstr(words, secret)); }

/* Judges a status with the error that was given to the call. */
static void judge_error(cmr_status status, unsigned may)
{
    cmr_error untouched = unwritten_error;
    untouched.struct_size = error_room.struct_size;
    if (error_given && error_room.struct_size < sizeof error_room) {
        demand(status != CMR_OK && memcmp(&untouched, &error_room, sizeof untouched) == 0);
        demand(may >> status & 1);
        return;
    }
    check_status(status, error_given, may);
    if (error_given) has_no_secret(error_room.message), has_no_secret(error_room.key);
}

static void judge(cmr_status status, unsigned may) { check_status(status, NULL, may); }

/* ---- Callbacks ---- */

static void hear(void *context, const cmr_event *event)
{
    cmr_watcher *watcher = context;
    demand(event->kind >= CMR_EVENT_PUBLISHED && event->kind <= CMR_EVENT_UPCOMING);
    demand(event->struct_size >= sizeof *event && event->reserved == 0 && event->snapshot);
    if (event->kind == CMR_EVENT_PUBLISHED) {
        demand(event->version == cmr_snapshot_version(event->snapshot));
        demand(!event->previous || cmr_snapshot_version(event->previous) < event->version);
        for (size_t index = 1; index < event->change_count; index++)
            demand(strcmp(event->changes[index - 1].key, event->changes[index].key) < 0);
    }
    demand((event->kind == CMR_EVENT_REJECTED) <= (event->error != NULL));
    if (event->error) has_no_secret(event->error->message);
    for (size_t index = 0; index < event->violation_count; index++)
        has_no_secret(event->violations[index].expected);
    /* What waits for callbacks may not be called in one. */
    demand(cmr_watcher_start(watcher, NULL) == CMR_E_STATE);
    demand(cmr_watcher_stop(watcher, -1) == CMR_E_STATE);
    demand(cmr_watcher_reload(watcher, -1, NULL, NULL) == CMR_E_STATE);
    demand(cmr_watcher_wait(watcher, UINT64_MAX, -1, NULL) == CMR_E_STATE);
    demand(cmr_watcher_drain(watcher, UINT64_MAX, -1, NULL) == CMR_E_STATE);
    demand(cmr_watcher_dispatch(watcher, NULL) == CMR_E_STATE);
    cmr_snapshot_release(cmr_watcher_acquire(watcher));
}

static void hear_log(void *context, int32_t level, const char *message, size_t size)
{
    (void)context;
    demand(level >= CMR_LOG_ERROR && level <= CMR_LOG_DEBUG && strlen(message) == size);
    demand(!strchr(message, '\n'));
    has_no_secret(message);
}

static void hear_end(void *context)
{
    bool *has_ended = context;
    demand(!*has_ended);
    *has_ended = true;
}

static cmr_status allow(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    (void)context, (void)error;
    check_snapshot(candidate);
    return CMR_OK;
}

static cmr_status refuse(void *context, const cmr_snapshot *candidate, cmr_error *error)
{
    (void)context, (void)candidate;
    demand(error->struct_size == sizeof *error);
    snprintf(error->message, sizeof error->message, "refused");
    error->line = UINT32_MAX;
    return CMR_E_TIMEOUT;
}

static cmr_status parse(void *context, const char *key, const void *bytes, size_t size,
                        cmr_sink *json, cmr_error *error)
{
    (void)context, (void)error;
    demand(key && bytes && ((const char *)bytes)[size] == 0);
    demand(cmr_sink_write(json, NULL, 1) == CMR_E_INVALID_ARGUMENT);
    if (size % 3 == 0) return CMR_E_PARSE;
    /* What comes first is no JSON by itself, and with some sizes never becomes any. */
    cmr_sink_write(json, "{\"size\":", 8);
    return cmr_sink_write(json, "1}", size % 3 == 1 ? 2 : 1);
}

/* ---- Calls ---- */

static void hold(const cmr_snapshot *snapshot)
{
    size_t slot = pick(SLOTS);
    if (!snapshot) return;
    cmr_snapshot_release(held[slot].snapshot);
    held[slot].snapshot = snapshot;
    held[slot].version = cmr_snapshot_version(snapshot);
    strcpy(held[slot].checksum, cmr_snapshot_checksum(snapshot));
}

static void destroy(size_t slot)
{
    cmr_watcher_destroy(watchers[slot].watcher);
    demand(watchers[slot].has_ended == watchers[slot].tells_end);
    memset(&watchers[slot], 0, sizeof watchers[slot]);
}

static void create(size_t slot)
{
    if (watchers[slot].watcher) destroy(slot);
    judge(cmr_watcher_create(&watchers[slot].watcher), 0);
    watchers[slot].state = CREATED;
    watchers[slot].word = cmr_watcher_version_word(watchers[slot].watcher);
    demand(watchers[slot].word);
}

/* What is to be said before start. */
static void prepare_watcher(cmr_watcher *watcher, enum state state)
{
    const unsigned may = MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(STATE);
    cmr_status status;
    size_t size;
    const char *bytes, *first;
    switch (pick(6)) {
        case 0:
            first = text();
            status = cmr_watcher_set_name(watcher, first, error());
            break;
        case 1: {
            int32_t option = (int32_t)pick(20);
            error_given = NULL;
            status = cmr_watcher_set_option(watcher, option, number());
            break;
        }
        case 2:
            first = mounts[pick(2)];
            status = cmr_watcher_add_mount(watcher, first, error());
            break;
        case 3:
            first = path();
            status = cmr_watcher_add_file(watcher, first, error());
            break;
        case 4:
            first = text();
            status = cmr_watcher_add_environment(watcher, first, error());
            break;
        default:
            first = text(), bytes = value(&size);
            status = cmr_watcher_add_default(watcher, first, bytes, size, error());
    }
    judge_error(status, may);
    demand(status != CMR_OK || state == CREATED);
}

static void subscribe(size_t slot)
{
    cmr_watcher *watcher = watchers[slot].watcher;
    uint64_t id = UINT64_MAX;
    const char *pattern = text();
    uint32_t flags = (uint32_t)pick(9);
    cmr_status status = cmr_watcher_subscribe(watcher, pattern, flags, hear, watcher, &id, error());
    judge_error(status, MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(STATE));
    demand((status == CMR_OK) == (id != UINT64_MAX));
    if (status == CMR_OK) watchers[slot].subscription = id;
}

static void ask_for_end(size_t slot)
{
    cmr_status status =
        cmr_watcher_set_closed(watchers[slot].watcher, hear_end, &watchers[slot].has_ended);
    judge(status, MAY(INVALID_ARGUMENT) | MAY(STATE));
    if (status == CMR_OK) watchers[slot].tells_end = true;
}

static void begin(size_t slot)
{
    bool was_created = watchers[slot].state == CREATED;
    cmr_status status = cmr_watcher_start(watchers[slot].watcher, error());
    judge_error(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(IO) | MAY(DENIED) | MAY(PARSE) |
                            MAY(REJECTED) | MAY(LIMIT));
    demand(was_created || status == CMR_E_STATE || status == CMR_E_INVALID_ARGUMENT);
    if (status == CMR_OK) watchers[slot].state = STARTED;
}

static void end(size_t slot)
{
    bool was_stopped = watchers[slot].state == STOPPED;
    cmr_status status = cmr_watcher_stop(watchers[slot].watcher, (int64_t)pick(3) - 1);
    judge(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(TIMEOUT));
    demand(status != CMR_OK || !was_stopped);
    if (watchers[slot].watcher) watchers[slot].state = STOPPED;
}

static void reload(size_t slot)
{
    uint64_t version = UINT64_MAX;
    int64_t patience_ms = (int64_t)pick(3);
    cmr_status status =
        cmr_watcher_reload(watchers[slot].watcher, patience_ms, &version, error());
    judge_error(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(TIMEOUT) | MAY(IO) | MAY(DENIED) |
                            MAY(PARSE) | MAY(REJECTED) | MAY(LIMIT));
    demand((status == CMR_OK) == (version != UINT64_MAX));
    demand(watchers[slot].state == STARTED || status == CMR_E_STATE ||
           status == CMR_E_INVALID_ARGUMENT);
}

static void go_back(size_t slot)
{
    uint64_t version = UINT64_MAX;
    cmr_watcher *watcher = watchers[slot].watcher;
    uint64_t former = (uint64_t)number();
    cmr_status status = cmr_watcher_rollback(watcher, former, &version, error());
    judge_error(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(NOT_FOUND));
    demand((status == CMR_OK) == (version != UINT64_MAX));
    judge(cmr_watcher_confirm(watcher, (uint64_t)number()),
          MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(NOT_FOUND));
}

static void wait_for(size_t slot)
{
    cmr_watcher *watcher = watchers[slot].watcher;
    size_t count = SIZE_MAX;
    uint64_t version = UINT64_MAX;
    cmr_status status;
    switch (pick(3)) {
        case 0:
            status = cmr_watcher_wait(watcher, (uint64_t)number(), (int64_t)pick(2), &version);
            judge(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(TIMEOUT));
            demand((status == CMR_OK) == (version != UINT64_MAX));
            break;
        case 1:
            status = cmr_watcher_drain(watcher, (uint64_t)number(), (int64_t)pick(2), &count);
            judge(status, MAY(INVALID_ARGUMENT) | MAY(STATE) | MAY(TIMEOUT));
            demand((status == CMR_OK || status == CMR_E_TIMEOUT) == (count != SIZE_MAX));
            demand(status != CMR_OK || count == 0);
            break;
        default:
            status = cmr_watcher_dispatch(watcher, &count);
            judge(status, MAY(INVALID_ARGUMENT) | MAY(STATE));
            demand((status == CMR_OK) == (count != SIZE_MAX));
            demand((status == CMR_OK) == (watchers[slot].state == STARTED));
    }
}

static void set_rule(cmr_watcher *watcher)
{
    static const char *const schemas[] = {
        "true", "false", "{", "{\"type\":\"object\"}", "{\"type\":3}", "{\"maxLength\":3}",
        "{\"properties\":{\"b.json\":{\"$ref\":\"https://x.test/s\"}}}",
        "{\"required\":[\"x\"],\"additionalProperties\":{\"const\":\"x\"}}",
        "{\"pattern\":\"^[a-z]+$\",\"enum\":[1,\"x\"]}",
    };
    const cmr_validate_fn validators[] = {NULL, allow, refuse};
    const char *schema = schemas[pick(sizeof schemas / sizeof *schemas)], *first = text();
    size_t size = strlen(schema);
    cmr_status status;
    switch (pick(6)) {
        case 0: status = cmr_watcher_set_schema(watcher, first, schema, size, error()); break;
        case 1: status = cmr_watcher_set_schema(watcher, first, NULL, pick(2), error()); break;
        case 2: status = cmr_watcher_add_schema(watcher, first, schema, size, error()); break;
        case 3: status = cmr_watcher_set_format(watcher, first, (int32_t)pick(8), error()); break;
        case 4: status = cmr_watcher_set_parser(watcher, first, parse, NULL, error()); break;
        default:
            error_given = NULL;
            status = cmr_watcher_set_validator(watcher, validators[pick(3)], NULL);
    }
    judge_error(status, MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(PARSE) | MAY(REJECTED) |
                            MAY(STATE));
}

static void read_violations(cmr_watcher *watcher)
{
    char *json = NULL;
    size_t size = 0;
    cmr_status status = cmr_watcher_violations(watcher, &json, &size);
    judge(status, MAY(INVALID_ARGUMENT) | MAY(NOT_FOUND));
    demand((status == CMR_OK) == (json != NULL));
    if (!json) return;
    demand(strlen(json) == size);
    has_no_secret(json);
    cmr_free(json);
}

static void read_paths(const cmr_snapshot *snapshot)
{
    const char *where = text(), *words = NULL;
    const unsigned may = MAY(INVALID_ARGUMENT) | MAY(NOT_FOUND) | MAY(TYPE) | MAY(RANGE);
    const void *bytes = NULL;
    char *json = NULL;
    int64_t integer = 77;
    double real = 77;
    bool truth = true;
    size_t size = 77;
    cmr_status status = cmr_snapshot_int64(snapshot, where, &integer);
    judge(status, may);
    demand(status == CMR_OK || integer == 77);
    judge(cmr_snapshot_double(snapshot, where, &real), may);
    judge(cmr_snapshot_bool(snapshot, where, &truth), may & ~MAY(RANGE));
    judge(cmr_snapshot_duration(snapshot, where, &integer), may);
    judge(cmr_snapshot_quantity(snapshot, where, &integer), may);
    judge(cmr_snapshot_string(snapshot, where, &words, &size), may & ~MAY(RANGE));
    judge(cmr_snapshot_bytes(snapshot, where, &bytes, &size), may & ~MAY(RANGE) & ~MAY(TYPE));
    status = cmr_snapshot_json(snapshot, where, &json, &size);
    judge(status, MAY(INVALID_ARGUMENT) | MAY(NOT_FOUND));
    demand((status == CMR_OK) == (json != NULL));
    cmr_free(json);
    if (snapshot) check_snapshot(snapshot);
}

static void bind(size_t slot)
{
    cmr_watcher *watcher = watchers[slot].watcher;
    const cmr_cell *cell = NULL;
    const char *where = text();
    cmr_status status;
    switch (pick(3)) {
        case 0: status = cmr_watcher_bind_int64(watcher, where, 7, &cell); break;
        case 1: status = cmr_watcher_bind_double(watcher, where, 0.5, &cell); break;
        default: status = cmr_watcher_bind_bool(watcher, where, true, &cell);
    }
    judge(status, MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(STATE));
    demand((status == CMR_OK) == (cell != NULL));
    if (cell) cmr_cell_int64(cell);
}

static void use_reader(size_t slot, cmr_watcher *watcher)
{
    switch (pick(4)) {
        case 0:
            cmr_reader_destroy(readers[slot]);
            readers[slot] = NULL;
            judge(cmr_reader_create(watcher, &readers[slot]), MAY(INVALID_ARGUMENT));
            break;
        case 1: hold(cmr_snapshot_retain(cmr_reader_current(readers[slot]))); break;
        case 2: cmr_reader_park(readers[slot]); break;
        default: cmr_reader_destroy(readers[slot]), readers[slot] = NULL;
    }
}

static void observe(cmr_watcher *watcher)
{
    static char buffer[1 << 16];
    cmr_stats stats = CMR_STATS_INIT;
    size_t size = 0, capacity = pick(2) ? sizeof buffer : 10;
    switch (pick(4)) {
        case 0:
            stats.struct_size = pick(2) ? sizeof stats : (uint32_t)number() % sizeof stats;
            judge(cmr_watcher_stats(watcher, &stats), MAY(INVALID_ARGUMENT));
            break;
        case 1:
            judge(cmr_watcher_metrics(watcher, buffer, capacity, &size),
                  MAY(INVALID_ARGUMENT) | MAY(LIMIT));
            break;
        case 2: judge(cmr_metrics(buffer, capacity, &size), MAY(LIMIT)); break;
        default:
            judge(cmr_set_log_handler(pick(2) ? hear_log : NULL, NULL, (int32_t)pick(6)),
                  MAY(INVALID_ARGUMENT));
            return;
    }
    has_no_secret(buffer);
}

static void write_mount(void)
{
    cmr_file files[4];
    size_t count = pick(5);
    for (size_t index = 0; index < count; index++) {
        size_t size = 0;
        files[index].key = text();
        files[index].bytes = value(&size);
        files[index].size = size;
        files[index].mode = pick(4) ? 0 : (uint32_t)next() * 4;
        files[index].reserved = 0;
    }
    const char *mount = mounts[pick(2)];
    judge_error(cmr_mount_write(mount, files, count, error()),
                MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(IO) | MAY(DENIED));
}

static void call(void)
{
    uint8_t function = next();
    size_t slot = pick(SLOTS);
    cmr_watcher *watcher = watchers[slot].watcher;
    const cmr_snapshot *snapshot = held[slot].snapshot;
    switch (function % 26) {
        case 0: create(slot); break;
        case 1: if (watcher) destroy(slot); break;
        case 2:
        case 3: prepare_watcher(watcher, watchers[slot].state); break;
        case 4:
        case 5: begin(slot); break;
        case 6: end(slot); break;
        case 7: hold(cmr_watcher_acquire(watcher)); break;
        case 8: hold(cmr_snapshot_retain(snapshot)); break;
        case 9: cmr_snapshot_release(snapshot), held[slot].snapshot = NULL; break;
        case 10: read_paths(snapshot); break;
        case 11: use_reader(slot, watcher); break;
        case 12: bind(slot); break;
        case 13: subscribe(slot); break;
        case 14:
            judge(cmr_watcher_unsubscribe(watcher, watchers[slot].subscription),
                  MAY(INVALID_ARGUMENT) | MAY(NOT_FOUND));
            break;
        case 15: demand(cmr_watcher_event_fd(watcher) >= -1); break;
        case 16: reload(slot); break;
        case 17: cmr_watcher_request_reload(watcher); break;
        case 18: wait_for(slot); break;
        case 19: set_rule(watcher); break;
        case 20: go_back(slot); break;
        case 21: {
            const cmr_snapshot *former = NULL;
            cmr_status status = cmr_watcher_history(watcher, pick(4), &former);
            judge(status, MAY(INVALID_ARGUMENT) | MAY(NOT_FOUND));
            demand((status == CMR_OK) == (former != NULL));
            hold(former);
            break;
        }
        case 22: observe(watcher); break;
        case 23: read_violations(watcher); break;
        case 24: ask_for_end(slot); break;
        default: write_mount();
    }
}

/* What holds after each call. */
static void check_all(void)
{
    for (size_t slot = 0; slot < SLOTS; slot++) {
        cmr_watcher *watcher = watchers[slot].watcher;
        if (watcher) {
            uint64_t version = cmr_watcher_version(watcher);
            demand(version >= watchers[slot].version);
            demand(cmr_version_load(watchers[slot].word) >= version);
            demand((watchers[slot].state == CREATED) <= (version == 0));
            watchers[slot].version = version;
        }
        if (held[slot].snapshot) {
            demand(cmr_snapshot_version(held[slot].snapshot) == held[slot].version);
            demand(strcmp(cmr_snapshot_checksum(held[slot].snapshot), held[slot].checksum) == 0);
        }
    }
}

static void prepare(void)
{
    static cmr_watcher *keeper;
    if (keeper) return;
    scratch_directory(root, sizeof root);
    setenv("a", secret, 1);
    demand(cmr_watcher_create(&keeper) == CMR_OK && cmr_watcher_start(keeper, NULL) == CMR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (memmem(data, size, secret, sizeof secret - 1)) return 0;
    prepare();
    size_t descriptors = count_descriptors();
    for (int index = 0; index < 2; index++) {
        snprintf(mounts[index], sizeof mounts[index], "%s/%d", root, index);
        demand(mkdir(mounts[index], 0755) == 0);
    }
    input = data, input_left = size;
    for (int count = 0; input_left > 0 && count < MOST_CALLS; count++) call(), check_all();
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (watchers[slot].watcher) destroy(slot);
        if (held[slot].snapshot) check_snapshot(held[slot].snapshot);
        cmr_snapshot_release(held[slot].snapshot);
        cmr_reader_destroy(readers[slot]);
        held[slot].snapshot = NULL, readers[slot] = NULL;
    }
    cmr_set_log_handler(NULL, NULL, CMR_LOG_DEBUG);
    for (int index = 0; index < 2; index++) remove_all(mounts[index]);
    await_descriptors(descriptors);
    return 0;
}
