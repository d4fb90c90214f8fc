/* See model.h. Each rule says why it is one. */
#include "model.h"

#include <cmreload.h>

#include <string.h>

int16_t level_number(content content) {
    return content.level == NONE ? NONE : (int16_t)(content.level * 16 + content.own + 1);
}

int16_t own_number(content content) {
    return content.own == NONE ? NONE : (int16_t)(content.own * 16 + content.level + 1);
}

/* ---- Content ---- */

static bool same_content(content one, content other) {
    return one.level == other.level && one.own == other.own;
}

static bool same_keys(const merged *one, const merged *other) {
    return !memcmp(one, other, sizeof *one);
}

static bool has_keys(content content) { return content.level != NONE || content.own != NONE; }

/* A later source wins, key by key, and the default lies under all. */
static merged merge(const holding layers[SOURCES]) {
    merged keys = { .level = DEFAULT_LEVEL };
    for (int source = 0; source < SOURCES; source++) {
        const holding *layer = &layers[source];
        bool has_level = layer->is_there && layer->content.level != NONE;
        if (has_level) keys.level = level_number(layer->content);
        keys.own[source] = layer->is_there ? own_number(layer->content) : NONE;
    }
    return keys;
}

/* Who stands on top gives the version its generation's name. */
static uint64_t generation_of(const composition *what) {
    for (int source = SOURCES; source-- > 0;)
        if (what->layers[source].is_there && what->layers[source].generation)
            return what->layers[source].generation;
    return 0;
}

static bool is_left(const layer *layer, content content) {
    for (int index = 0; index < layer->left_count; index++)
        if (same_content(layer->left[index], content)) return true;
    return false;
}

static void leave(layer *layer, content content) {
    if (is_left(layer, content)) return;
    if (layer->left_count == MOST_CONTENTS)
        memmove(layer->left, layer->left + 1, --layer->left_count * sizeof *layer->left);
    layer->left[layer->left_count++] = content;
}

/* What is gone back to is not left any more. */
static void take_up(layer *layer, content content) {
    int kept = 0;
    for (int index = 0; index < layer->left_count; index++)
        if (!same_content(layer->left[index], content)) layer->left[kept++] = layer->left[index];
    layer->left_count = kept;
}

static bool same_reason(const rejection *one, const rejection *other) {
    return one->status == other->status && one->about == other->about
        && same_content(one->content, other->content) && same_keys(&one->keys, &other->keys);
}

/* ---- Telling ---- */

static uint8_t change(int16_t before, int16_t after) {
    if (before == after) return 0;
    if (before == NONE) return CMR_CHANGE_ADDED;
    return after == NONE ? CMR_CHANGE_REMOVED : CMR_CHANGE_MODIFIED;
}

static const merged no_keys = { NONE, { NONE, NONE } };

static const merged *keys_of(const model *model, uint64_t version) {
    return version ? &model->versions[version].what.keys : &no_keys;
}

static void call(model *model, subscriber subscriber, told told, view *seen) {
    told.subscriber = (uint8_t)subscriber;
    if (subscriber == MANUAL_LEVEL) {
        /* A pattern narrows what is published to the keys that match, and hides the rest. */
        if (told.kind == CMR_EVENT_PUBLISHED && !told.changes[0]) return;
        if (told.kind == CMR_EVENT_DRAINED) return; /* it did not ask for these */
        memset(told.changes + 1, 0, KEYS - 1);
    }
    model->callbacks++;
    if (seen->event_count < MOST_EVENTS) seen->events[seen->event_count++] = told;
}

/* One round: all that is pending, each event to each subscriber. Answers the number of calls. */
static uint64_t tell(model *model, round *round, subscriber first, subscriber last, view *seen) {
    uint64_t before = model->callbacks;
    told events[SOURCES + 3];
    int count = 0;
    memset(events, 0, sizeof events);
    for (int index = 0; index < SOURCES + 3; index++)
        events[index].version = (uint32_t)model->current;
    for (int index = 0; index < round->source_count; index++) {
        told *event = &events[count++];
        event->kind = (uint8_t)round->sources[index].kind;
        event->cause = (uint8_t)round->sources[index].cause;
        event->about = (uint8_t)(ABOUT_SOURCE + round->sources[index].source);
    }
    if (round->published) {
        /* From what was told last to what is current: versions between them are not missed. */
        told *event = &events[count++];
        const merged *old = keys_of(model, round->told), *new = keys_of(model, model->current);
        event->kind = CMR_EVENT_PUBLISHED;
        event->cause = (uint8_t)round->published;
        event->previous = (uint32_t)round->told;
        event->changes[0] = change(old->level, new->level);
        for (int source = 0; source < SOURCES; source++)
            event->changes[1 + source] = change(old->own[source], new->own[source]);
        round->told = model->current;
    }
    if (round->rejected) {
        told *event = &events[count++];
        event->kind = CMR_EVENT_REJECTED;
        event->cause = (uint8_t)round->rejected;
        event->status = (uint8_t)round->why.status;
        event->about = (uint8_t)round->why.about;
    }
    if (round->drained) {
        told *event = &events[count++];
        event->kind = CMR_EVENT_DRAINED;
        event->cause = CMR_CAUSE_CHANGE;
        event->version = (uint32_t)round->drained;
    }
    round->published = round->rejected = round->source_count = 0;
    round->drained = 0;
    for (int index = 0; index < count; index++)
        for (subscriber each = first; each <= last; each++) call(model, each, events[index], seen);
    return model->callbacks - before;
}

static void note_source(model *model, int kind, int source, int cause) {
    round *rounds[] = { &model->on_thread, &model->manual };
    for (int each = 0; each < 2; each++) {
        /* Of each source the newest word counts. */
        round *round = rounds[each];
        int kept = 0;
        for (int index = 0; index < round->source_count; index++)
            if (round->sources[index].source != source)
                round->sources[kept++] = round->sources[index];
        round->sources[kept].kind = kind;
        round->sources[kept].source = source;
        round->sources[kept].cause = cause;
        round->source_count = kept + 1;
    }
}

/* ---- Versions ---- */

/* The first version, those of a rollback, and one that it finds there already need no confirmation;
 * what nobody confirmed until then nobody can any more. */
static void begin_confirming(model *model) {
    for (uint64_t gone = model->confirmed + 1; model->config.confirms && gone < model->current;
         gone++)
        model->versions[gone].is_gone = true;
    model->confirmed = model->current;
    model->unconfirmed_count = 0;
    model->reverts_at = INT64_MAX;
}

static void publish(model *model, const composition *what, int cause) {
    uint64_t before = model->current, now = ++model->current;
    model->versions[now] = (version){ .what = *what };
    if (before) {
        /* The newest first, as many as the option says. */
        memmove(model->history + 1, model->history, (MOST_HISTORY - 1) * sizeof *model->history);
        model->history[0] = before;
        if (model->history_count < model->config.history) model->history_count++;
    }
    if (model->config.confirms && (cause == CMR_CAUSE_CHANGE || cause == CMR_CAUSE_RELOAD)) {
        if (model->unconfirmed_count == MOST_CONTENTS)
            memmove(model->unconfirmed, model->unconfirmed + 1,
                    (size_t)--model->unconfirmed_count * sizeof *model->unconfirmed);
        model->unconfirmed[model->unconfirmed_count++] = now;
        /* Each further change begins the time anew. */
        model->reverts_at = model->now_ms + CONFIRM_MS;
    } else {
        begin_confirming(model);
    }
    model->succeeded++;
    round *rounds[] = { &model->on_thread, &model->manual };
    for (int each = 0; each < 2; each++) {
        /* The first version stays one that nobody knows of; what was rejected before is past. */
        if (rounds[each]->published != CMR_CAUSE_START) rounds[each]->published = cause;
        rounds[each]->rejected = 0;
    }
}

/* A good candidate is published, or waits for the holders of the current version: at most as long
 * as the first one would have, since newer content takes its place. */
static void offer(model *model, const composition *what, int cause) {
    int64_t deadline = model->is_waiting ? model->waits_until : model->now_ms + DRAIN_MS;
    model->is_waiting = false;
    /* The sources are back at what is current: there is nothing to wait for. */
    if (same_keys(&what->keys, keys_of(model, model->current))) return;
    if (model->config.drains && model->versions[model->current].holders > 0) {
        model->is_waiting = true;
        model->waiting = *what;
        model->waiting_cause = cause;
        model->waits_until = deadline;
        return;
    }
    publish(model, what, cause);
}

/* Publishes former content. What the sources hold, and held in the versions that are left, has no
 * effect until they offer something else. */
static void go_back(model *model, const composition *target, const uint64_t *left, int left_count) {
    composition what = *target;
    model->is_waiting = false;
    for (int source = 0; source < SOURCES; source++) {
        layer *layer = &model->layers[source];
        holding kept = what.layers[source];
        for (int index = 0; index <= left_count; index++) {
            holding gone = index < left_count
                ? model->versions[left[index]].what.layers[source] : layer->content;
            if (gone.is_there && !(kept.is_there && same_content(gone.content, kept.content)))
                leave(layer, gone.content);
        }
        if (kept.is_there) take_up(layer, kept.content);
        layer->content = kept;
    }
    /* What is there already makes no version. */
    if (same_keys(&what.keys, keys_of(model, model->current))) begin_confirming(model);
    else publish(model, &what, CMR_CAUSE_ROLLBACK);
}

/* ---- Loading ---- */

typedef enum outcome { KNOWN, SAME, NEW, MISSING, LEFT, FAILED } outcome;

static rejection reason(int status, int about, bool passes) {
    rejection why;
    memset(&why, 0, sizeof why);
    why.status = status;
    why.about = about;
    why.passes = passes;
    return why;
}

/* What one source has to offer. */
static outcome look(model *model, int source, bool is_forced, rejection *why) {
    layer *layer = &model->layers[source];
    content content = model->disk[source].content;
    bool is_mount = model->config.kinds[source] == MOUNT;
    bool is_file = model->config.kinds[source] == SINGLE;
    *why = reason(CMR_E_IO, ABOUT_SOURCE + source, true);
    bool was_examined = layer->is_examined;
    layer->is_examined = layer->is_watched = false;
    if (model->disk[source].is_away || (is_file && content.own == NONE)) return MISSING;
    layer->is_known_mount = is_mount;
    layer->is_watched = true;
    /* The generation's name says that nothing changed. */
    if (is_mount && was_examined && !is_forced) {
        layer->is_examined = true;
        return KNOWN;
    }
    /* What could not be read may be readable at the next look, whatever it is called. */
    if (model->disk[source].is_denied && content.own != NONE) {
        *why = reason(CMR_E_DENIED, ABOUT_OWN + source, true);
        return FAILED;
    }
    if (content.own == OVERSIZED) {
        *why = reason(CMR_E_LIMIT, ABOUT_OWN + source, true);
        return FAILED;
    }
    /* A volume goes empty when something went wrong with it: kubernetes#113242. */
    if (!has_keys(content) && layer->content.is_there && has_keys(layer->content.content))
        return MISSING;
    layer->is_examined = is_mount;
    if (is_left(layer, content)) return LEFT;
    if (content.own == BROKEN) {
        *why = reason(CMR_E_PARSE, ABOUT_OWN + source, false);
        why->content = content;
        return FAILED;
    }
    return layer->content.is_there && same_content(content, layer->content.content) ? SAME : NEW;
}

/* What the layers are together: nothing new, something to be published, or not to be taken. */
typedef enum verdict { NOTHING, GOOD_ENOUGH, REJECTED } verdict;

static verdict propose(const model *model, composition *what, rejection *why) {
    const merged *newest =
        model->is_waiting ? &model->waiting.keys : keys_of(model, model->current);
    what->keys = merge(what->layers);
    if (model->current && same_keys(&what->keys, newest)) return NOTHING;
    for (int source = 0; source < SOURCES; source++) {
        /* The schema of the source's own key. */
        if (what->layers[source].is_there && what->layers[source].content.own == REFUSED) {
            *why = reason(CMR_E_REJECTED, ABOUT_OWN + source, false);
            why->keys = what->keys;
            return REJECTED;
        }
    }
    for (int source = 0; source < SOURCES; source++)
        if (!what->layers[source].is_there || what->layers[source].content.own != GOOD_MOST)
            return GOOD_ENOUGH;
    /* The application's validator: each of them may be at its most, but not both. */
    *why = reason(CMR_E_REJECTED, ABOUT_LEVEL, false);
    why->keys = what->keys;
    return REJECTED;
}

static void recover(model *model, int source, int cause) {
    if (model->layers[source].health == LOST)
        note_source(model, CMR_EVENT_SOURCE_RECOVERED, source, cause);
    model->layers[source].health = GOOD;
}

static void reject(model *model, const rejection *why, int cause) {
    round *rounds[] = { &model->on_thread, &model->manual };
    model->rejected++;
    model->newest_rejection = why->status;
    model->has_violations = why->status == CMR_E_REJECTED && why->about != ABOUT_LEVEL;
    for (int each = 0; each < 2; each++) {
        rounds[each]->rejected = cause;
        rounds[each]->why = *why;
    }
}

/* When a source is looked at although nothing is told of it. */
static void schedule(model *model, int source) {
    const layer *layer = &model->layers[source];
    bool may_recover = layer->health == LOST || (layer->health == BAD && layer->why.passes)
        || !layer->content.is_there;
    if (!model->config.watches || may_recover)
        model->layers[source].next_check = model->now_ms + POLL_MS;
}

/* One attempt; `problem` receives why a caller who waited for it is told that it failed, status 0
 * when it did not. */
static void attempt(model *model, const bool asked[SOURCES], bool is_forced, int cause,
                    rejection *problem) {
    bool due[SOURCES], is_new[SOURCES] = { false }, is_held_back[SOURCES] = { false };
    outcome outcomes[SOURCES];
    rejection why[SOURCES], together = reason(0, 0, false), news[SOURCES + 1];
    int new_count = 0, news_count = 0;
    /* A look that nothing but time asked for is a reload only when it finds something. */
    bool has_read = false, is_look = !is_forced;
    composition loaded, proposed;
    verdict verdict = NOTHING;
    memset(&loaded, 0, sizeof loaded);
    memset(&proposed, 0, sizeof proposed);
    *problem = reason(0, 0, false);

    for (int source = 0; source < SOURCES; source++) {
        layer *layer = &model->layers[source];
        loaded.layers[source] = layer->content;
        /* What is held back is looked at each time, until all fits together. */
        due[source] = is_forced || asked[source] || layer->is_held_back;
        if (!due[source]) continue;
        layer->next_check = layer->settles_at = INT64_MAX;
        if (!layer->is_due_by_time) is_look = false;
        layer->is_due_by_time = false;
        outcomes[source] = look(model, source, is_forced, &why[source]);
        if (outcomes[source] != NEW) continue;
        is_new[source] = true;
        new_count++;
        loaded.layers[source] = (holding){
            true, model->disk[source].content,
            model->config.kinds[source] == MOUNT ? model->disk[source].generation : 0 };
    }
    for (int source = 0; source < SOURCES; source++) {
        if (!due[source] || outcomes[source] == KNOWN) continue;
        if (outcomes[source] == NEW || !is_look) has_read = true;
    }
    if (new_count) {
        proposed = loaded;
        verdict = propose(model, &proposed, &together);
    }
    if (verdict == REJECTED) {
        memcpy(is_held_back, is_new, sizeof is_new);
        verdict = NOTHING;
        /* Sources are independent: what is good without the others does not wait for them. */
        composition taken;
        memset(&taken, 0, sizeof taken);
        for (int source = 0; source < SOURCES; source++)
            taken.layers[source] = model->layers[source].content;
        for (int source = 0; new_count > 1 && source < SOURCES; source++) {
            rejection ignored;
            composition trial = taken;
            if (!is_new[source]) continue;
            trial.layers[source] = loaded.layers[source];
            enum verdict alone = propose(model, &trial, &ignored);
            if (alone == REJECTED) continue;
            verdict = alone;
            proposed = taken = trial;
            is_held_back[source] = false;
        }
    }

    for (int source = 0; source < SOURCES; source++) {
        layer *layer = &model->layers[source];
        if (!due[source]) continue;
        switch (outcomes[source]) {
        case KNOWN:
            if (layer->health == BAD && !problem->status) *problem = layer->why;
            break;
        case SAME:
        case LEFT:
        case NEW:
            recover(model, source, cause);
            /* The source has offered something else: what was left may come again. */
            if (outcomes[source] == SAME || (outcomes[source] == NEW && !is_held_back[source]))
                layer->left_count = 0;
            if (outcomes[source] == NEW && !is_held_back[source])
                layer->content = loaded.layers[source];
            break;
        case MISSING:
            if (!layer->content.is_there) break; /* optional, and never there */
            model->source_errors++;
            if (layer->health != LOST) note_source(model, CMR_EVENT_SOURCE_LOST, source, cause);
            layer->health = LOST;
            if (!problem->status) *problem = why[source];
            break;
        case FAILED:
            if (why[source].passes) model->source_errors++;
            /* Bad content is told once, however often it is looked at. */
            if (!(layer->health == BAD && same_reason(&layer->why, &why[source])))
                news[news_count++] = why[source];
            recover(model, source, cause);
            layer->health = BAD;
            layer->why = why[source];
            if (!problem->status) *problem = why[source];
            break;
        }
        layer->is_held_back = is_held_back[source];
        if (layer->is_held_back) layer->is_examined = false;
    }
    if (together.status) {
        if (!same_reason(&together, &model->together)) news[news_count++] = together;
        if (!problem->status) *problem = together;
    }
    model->together = together;
    for (int source = 0; source < SOURCES; source++)
        if (due[source]) schedule(model, source);
    if (!problem->status) model->newest_rejection = 0;
    if (verdict == GOOD_ENOUGH) {
        offer(model, &proposed, cause);
    } else if (!problem->status && (has_read || cause == CMR_CAUSE_RELOAD)) {
        /* Who saw nothing but the name of the generation did not load. */
        model->unchanged++;
    }
    /* After what was published, which drops the rejections that wait. */
    for (int index = 0; index < news_count; index++) reject(model, &news[index], cause);
}

/* ---- Time ---- */

int64_t model_next_ms(const model *model) {
    int64_t next = model->reverts_at;
    if (!model->is_started) return INT64_MAX;
    if (model->is_waiting && model->waits_until < next) next = model->waits_until;
    for (int source = 0; source < SOURCES; source++) {
        const layer *layer = &model->layers[source];
        if (layer->next_check < next) next = layer->next_check;
        if (layer->settles_at < next) next = layer->settles_at;
    }
    return next;
}

/* What several things ask for at the end of the time happens in this order. */
static void pass_time(model *model, int milliseconds) {
    bool due[SOURCES] = { false };
    rejection ignored;
    model->now_ms += milliseconds;
    if (!model->is_started) return;
    if (model->now_ms >= model->reverts_at) {
        /* Nobody confirmed in time: all since the last confirmed version is left. */
        uint64_t left[MOST_CONTENTS];
        int count = model->unconfirmed_count;
        memcpy(left, model->unconfirmed, sizeof left);
        go_back(model, &model->versions[model->confirmed].what, left, count);
    }
    if (model->is_waiting && model->now_ms >= model->waits_until) {
        model->is_waiting = false;
        publish(model, &model->waiting, model->waiting_cause);
    }
    for (int source = 0; source < SOURCES; source++) {
        layer *layer = &model->layers[source];
        if (model->now_ms >= layer->settles_at) due[source] = true;
        if (model->now_ms >= layer->next_check) {
            /* One that is being written is looked at when it is quiet. */
            if (layer->settles_at == INT64_MAX) due[source] = layer->is_due_by_time = true;
            model->rescans++;
            layer->next_check = INT64_MAX;
        }
    }
    if (due[0] || due[1]) attempt(model, due, false, CMR_CAUSE_CHANGE, &ignored);
}

/* The kernel tells of a change to a source. */
static void signal(model *model, int source) {
    layer *layer = &model->layers[source];
    bool due[SOURCES] = { false };
    rejection ignored;
    if (!model->is_started || !model->config.watches) return;
    if (layer->is_known_mount) {
        /* A swap is complete when it is seen. */
        due[source] = true;
        attempt(model, due, false, CMR_CAUSE_CHANGE, &ignored);
        return;
    }
    /* A plain directory is complete when it was quiet, but it is not waited for for ever. What was
     * never there may be one. */
    if (layer->settles_at == INT64_MAX) layer->settles_at_most = model->now_ms + 10 * SETTLE_MS;
    layer->settles_at = model->now_ms + SETTLE_MS;
    if (layer->settles_at > layer->settles_at_most) layer->settles_at = layer->settles_at_most;
}

/* ---- Life ---- */

/* What comes by itself: subscribers are told, versions that nobody holds are drained, one that
 * waited for that is published. */
static void settle(model *model, view *seen) {
    for (bool again = model->is_started; again;) {
        again = false;
        tell(model, &model->on_thread, ON_THREAD, ON_THREAD, seen);
        for (uint64_t version = 1; version < model->current; version++) {
            if (model->versions[version].holders || model->versions[version].is_drained) continue;
            model->versions[version].is_drained = again = true;
            if (model->config.readers) continue; /* and nobody asked to hear of that */
            /* Of several that wait to be told the highest is. */
            if (version > model->on_thread.drained) model->on_thread.drained = version;
            if (version > model->manual.drained) model->manual.drained = version;
        }
        if (model->is_waiting && !model->versions[model->current].holders) {
            model->is_waiting = false;
            again = true;
            publish(model, &model->waiting, model->waiting_cause);
        }
    }
}

static void show(const model *model, view *seen) {
    seen->version = model->current;
    seen->now = *keys_of(model, model->current);
    for (int source = 0; source < SOURCES; source++)
        seen->cells[source] = seen->now.own[source] == NONE ? NONE : seen->now.own[source] / 16;
    if (!model->is_started) return;
    seen->generation = generation_of(&model->versions[model->current].what);
    seen->violations = model->newest_rejection ? model->has_violations : NONE;
    seen->is_healthy = !model->together.status;
    for (int source = 0; source < SOURCES; source++)
        if (model->layers[source].health != GOOD) seen->is_healthy = false;
    seen->polled = model->config.watches ? 0 : SOURCES;
    for (uint64_t version = 1; version <= model->current && !model->config.readers; version++)
        seen->held += model->versions[version].holders > 0;
    seen->succeeded = model->succeeded;
    seen->rejected = model->rejected;
    seen->unchanged = model->unchanged;
    seen->source_errors = model->source_errors;
    seen->rescans = model->rescans;
    seen->callbacks = model->callbacks;
    seen->history_count = (uint32_t)model->history_count + 1;
    for (int index = 0; index <= model->history_count; index++) {
        uint64_t version = index ? model->history[index - 1] : model->current;
        seen->history[index].version = version;
        seen->history[index].keys = *keys_of(model, version);
    }
}

static void let_go(model *model, uint64_t *held) {
    if (*held) model->versions[*held].holders--;
    *held = 0;
}

static void hold(model *model, uint64_t *held, uint64_t version) {
    *held = version;
    model->versions[version].holders++;
}

/* A fresh watcher on what the sources hold: all of it must be good, or nothing is there. */
static void start(model *model, view *seen) {
    rejection problem = reason(0, 0, false), why;
    composition first;
    config config = model->config;
    memset(&first, 0, sizeof first);
    memset(model->layers, 0, sizeof model->layers);
    memset(model->versions, 0, sizeof model->versions);
    memset(&model->on_thread, 0, sizeof model->on_thread);
    model->manual = model->on_thread;
    model->current = model->confirmed = model->reader = 0;
    model->history_count = model->unconfirmed_count = model->newest_rejection = 0;
    model->succeeded = model->rejected = model->unchanged = model->source_errors = 0;
    model->rescans = model->callbacks = 0;
    model->is_waiting = model->is_started = false;
    model->together = problem;
    model->reverts_at = INT64_MAX;
    for (int source = 0; source < SOURCES; source++) {
        layer *layer = &model->layers[source];
        layer->next_check = layer->settles_at = INT64_MAX;
        outcome outcome = look(model, source, true, &why);
        if (outcome == NEW)
            layer->content = first.layers[source] = (holding){
                true, model->disk[source].content,
                config.kinds[source] == MOUNT ? model->disk[source].generation : 0 };
        else if (!problem.status && !(outcome == MISSING && config.optional))
            problem = why;
    }
    if (!problem.status && propose(model, &first, &why) == REJECTED) problem = why;
    seen->status = problem.status;
    seen->about = problem.about;
    if (problem.status) return;
    model->is_started = true;
    for (int source = 0; source < SOURCES; source++) schedule(model, source);
    publish(model, &first, CMR_CAUSE_START);
}

static void roll_back(model *model, int ago, view *seen) {
    uint64_t found = 0;
    const merged *now = keys_of(model, model->current);
    for (int index = 0; index < model->history_count && !found; index++) {
        uint64_t version = model->history[index];
        const composition *what = &model->versions[version].what;
        bool fits = ago > 0 && version + (uint64_t)ago == model->current;
        if (!ago) {
            /* The newest content that is neither current nor was left. */
            fits = !same_keys(&what->keys, now);
            for (int source = 0; source < SOURCES; source++)
                if (what->layers[source].is_there
                    && is_left(&model->layers[source], what->layers[source].content))
                    fits = false;
        }
        if (fits) found = version;
    }
    if (!found) {
        seen->status = CMR_E_NOT_FOUND;
        return;
    }
    /* A version with the current content changes nothing, but for what waits to take its place. */
    if (!same_keys(keys_of(model, found), now) || model->is_waiting)
        go_back(model, &model->versions[found].what, NULL, 0);
    seen->answer = (int64_t)model->current;
}

static void confirm(model *model, uint64_t version, view *seen) {
    seen->status = CMR_E_NOT_FOUND;
    if (version == 0 || version > model->current || model->versions[version].is_gone) return;
    /* What came before the last confirmed version, or is it. */
    if (version <= model->confirmed || !model->config.confirms) seen->status = CMR_OK;
    for (int index = 0; index < model->unconfirmed_count; index++) {
        if (model->unconfirmed[index] != version) continue;
        seen->status = CMR_OK;
        model->confirmed = version;
        model->unconfirmed_count -= index + 1;
        memmove(model->unconfirmed, model->unconfirmed + index + 1,
                (size_t)model->unconfirmed_count * sizeof *model->unconfirmed);
        /* Those after it still have to be, within the time that runs. */
        if (!model->unconfirmed_count) model->reverts_at = INT64_MAX;
        return;
    }
}

/* ---- Steps ---- */

/* The engine's functions, of a watcher that runs. */
static void ask(model *model, step step, view *seen) {
    static const bool all[SOURCES] = { true, true };
    uint64_t version = (uint64_t)step.a <= model->current ? model->current - (uint64_t)step.a : 0;
    rejection problem;
    if (!model->is_started && step.verb != WAIT) {
        seen->status = CMR_E_STATE;
        return;
    }
    switch (step.verb) {
    case RELOAD:
        attempt(model, all, true, CMR_CAUSE_RELOAD, &problem);
        if (model->config.drains) {
            /* Its version may wait, and the caller with it; here it does not, and never hears. */
            seen->status = CMR_E_TIMEOUT;
            break;
        }
        seen->status = problem.status;
        seen->about = problem.about;
        if (!problem.status) seen->answer = (int64_t)model->current;
        break;
    case ROLLBACK: roll_back(model, step.a, seen); break;
    case CONFIRM: confirm(model, version, seen); break;
    case DRAIN:
        if (model->config.readers) break;
        for (uint64_t old = 1; old < version; old++)
            seen->answer += model->versions[old].holders > 0;
        if (seen->answer) seen->status = CMR_E_TIMEOUT;
        break;
    case WAIT:
        if (model->current > version) seen->answer = (int64_t)model->current;
        else seen->status = CMR_E_TIMEOUT;
        break;
    case DISPATCH:
        seen->answer = (int64_t)tell(model, &model->manual, MANUAL, MANUAL_LEVEL, seen);
        break;
    default: break;
    }
}

/* Whether writing, or removing, what a source holds touches any file. */
static bool exists(const model *model, int source) {
    return model->config.kinds[source] == MOUNT || has_keys(model->disk[source].content);
}

static void set_content(model *model, step step) {
    content content = { (int8_t)step.b, (int8_t)step.c };
    if (model->config.kinds[step.a] == SINGLE) content.level = NONE;
    /* The kubelet writes nothing when nothing changed. */
    if (model->config.kinds[step.a] == MOUNT && same_content(content, model->disk[step.a].content)
        && model->disk[step.a].generation)
        return;
    /* A file is watched by its place; a directory itself is, from one look to the next, wherever it
     * is meanwhile. */
    bool is_watched = model->config.kinds[step.a] == SINGLE ? !model->disk[step.a].is_away
                                                            : model->layers[step.a].is_watched;
    bool is_event = exists(model, step.a);
    model->disk[step.a].content = content;
    model->disk[step.a].generation = ++model->generations;
    model->layers[step.a].is_examined = false;
    is_event = is_event || exists(model, step.a);
    if (is_event && is_watched) signal(model, step.a);
}

void model_begin(model *model, const config *config) {
    memset(model, 0, sizeof *model);
    model->config = *config;
    model->reverts_at = INT64_MAX;
    for (int source = 0; source < SOURCES; source++) {
        model->disk[source].content = (content){ NONE, NONE };
        set_content(model, (step){ WRITE, source, 0, 0 });
    }
}

void model_step(model *model, step step, view *expected) {
    rejection ignored;
    static const bool all[SOURCES] = { true, true };
    memset(expected, 0, sizeof *expected);
    switch (step.verb) {
    case WRITE: set_content(model, step); break;
    case TAKE_AWAY:
    case BRING_BACK:
        if (model->disk[step.a].is_away == (step.verb == TAKE_AWAY)) break;
        model->disk[step.a].is_away = step.verb == TAKE_AWAY;
        if (model->config.kinds[step.a] != SINGLE || exists(model, step.a)) signal(model, step.a);
        break;
    case DENY:
    case ALLOW: model->disk[step.a].is_denied = step.verb == DENY; break;
    case REQUEST:
        if (model->is_started) attempt(model, all, true, CMR_CAUSE_RELOAD, &ignored);
        break;
    case PASS_TIME: pass_time(model, step.a); break;
    case HOLD:
        let_go(model, &model->slots[step.a]);
        settle(model, expected);
        if (!model->current || step.b > model->history_count) expected->status = CMR_E_NOT_FOUND;
        else hold(model, &model->slots[step.a], step.b ? model->history[step.b - 1]
                                                       : model->current);
        break;
    case LET_GO: let_go(model, &model->slots[step.a]); break;
    case LOOK:
        if (model->reader != model->current) {
            let_go(model, &model->reader);
            hold(model, &model->reader, model->current);
        }
        expected->answer = (int64_t)model->reader;
        break;
    case PARK: let_go(model, &model->reader); break;
    case RESTART:
        for (int slot = 0; slot < SLOTS; slot++) model->slots[slot] = 0;
        start(model, expected);
        break;
    default: ask(model, step, expected); break;
    }
    settle(model, expected);
    show(model, expected);
}

void model_resume(model *model, view *expected) {
    static const bool all[SOURCES] = { true, true };
    rejection ignored;
    memset(expected, 0, sizeof *expected);
    for (int source = 0; source < SOURCES; source++) model->layers[source].is_examined = false;
    if (model->is_started) attempt(model, all, false, CMR_CAUSE_CHANGE, &ignored);
    settle(model, expected);
    show(model, expected);
}
