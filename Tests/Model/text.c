/* See text.h. */
#define _GNU_SOURCE
#include "text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[SOURCE_KINDS] = { "mount", "directory", "file" };

static const struct {
    const char *name;
    int arguments;
} verbs[VERBS] = {
    [WRITE] = { "write", 3 },    [TAKE_AWAY] = { "take-away", 1 },
    [BRING_BACK] = { "bring-back", 1 },
    [DENY] = { "deny", 1 },      [ALLOW] = { "allow", 1 },
    [RELOAD] = { "reload", 0 },  [REQUEST] = { "request", 0 },
    [PASS_TIME] = { "pass-time", 1 },
    [ROLLBACK] = { "rollback", 1 }, [CONFIRM] = { "confirm", 1 },
    [DRAIN] = { "drain", 1 },    [WAIT] = { "wait", 1 },
    [HOLD] = { "hold", 2 },      [LET_GO] = { "let-go", 1 },
    [LOOK] = { "look", 0 },      [PARK] = { "park", 0 },
    [DISPATCH] = { "dispatch", 0 }, [RESTART] = { "restart", 0 },
    [FORK] = { "fork", 1 },
};

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    { "watches", offsetof(config, watches) },   { "optional", offsetof(config, optional) },
    { "confirms", offsetof(config, confirms) }, { "drains", offsetof(config, drains) },
    { "readers", offsetof(config, readers) },
};
enum { FLAGS = sizeof flags / sizeof *flags };

static bool *flag(const config *config, int index) {
    return (bool *)((char *)config + flags[index].offset);
}

void step_print(step step, FILE *file) {
    int arguments[] = { step.a, step.b, step.c };
    fputs(verbs[step.verb].name, file);
    for (int index = 0; index < verbs[step.verb].arguments; index++)
        fprintf(file, " %d", arguments[index]);
}

void script_print(const script *script, FILE *file) {
    for (int source = 0; source < SOURCES; source++)
        fprintf(file, "%s ", kinds[script->config.kinds[source]]);
    fprintf(file, "history %d", script->config.history);
    for (int index = 0; index < FLAGS; index++)
        if (*flag(&script->config, index)) fprintf(file, " %s", flags[index].name);
    for (int index = 0; index < script->count; index++) {
        fputs("; ", file);
        step_print(script->steps[index], file);
    }
}

/* ---- Parsing ---- */

static bool is_number(const char *word, int *number) {
    char *end;
    if (!word) return false;
    *number = (int)strtol(word, &end, 10);
    return end != word && !*end;
}

static bool parse_config(config *config, char *text) {
    char *rest = NULL;
    int source = 0;
    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        bool known = false;
        for (int kind = 0; kind < SOURCE_KINDS; kind++) {
            if (strcmp(word, kinds[kind])) continue;
            if (source == SOURCES) return false;
            config->kinds[source++] = (source_kind)kind;
            known = true;
        }
        for (int index = 0; index < FLAGS; index++) {
            if (strcmp(word, flags[index].name)) continue;
            *flag(config, index) = known = true;
        }
        if (!strcmp(word, "history"))
            known = is_number(strtok_r(NULL, " \n", &rest), &config->history);
        if (!known) return false;
    }
    return source == SOURCES && config->history >= 0 && config->history <= MOST_HISTORY;
}

/* Whether the arguments are what the verb can take. */
static bool is_step(step step) {
    switch (step.verb) {
    case WRITE:
        return step.b >= NONE && step.b <= GOOD_MOST && step.c >= NONE && step.c < OWN_COUNT
            && step.a >= 0 && step.a < SOURCES;
    case TAKE_AWAY:
    case BRING_BACK:
    case DENY:
    case ALLOW: return step.a >= 0 && step.a < SOURCES;
    case HOLD:
    case LET_GO: return step.a >= 0 && step.a < SLOTS && step.b >= 0;
    default: return step.a >= 0;
    }
}

static bool parse_step(step *step, char *text) {
    char *rest = NULL, *word = strtok_r(text, " \n", &rest);
    int arguments[3] = { 0 };
    for (int verb = 0; word && verb < VERBS; verb++) {
        if (strcmp(word, verbs[verb].name)) continue;
        for (int index = 0; index < verbs[verb].arguments; index++)
            if (!is_number(strtok_r(NULL, " \n", &rest), &arguments[index])) return false;
        *step = (struct step){ (enum verb)verb, arguments[0], arguments[1], arguments[2] };
        return !strtok_r(NULL, " \n", &rest) && is_step(*step);
    }
    return false;
}

bool script_parse(script *script, const char *text) {
    char *copy = strdup(text), *rest = NULL;
    memset(script, 0, sizeof *script);
    char *part = copy ? strtok_r(copy, ";", &rest) : NULL;
    bool good = part && parse_config(&script->config, part);
    while (good && (part = strtok_r(NULL, ";", &rest)))
        good = script->count < MOST_STEPS && parse_step(&script->steps[script->count++], part);
    free(copy);
    return good;
}

/* ---- Views ---- */

static void print_keys(FILE *file, const merged *keys) {
    fprintf(file, "level %d own0 %d own1 %d", keys->level, keys->own[0], keys->own[1]);
}

static void print_event(FILE *file, const told *event) {
    static const char *const subscribers[] = { "thread", "manual", "manual level" };
    static const char *const kinds[] = { "?", "PUBLISHED", "REJECTED", "LOST", "RECOVERED",
                                         "DRAINED" };
    static const char *const causes[] = { "?", "start", "change", "reload", "rollback" };
    fprintf(file, "%s hears %s of %s, version %u after %u, status %d about %d, changes %d %d %d",
            subscribers[event->subscriber], kinds[event->kind], causes[event->cause],
            event->version, event->previous, event->status, event->about, event->changes[0],
            event->changes[1], event->changes[2]);
}

static char *describe(const view *view) {
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (!file) return NULL;
    fprintf(file, "status %d about %d answer %lld\n", view->status, view->about,
            (long long)view->answer);
    fprintf(file, "version %llu generation %llu: ", (unsigned long long)view->version,
            (unsigned long long)view->generation);
    print_keys(file, &view->now);
    fprintf(file, "\ncells %lld %lld\n", (long long)view->cells[0], (long long)view->cells[1]);
    fprintf(file, "healthy %u violations %d\n", view->is_healthy, view->violations);
    fprintf(file, "polled %u held %u\n", view->polled, view->held);
    fprintf(file, "succeeded %llu rejected %llu unchanged %llu\n",
            (unsigned long long)view->succeeded, (unsigned long long)view->rejected,
            (unsigned long long)view->unchanged);
    fprintf(file, "source errors %llu rescans %llu\n", (unsigned long long)view->source_errors,
            (unsigned long long)view->rescans);
    fprintf(file, "callbacks %llu\n", (unsigned long long)view->callbacks);
    for (uint32_t index = 0; index < view->history_count; index++) {
        fprintf(file, "history %u: version %llu: ", index,
                (unsigned long long)view->history[index].version);
        print_keys(file, &view->history[index].keys);
        fputc('\n', file);
    }
    for (uint32_t index = 0; index < view->event_count; index++) {
        print_event(file, &view->events[index]);
        fputc('\n', file);
    }
    fclose(file);
    return text;
}

static bool has_line(const char *text, const char *line, size_t size) {
    for (; *text; text = strchr(text, '\n') + 1)
        if (!strncmp(text, line, size)) return true;
    return false;
}

static void print_lines(const char *text, const char *other, const char *who, FILE *file) {
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        size_t size = (size_t)(strchr(line, '\n') + 1 - line);
        if (!has_line(other, line, size)) fprintf(file, "    %s %.*s", who, (int)size, line);
    }
}

void views_print(const view *expected, const view *seen, FILE *file) {
    char *one = describe(expected), *other = describe(seen);
    if (one && other) {
        print_lines(one, other, "expected:", file);
        print_lines(other, one, "seen:    ", file);
    }
    free(one);
    free(other);
}
