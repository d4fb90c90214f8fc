/* See life.h. */
#define _GNU_SOURCE
#include "life.h"

#include <cmreload.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"
#include "world.h"

enum { MOST_BYTES = 256, READERS = 2 };

struct life {
    config config;
    tree tree;
    cmr_watcher *watcher;
    const uint64_t *word;
    cmr_reader *reader;
    const cmr_cell *cells[SOURCES];
    const cmr_snapshot *slots[SLOTS];
    bool is_started;
    uint64_t history_seen; /* the version at which the history was looked at last */
    view last;
    told events[MOST_EVENTS]; /* since the step before */
    uint32_t event_count;
    struct told_by {
        struct life *life;
        subscriber subscriber;
    } contexts[SUBSCRIBERS];
    pthread_t readers[READERS];
    bool is_over;
};

static void must(bool holds, const char *what) {
    if (holds) return;
    printf("failed: %s\n", what);
    fflush(stdout);
    _exit(3);
}

/* ---- Reading ---- */

static uint8_t about(const life *life, const char *key) {
    if (!*key) return ABOUT_NOTHING;
    for (int index = 0; index < KEYS; index++)
        if (!strcmp(key, key_names[index])) return (uint8_t)(ABOUT_LEVEL + index);
    for (int source = 0; source < SOURCES; source++)
        if (!strcmp(key, life->tree.paths[source])) return (uint8_t)(ABOUT_SOURCE + source);
    return ABOUT_ELSE;
}

/* What the keys say; NONE for one that is not there, -2 for one that says nothing that was ever
 * written. */
static merged keys_of(const cmr_snapshot *snapshot) {
    merged keys = { NONE, { NONE, NONE } };
    const char *text;
    if (cmr_snapshot_string(snapshot, key_names[0], &text, NULL) == CMR_OK) {
        int level, own;
        if (!strcmp(text, "default")) keys.level = DEFAULT_LEVEL;
        else if (sscanf(text, "%d of %d", &level, &own) != 2) keys.level = -2;
        else keys.level = level_number((content){ (int8_t)level, (int8_t)own });
    }
    for (int source = 0; source < SOURCES; source++) {
        const cmr_value *value = cmr_snapshot_value(snapshot, key_names[1 + source]);
        int64_t level = -2, own = -2;
        if (!value) continue;
        keys.own[source] = -2;
        if (cmr_value_int64(cmr_value_member(value, "v"), &own) == CMR_OK
            && cmr_value_int64(cmr_value_member(value, "level"), &level) == CMR_OK)
            keys.own[source] = own_number((content){ (int8_t)level, (int8_t)own });
    }
    return keys;
}

/* Whether the keys of the source on top are of one payload. */
static bool belong_together(const merged *keys) {
    int top = SOURCES - 1;
    if (keys->own[top] == NONE) return keys->level != -2;
    content content = { (int8_t)(keys->own[top] % 16 - 1), (int8_t)(keys->own[top] / 16) };
    return keys->own[top] >= 0
        && (content.level == NONE || keys->level == level_number(content));
}

/* Reads for as long as the life lasts: whole versions, one after the other. */
static void *read_on(void *argument) {
    life *life = argument;
    cmr_reader *reader;
    must(cmr_reader_create(life->watcher, &reader) == CMR_OK, "a reader");
    for (uint64_t last = 0; !__atomic_load_n(&life->is_over, __ATOMIC_ACQUIRE);) {
        uint64_t word = cmr_version_load(life->word);
        const cmr_snapshot *snapshot = cmr_reader_current(reader);
        if (!snapshot) continue;
        uint64_t version = cmr_snapshot_version(snapshot);
        merged keys = keys_of(snapshot);
        must(version >= last && version >= word, "a reader's versions never go back");
        must(belong_together(&keys), "a reader sees the keys of one generation");
        last = version;
        sched_yield();
    }
    cmr_reader_destroy(reader);
    return NULL;
}

/* ---- Callbacks ---- */

static void hear(void *context, const cmr_event *event) {
    struct told_by *by = context;
    life *life = by->life;
    told told = { .subscriber = (uint8_t)by->subscriber, .kind = (uint8_t)event->kind,
                  .cause = (uint8_t)event->cause, .version = (uint32_t)event->version };
    if (event->kind != CMR_EVENT_DRAINED)
        must(event->version == cmr_snapshot_version(event->snapshot), "an event's own version");
    told.previous = (uint32_t)cmr_snapshot_version(event->previous);
    if (event->error) {
        told.about = about(life, event->error->key);
        if (event->kind == CMR_EVENT_REJECTED) told.status = (uint8_t)event->error->status;
    }
    for (size_t index = 0; index < event->change_count; index++) {
        uint8_t key = about(life, event->changes[index].key);
        must(key >= ABOUT_LEVEL && key < ABOUT_SOURCE, "a change is one of a key");
        told.changes[key - ABOUT_LEVEL] = (uint8_t)event->changes[index].kind;
        must(!index || strcmp(event->changes[index - 1].key, event->changes[index].key) < 0,
             "changes are sorted by key");
    }
    if (life->event_count < MOST_EVENTS) life->events[life->event_count++] = told;
}

static cmr_status validate(void *context, const cmr_snapshot *candidate, cmr_error *error) {
    int64_t first = 0, second = 0;
    (void)context;
    cmr_snapshot_int64(candidate, "own0.json#/v", &first);
    cmr_snapshot_int64(candidate, "own1.json#/v", &second);
    if (first < GOOD_MOST || second < GOOD_MOST) return CMR_OK;
    strcpy(error->key, key_names[0]);
    return CMR_E_REJECTED;
}

/* ---- A watcher comes and goes ---- */

static void set(life *life, int32_t option, int64_t value) {
    must(cmr_watcher_set_option(life->watcher, option, value) == CMR_OK, "an option");
}

static void subscribe(life *life, subscriber subscriber, const char *pattern, uint32_t flags) {
    struct told_by *by = &life->contexts[subscriber];
    *by = (struct told_by){ life, subscriber };
    must(cmr_watcher_subscribe(life->watcher, pattern, flags, hear, by, NULL, NULL) == CMR_OK,
         "a subscription");
}

static void create(life *life) {
    const config *config = &life->config;
    uint32_t drained = config->readers ? 0 : CMR_SUBSCRIBE_DRAINED;
    must(cmr_watcher_create(&life->watcher) == CMR_OK, "a watcher");
    set(life, CMR_OPTION_RESCAN_MS, 0);
    set(life, CMR_OPTION_POLL_MS, POLL_MS);
    set(life, CMR_OPTION_SETTLE_MS, SETTLE_MS);
    set(life, CMR_OPTION_HISTORY, config->history);
    set(life, CMR_OPTION_CONFIRM_MS, config->confirms ? CONFIRM_MS : 0);
    set(life, CMR_OPTION_DRAIN_MS, config->drains ? DRAIN_MS : 0);
    set(life, CMR_OPTION_OPTIONAL, config->optional);
    set(life, CMR_OPTION_MAX_VALUE_BYTES, MOST_BYTES);
    must(cmr_watcher_add_default(life->watcher, key_names[0], "default", 7, NULL) == CMR_OK,
         "a default");
    for (int source = 0; source < SOURCES; source++) {
        static const char *const schema = "{\"properties\": {\"v\": {\"maximum\": 3}}}";
        cmr_status added = config->kinds[source] == SINGLE
            ? cmr_watcher_add_file(life->watcher, life->tree.paths[source], NULL)
            : cmr_watcher_add_mount(life->watcher, life->tree.paths[source], NULL);
        must(added == CMR_OK, "a source");
        must(cmr_watcher_set_schema(life->watcher, key_names[1 + source], schema, strlen(schema),
                                    NULL) == CMR_OK, "a schema");
        must(cmr_watcher_bind_int64(life->watcher,
                                    source ? "own1.json#/v" : "own0.json#/v", NONE,
                                    &life->cells[source]) == CMR_OK, "a cell");
    }
    must(cmr_watcher_set_validator(life->watcher, validate, NULL) == CMR_OK, "a validator");
    subscribe(life, ON_THREAD, NULL, drained);
    subscribe(life, MANUAL, NULL, CMR_SUBSCRIBE_MANUAL | drained);
    subscribe(life, MANUAL_LEVEL, key_names[0], CMR_SUBSCRIBE_MANUAL);
    must(cmr_reader_create(life->watcher, &life->reader) == CMR_OK, "a reader");
    life->word = cmr_watcher_version_word(life->watcher);
    life->history_seen = 0;
    life->is_over = false;
}

static void destroy(life *life) {
    __atomic_store_n(&life->is_over, true, __ATOMIC_RELEASE);
    if (life->is_started && life->config.readers)
        for (int index = 0; index < READERS; index++) pthread_join(life->readers[index], NULL);
    for (int slot = 0; slot < SLOTS; slot++) {
        cmr_snapshot_release(life->slots[slot]);
        life->slots[slot] = NULL;
    }
    cmr_reader_destroy(life->reader);
    if (life->is_started) world_settle();
    cmr_watcher_destroy(life->watcher);
    life->is_started = false;
}

static void restart(life *life, view *seen) {
    cmr_error error = CMR_ERROR_INIT;
    destroy(life);
    create(life);
    life->event_count = 0;
    seen->status = cmr_watcher_start(life->watcher, &error);
    seen->about = about(life, error.key);
    life->is_started = seen->status == CMR_OK;
    if (life->is_started && life->config.readers)
        for (int index = 0; index < READERS; index++)
            must(!pthread_create(&life->readers[index], NULL, read_on, life), "a thread");
}

/* ---- Observing ---- */

static void look_back(life *life, view *seen) {
    const cmr_snapshot *snapshot;
    if (life->history_seen == seen->version) {
        seen->history_count = life->last.history_count;
        memcpy(seen->history, life->last.history, sizeof seen->history);
        return;
    }
    life->history_seen = seen->version;
    while (cmr_watcher_history(life->watcher, seen->history_count, &snapshot) == CMR_OK) {
        seen->history[seen->history_count].version = cmr_snapshot_version(snapshot);
        seen->history[seen->history_count].keys = keys_of(snapshot);
        cmr_snapshot_release(snapshot);
        if (seen->history_count++ == MOST_HISTORY) break;
    }
}

static void observe(life *life, view *seen) {
    char *json = NULL;
    size_t size = 0;
    cmr_stats stats = CMR_STATS_INIT;
    if (life->is_started) world_settle();
    seen->version = cmr_version_load(life->word);
    must(cmr_watcher_version(life->watcher) == seen->version, "two ways to a version");
    const cmr_snapshot *snapshot = cmr_watcher_acquire(life->watcher);
    must(cmr_snapshot_version(snapshot) == seen->version, "the current snapshot's version");
    seen->now = keys_of(snapshot);
    if (snapshot) {
        const char *name = cmr_snapshot_generation(snapshot);
        seen->generation = *name ? strtoull(strrchr(name, '.') + 1, NULL, 10) : 0;
    }
    cmr_snapshot_release(snapshot);
    for (int source = 0; source < SOURCES; source++)
        seen->cells[source] = cmr_cell_int64(life->cells[source]);
    if (!life->is_started) return;

    look_back(life, seen);
    /* What was released here may be the library's to look at. */
    world_settle();
    must(cmr_watcher_stats(life->watcher, &stats) == CMR_OK, "statistics");
    must(stats.version == seen->version, "the statistics' version");
    seen->is_healthy = stats.healthy;
    seen->polled = stats.polling;
    seen->held = life->config.readers ? 0 : stats.held_snapshots;
    seen->succeeded = stats.reloads_succeeded;
    seen->rejected = stats.reloads_rejected;
    seen->unchanged = stats.reloads_unchanged;
    seen->source_errors = stats.source_errors;
    seen->rescans = stats.rescans;
    seen->callbacks = stats.callbacks;
    seen->violations = NONE;
    if (cmr_watcher_violations(life->watcher, &json, &size) == CMR_OK) {
        seen->violations = size > 2;
        cmr_free(json);
    }
    seen->event_count = life->event_count;
    memcpy(seen->events, life->events, life->event_count * sizeof *seen->events);
    life->event_count = 0;
    life->last = *seen;
}

/* ---- Steps ---- */

static void hold(life *life, int slot, int index, view *seen) {
    cmr_snapshot_release(life->slots[slot]);
    life->slots[slot] = NULL;
    if (life->is_started) world_settle(); /* what was held may be noticed as not held any more */
    if (index == 0) {
        life->slots[slot] = cmr_watcher_acquire(life->watcher);
        if (!life->slots[slot]) seen->status = CMR_E_NOT_FOUND;
    } else {
        seen->status = cmr_watcher_history(life->watcher, (size_t)index, &life->slots[slot]);
    }
}

/* A version by its distance from the current one. */
static uint64_t ago(const life *life, int distance) {
    uint64_t current = cmr_version_load(life->word);
    return current >= (uint64_t)distance ? current - (uint64_t)distance : 0;
}

static void ask(life *life, step step, view *seen) {
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = 0;
    size_t count = 0;
    switch (step.verb) {
    case RELOAD: {
        /* A caller of a version that waits waits as well, while the clock stands still. */
        int64_t timeout = life->config.drains ? 0 : -1;
        seen->status = cmr_watcher_reload(life->watcher, timeout, &version, &error);
        break;
    }
    case ROLLBACK:
        /* Further back than there are versions is 0, and that means something else. */
        version = step.a ? ago(life, step.a) : 0;
        if (step.a && !version) version = UINT64_MAX;
        seen->status = cmr_watcher_rollback(life->watcher, version, &version, &error);
        if (seen->status != CMR_OK) version = 0;
        break;
    case CONFIRM: seen->status = cmr_watcher_confirm(life->watcher, ago(life, step.a)); break;
    case DRAIN:
        if (life->config.readers && life->is_started) break;
        seen->status = cmr_watcher_drain(life->watcher, ago(life, step.a), 0, &count);
        break;
    case WAIT:
        seen->status = cmr_watcher_wait(life->watcher, ago(life, step.a), 0, &version);
        break;
    case DISPATCH: seen->status = cmr_watcher_dispatch(life->watcher, &count); break;
    default: break;
    }
    seen->answer = (int64_t)(count ? count : version);
    seen->about = about(life, error.key);
}

void life_step(life *life, step step, view *seen) {
    memset(seen, 0, sizeof *seen);
    switch (step.verb) {
    case WRITE:
        tree_write(&life->tree, step.a, (content){ (int8_t)step.b, (int8_t)step.c });
        break;
    case TAKE_AWAY:
    case BRING_BACK:
        world_hold();
        tree_move(&life->tree, step.a, step.verb == TAKE_AWAY);
        world_let_go();
        break;
    case DENY:
    case ALLOW: world_deny(step.a, key_names[1 + step.a], step.verb == DENY); break;
    case REQUEST: cmr_watcher_request_reload(life->watcher); break;
    case PASS_TIME: world_pass(step.a); break;
    case HOLD: hold(life, step.a, step.b, seen); break;
    case LET_GO:
        cmr_snapshot_release(life->slots[step.a]);
        life->slots[step.a] = NULL;
        break;
    case LOOK:
        seen->answer = (int64_t)cmr_snapshot_version(cmr_reader_current(life->reader));
        break;
    case PARK: cmr_reader_park(life->reader); break;
    case RESTART: restart(life, seen); break;
    default: ask(life, step, seen); break;
    }
    observe(life, seen);
}

life *life_begin(const config *config) {
    life *life = calloc(1, sizeof *life);
    must(life, "memory");
    life->config = *config;
    world_allow_watching(config->watches);
    tree_make(&life->tree, config);
    create(life);
    return life;
}

void life_end(life *life) {
    destroy(life);
    tree_remove(&life->tree);
    free(life);
}

/* ---- In a child ---- */

bool life_fork(life *life, const view *before) {
    world_fork();
    const cmr_snapshot *snapshot = cmr_watcher_acquire(life->watcher);
    merged keys = keys_of(snapshot);
    bool reads = cmr_snapshot_version(snapshot) == before->version
        && cmr_version_load(life->word) == before->version
        && !memcmp(&keys, &before->now, sizeof keys);
    cmr_snapshot_release(snapshot);
    for (int source = 0; source < SOURCES; source++)
        reads = reads && cmr_cell_int64(life->cells[source]) == before->cells[source];
    /* In a child of a watcher that is not started there is nothing to resume. */
    return reads && cmr_watcher_reload(life->watcher, -1, NULL, NULL) == CMR_E_STATE
        && cmr_watcher_rollback(life->watcher, 0, NULL, NULL) == CMR_E_STATE
        && cmr_watcher_confirm(life->watcher, before->version) == CMR_E_STATE
        && cmr_watcher_dispatch(life->watcher, NULL) == CMR_E_STATE;
}

void life_resume(life *life, view *seen) {
    memset(seen, 0, sizeof *seen);
    /* Its threads that read did not come along. */
    life->config.readers = false;
    seen->status = cmr_after_fork_child();
    observe(life, seen);
}
