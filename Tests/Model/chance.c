/* See chance.h. */
#include "chance.h"

#include <string.h>

/* Less than a directory settles in; so many of them are more than it may take to settle. */
enum { A_MOMENT_MS = 90, RESTLESS = 13 };

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

static int below(uint64_t *state, int bound) { return (int)(next_random(state) % (unsigned)bound); }

/* How often each step is taken, in a life and in a forked child, which leaves the disk alone. */
static const struct {
    int weight, child_weight;
} often[VERBS] = {
    [WRITE] = { 30, 0 },   [TAKE_AWAY] = { 2, 0 }, [BRING_BACK] = { 4, 0 }, [DENY] = { 2, 0 },
    [ALLOW] = { 4, 0 },    [RELOAD] = { 20, 6 },   [REQUEST] = { 4, 2 },    [PASS_TIME] = { 10, 4 },
    [ROLLBACK] = { 8, 4 }, [CONFIRM] = { 4, 2 },   [DRAIN] = { 2, 1 },      [WAIT] = { 1, 1 },
    [HOLD] = { 5, 2 },     [LET_GO] = { 5, 2 },    [LOOK] = { 3, 1 },       [PARK] = { 1, 1 },
    [DISPATCH] = { 6, 3 }, [RESTART] = { 1, 0 },   [FORK] = { 1, 0 },
};

static verb random_verb(uint64_t *state, bool in_child) {
    int total = 0, verb = 0;
    for (int each = 0; each < VERBS; each++)
        total += in_child ? often[each].child_weight : often[each].weight;
    int chosen = below(state, total);
    while (true) {
        chosen -= in_child ? often[verb].child_weight : often[verb].weight;
        if (chosen < 0) return (enum verb)verb;
        verb++;
    }
}

static step random_step(uint64_t *state, bool in_child) {
    step step = { .verb = random_verb(state, in_child) };
    switch (step.verb) {
    case WRITE:
        /* Few contents, so that the same ones come again; most of them good. */
        step.a = below(state, SOURCES);
        step.b = below(state, 4) - 1;
        step.c = below(state, 3) ? below(state, GOOD_MOST + 2) - 1
                                 : below(state, OWN_COUNT - BROKEN) + BROKEN;
        break;
    case TAKE_AWAY:
    case BRING_BACK:
    case DENY:
    case ALLOW: step.a = below(state, SOURCES); break;
    case ROLLBACK: step.a = below(state, 2) ? 0 : below(state, 5); break;
    case CONFIRM:
    case DRAIN:
    case WAIT: step.a = below(state, 4); break;
    case HOLD:
        step.a = below(state, SLOTS);
        step.b = below(state, 2) ? 0 : below(state, 4);
        break;
    case LET_GO: step.a = below(state, SLOTS); break;
    case PASS_TIME: step.a = below(state, 3) ? 0 : A_MOMENT_MS; break;
    case FORK: step.a = below(state, 1 << 20); break;
    default: break;
    }
    return step;
}

void chance_script(script *script, uint64_t seed) {
    static const int histories[] = { 0, 1, 3, MOST_HISTORY };
    uint64_t state = seed;
    memset(script, 0, sizeof *script);
    config *config = &script->config;
    for (int source = 0; source < SOURCES; source++)
        config->kinds[source] = (source_kind)below(&state, SOURCE_KINDS);
    config->history = histories[below(&state, 4)];
    config->watches = below(&state, 2);
    config->optional = below(&state, 2);
    config->confirms = below(&state, 2);
    config->drains = below(&state, 3) == 0;
    config->readers = below(&state, 8) == 0;
    /* What readers hold nobody can foretell, nor what waits for it. */
    if (config->readers) config->drains = false;
    script->steps[script->count++] = (step){ .verb = RESTART };
    while (script->count < CHANCE_STEPS) {
        step step = random_step(&state, false);
        if (config->readers && step.verb == FORK) continue;
        script->steps[script->count++] = step;
        /* A writer that never rests is not to be met by chance. */
        if (step.verb != WRITE || below(&state, 100)) continue;
        for (int again = 0; again < RESTLESS && script->count + 2 <= CHANCE_STEPS; again++) {
            script->steps[script->count++] = (struct step){ PASS_TIME, A_MOMENT_MS, 0, 0 };
            script->steps[script->count++] = step;
        }
    }
}

step chance_child_step(uint64_t *state) { return random_step(state, true); }
