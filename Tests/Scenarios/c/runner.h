/* The scenario runner in C: what its four files share. Knows cmreload.h and nothing else of the
 * library.
 *
 *     runner.c   runs each story in a process of its own, counts
 *     script.c   a file into lines of words
 *     world.c    the verbs that change the disk: mounts, files, the kubelet's steps
 *     stage.c    the verbs about the watcher, and what is expected of it
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <cmreload.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORY_PASSED = 0, STORY_FAILED = 1, STORY_SKIPPED = 77 };

/* ---- script.c ---- */

/* A word is bytes: it may hold NULs, and has one more behind its end. */
typedef struct word {
    char *text;
    size_t size;
} word;

typedef struct line {
    int number;
    word *words;
    int count;
} line;

typedef struct script {
    const char *path;
    char title[256];
    line *lines;
    int count;
} script;

script script_read(const char *path);

/* ---- what a line's execution needs ---- */

typedef struct settings {
    const char *program;    /* the runner itself, as it was called */
    bool manual;            /* hear events through the descriptor, not on a library thread */
    int deadline_ms;        /* how long any expected thing may take */
    char directory[256];    /* the story's own; every path is below it */
    int report;             /* where the reason of a failure or a skip goes */
} settings;

extern settings setting;
extern line current_line;
extern const char *current_path;

/* Ends the story. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The words of the current line. `argument` fails the story when there is none. */
word argument(int index);
const char *argument_text(int index);
int64_t argument_number(int index);
bool has_argument(int index);
void no_more_arguments_than(int count);
bool is(const char *text, const char *other);

/* `VALUE times COUNT` at index and after: the value, repeated; the caller's to free. */
word argument_value(int index);

/* A path of the story, below its directory; valid until the eighth call after. */
const char *path_of(const char *relative);

/* ---- world.c and stage.c: each returns false when the verb is not theirs ---- */

bool world_perform(const char *verb);
bool stage_perform(const char *verb);
void stage_end(void);

#endif
