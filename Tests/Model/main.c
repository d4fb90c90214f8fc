/* Lives random lives of a watcher beside those of a model of it, and compares after each step. A
 * life that differs is shrunk to the few steps that matter and printed, to be lived again.
 *
 *     model --seed N [--seconds S]    lives made by chance from this seed, for so long; or one
 *     model --life 'mount mount history 3; restart; reload'
 *     model --kept FILE               those that a file keeps
 *
 * Each life is a process of its own, so that one that dies or hangs is one that differs.
 */
#define _GNU_SOURCE
#include <cmreload.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "life.h"
#include "text.h"

/* A life takes some milliseconds; who has not ended by then never will. When it is known to differ
 * less patience does. */
enum { CHILD_STEPS = 6, PATIENCE_SECONDS = 100, LESS_PATIENCE_SECONDS = 10 };
enum { DIFFERS = 1 };

/* ---- Living ---- */

/* A life and its model, and what was seen last. */
typedef struct pair {
    life *life;
    model model;
    view seen;
} pair;

static bool agree(pair *pair, const view *expected, step step, int number, FILE *report) {
    if (!memcmp(expected, &pair->seen, sizeof pair->seen)) return true;
    if (report) {
        fprintf(report, "after step %d, ", number);
        step_print(step, report);
        fputs(":\n", report);
        views_print(expected, &pair->seen, report);
        fflush(report);
    }
    return false;
}

static bool take(pair *pair, step step, int number, FILE *report) {
    view expected;
    if (step.verb == PASS_TIME) {
        int64_t next = model_next_ms(&pair->model);
        int64_t left = next == INT64_MAX ? 1 : next - pair->model.now_ms;
        step.a = (int)(step.a && step.a < left ? step.a : left);
    }
    model_step(&pair->model, step, &expected);
    life_step(pair->life, step, &pair->seen);
    return agree(pair, &expected, step, number, report);
}

/* A child reads what its parent saw, asks to go on, and goes on by itself. */
static bool live_on(pair *pair, step fork, int number, FILE *report) {
    uint64_t state = (uint64_t)fork.a;
    view expected;
    if (!life_fork(pair->life, &pair->seen)) {
        if (report)
            fprintf(report, "after step %d, a child reads or does what it must not\n", number);
        return false;
    }
    model_resume(&pair->model, &expected);
    life_resume(pair->life, &pair->seen);
    if (!agree(pair, &expected, fork, number, report)) return false;
    for (int left = CHILD_STEPS; left > 0; left--)
        if (!take(pair, chance_child_step(&state), number, report)) return false;
    return true;
}

static bool fork_and_wait(pair *pair, step step, int number, FILE *report) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(report ? PATIENCE_SECONDS : LESS_PATIENCE_SECONDS);
        _exit(live_on(pair, step, number, report) ? 0 : DIFFERS);
    }
    if (child > 0) waitpid(child, &status, 0);
    if (report && status != 0 && WIFSIGNALED(status))
        fprintf(report, "after step %d, a child dies of signal %d\n", number, WTERMSIG(status));
    return status == 0;
}

static bool live(const script *script, FILE *report) {
    pair pair = { .life = life_begin(&script->config) };
    bool good = true;
    model_begin(&pair.model, &script->config);
    /* A step that changes nothing, to have seen what there is at first. */
    good = take(&pair, (step){ .verb = ALLOW }, 0, report);
    for (int index = 0; index < script->count && good; index++) {
        step step = script->steps[index];
        good = step.verb == FORK ? fork_and_wait(&pair, step, index + 1, report)
                                 : take(&pair, step, index + 1, report);
    }
    if (good) life_end(pair.life);
    return good;
}

/* Whether a life is as its model says; how it is not goes to `report`, if there is one. */
static bool holds(const script *script, FILE *report) {
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(report ? PATIENCE_SECONDS : LESS_PATIENCE_SECONDS);
        if (!report && !freopen("/dev/null", "w", stdout)) _exit(3);
        exit(live(script, report) ? 0 : DIFFERS); /* which lets a sanitizer look for leaks */
    }
    if (child > 0) waitpid(child, &status, 0);
    if (report && WIFSIGNALED(status))
        fprintf(report, WTERMSIG(status) == SIGALRM ? "it hangs\n" : "it dies of signal %d\n",
                WTERMSIG(status));
    return status == 0;
}

/* ---- Shrinking ---- */

static void drop(script *script, int from, int count) {
    memmove(script->steps + from, script->steps + from + count,
            (size_t)(script->count - from - count) * sizeof *script->steps);
    script->count -= count;
}

/* Drops what the life differs without: halves, quarters, at last single steps. */
static void shrink_steps(script *script) {
    for (int size = script->count / 2; size > 0; size /= 2) {
        for (int from = script->count - size; from >= 0; from -= size) {
            struct script shorter = *script;
            drop(&shorter, from, size);
            if (!holds(&shorter, NULL)) *script = shorter;
            if (from > script->count) from = script->count;
        }
    }
}

/* Two steps that only make sense together: one lets go of what the other one holds. */
static bool drop_two(script *script) {
    for (int second = script->count - 1; second > 0; second--) {
        for (int first = second - 1; first >= 0; first--) {
            struct script shorter = *script;
            drop(&shorter, second, 1);
            drop(&shorter, first, 1);
            if (holds(&shorter, NULL)) continue;
            *script = shorter;
            return true;
        }
    }
    return false;
}

static bool shrink_number(script *script, int *number, int to) {
    int before = *number;
    if (before == to) return false;
    *number = to;
    if (!holds(script, NULL)) return true;
    *number = before;
    return false;
}

static bool shrink_flag(script *script, bool *flag) {
    if (!*flag) return false;
    *flag = false;
    if (!holds(script, NULL)) return true;
    *flag = true;
    return false;
}

enum { FEW = 25 };

/* To plainer steps, sources and options, until none can be spared. */
static void shrink(script *script) {
    config *config = &script->config;
    bool again = true;
    while (again) {
        int before = script->count;
        shrink_steps(script);
        again = script->count < before;
        if (script->count < FEW) again |= drop_two(script);
        for (int index = 0; index < script->count; index++) {
            again |= shrink_number(script, &script->steps[index].a, 0);
            again |= shrink_number(script, &script->steps[index].b, 0);
            again |= shrink_number(script, &script->steps[index].c, 0);
        }
        for (int source = 0; source < SOURCES; source++) {
            int kind = (int)config->kinds[source];
            if (kind == MOUNT) continue;
            config->kinds[source] = MOUNT;
            if (holds(script, NULL)) config->kinds[source] = (source_kind)kind;
            else again = true;
        }
        for (int history = 0; history < config->history && history < 4; history++)
            again |= shrink_number(script, &config->history, history);
        bool *flags[] = { &config->readers, &config->drains, &config->confirms, &config->optional,
                          &config->watches };
        for (size_t flag = 0; flag < sizeof flags / sizeof *flags; flag++)
            again |= shrink_flag(script, flags[flag]);
    }
}

/* ---- The program ---- */

static char root[128];
static int passed, failed;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

/* Lives that were killed leave their sources behind: all are in one place. */
static bool make_root(void) {
    const char *base = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/cmreload-model-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(root) && !setenv("TMPDIR", root, 1);
}

static int finish(void) {
    nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}

static void count(bool good, const char *sentence) {
    printf("%s %s\n", good ? "ok    " : "FAILED", sentence);
    if (good) passed++;
    else failed++;
}

static void print_life(const script *script) {
    fputs("    Tests/Model/run.sh --life '", stdout);
    script_print(script, stdout);
    puts("'\n");
}

static void explain(script *script) {
    bool again = !holds(script, NULL);
    puts(again ? "the steps that matter:\n" : "it does not differ again; all of its steps:\n");
    if (again) shrink(script);
    print_life(script);
    if (!again) return;
    for (int index = 0; index < script->count; index++) {
        printf("%4d  ", index + 1);
        step_print(script->steps[index], stdout);
        puts("");
    }
    holds(script, stdout);
}

static double now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Lives made by chance, for so long. */
static void live_many(uint64_t seed, double seconds) {
    char sentence[128];
    script script;
    double began = now();
    long lives = 0, steps = 0;
    bool good = true;
    for (; good && (now() - began < seconds || !lives); lives++) {
        chance_script(&script, seed + (uint64_t)lives);
        steps += script.count;
        if (seconds == 0) print_life(&script);
        good = holds(&script, stdout);
    }
    if (!good) {
        printf("that was --seed %llu\n", (unsigned long long)(seed + (uint64_t)lives - 1));
        explain(&script);
    }
    snprintf(sentence, sizeof sentence, "%ld lives from seed %llu are as the model says", lives,
             (unsigned long long)seed);
    count(good, sentence);
    printf("%ld steps, %.0f a second\n", steps, (double)steps / (now() - began));
}

static bool live_one(const char *text, const char *sentence) {
    script script;
    if (!script_parse(&script, text)) {
        fprintf(stderr, "this is no life: %s\n", text);
        return false;
    }
    count(holds(&script, stdout), sentence);
    return true;
}

/* Lives that are kept: each is a line, and the sentence that it shows the comment before it. The
 * file is closed first, since children that end would move the place up to which it was read. */
static bool live_kept(const char *path) {
    char *text = NULL, *rest = NULL, sentence[256] = "";
    size_t room = 0;
    FILE *file = fopen(path, "re");
    bool good = file && getdelim(&text, &room, 0, file) > 0;
    if (file) fclose(file);
    char *line = good ? strtok_r(text, "\n", &rest) : NULL;
    for (; good && line; line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "# %255[^\n]", sentence) == 1) continue;
        good = live_one(line, sentence);
    }
    free(text);
    return good;
}

int main(int argument_count, char **arguments) {
    uint64_t seed = (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    double seconds = 0;
    const char *life = NULL, *kept = NULL;
    bool good = argument_count % 2 == 1;
    for (int index = 1; good && index < argument_count; index += 2) {
        const char *option = arguments[index], *value = arguments[index + 1];
        if (!strcmp(option, "--seed")) seed = strtoull(value, NULL, 10);
        else if (!strcmp(option, "--seconds")) seconds = strtod(value, NULL);
        else if (!strcmp(option, "--life")) life = value;
        else if (!strcmp(option, "--kept")) kept = value;
        else good = false;
    }
    if (!good) {
        fputs("usage: model [--seed N] [--seconds S] [--life TEXT] [--kept FILE]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!make_root()) {
        perror(root);
        return 2;
    }
    if (kept) good = live_kept(kept);
    else if (life) good = live_one(life, "the life is as the model says");
    else live_many(seed, seconds);
    int status = finish();
    return good ? status : 2;
}
