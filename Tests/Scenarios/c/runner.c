/* Runs scenario files, each in a process and a directory of its own, so that none can hang or harm
 * the next.
 *
 *     runner [--manual] [--must-fail] [--deadline SECONDS] FILE...
 *
 * --manual     hears events through the event descriptor instead of on a thread of the library's
 * --must-fail  turns the sense around: each file must fail on the line that its `# fails here`
 *              comment precedes, which shows that an expectation can fail
 */
#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STORY_SECONDS = 60 };

settings setting = {.deadline_ms = 5000};
line current_line;
const char *current_path = "";

/* ---- the current line ---- */

static void report(const char *format, va_list arguments) {
    dprintf(setting.report, "      %s:%d: ", current_path, current_line.number);
    vdprintf(setting.report, format, arguments);
    dprintf(setting.report, "\n");
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(format, arguments);
    _exit(STORY_FAILED);
}

void skip(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(format, arguments);
    _exit(STORY_SKIPPED);
}

bool is(const char *text, const char *other) {
    return strcmp(text, other) == 0;
}

bool has_argument(int index) {
    return index < current_line.count;
}

word argument(int index) {
    if (!has_argument(index))
        fail("%s: a word is missing", current_line.words[0].text);
    return current_line.words[index];
}

const char *argument_text(int index) {
    return argument(index).text;
}

int64_t argument_number(int index) {
    char *end;
    errno = 0;
    int64_t number = strtoll(argument_text(index), &end, 0);
    if (*end != '\0' || end == argument_text(index) || errno != 0)
        fail("'%s' is no number", argument_text(index));
    return number;
}

void no_more_arguments_than(int count) {
    if (current_line.count > count)
        fail("'%s' is a word too many", current_line.words[count].text);
}

word argument_value(int index) {
    word value = argument(index);
    size_t times = 1;
    if (has_argument(index + 1)) {
        if (!is(argument_text(index + 1), "times"))
            fail("'%s' where `times COUNT` may stand", argument_text(index + 1));
        times = (size_t)argument_number(index + 2);
        no_more_arguments_than(index + 3);
    }
    word whole = {malloc(value.size * times + 1), value.size * times};
    if (whole.text == NULL)
        fail("out of memory");
    for (size_t i = 0; i < times; i++)
        memcpy(whole.text + i * value.size, value.text, value.size);
    whole.text[whole.size] = '\0';
    return whole;
}

const char *path_of(const char *relative) {
    static char paths[8][4096];
    static int next;
    char *path = paths[next++ & 7];
    int size = snprintf(path, sizeof paths[0], "%s/%s", setting.directory, relative);
    if (relative[0] == '\0')
        path[size - 1] = '\0';
    return path;
}

/* ---- one story, in its own process ---- */

static void tell(const char *path) {
    script script = script_read(path);
    current_path = script.path;
    for (int i = 0; i < script.count; i++) {
        current_line = script.lines[i];
        const char *verb = current_line.words[0].text;
        if (!world_perform(verb) && !stage_perform(verb))
            fail("unknown verb: %s", verb);
    }
    stage_end();
    for (int i = 0; i < script.count; i++) {
        for (int j = 0; j < script.lines[i].count; j++)
            free(script.lines[i].words[j].text);
        free(script.lines[i].words);
    }
    free(script.lines);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

/* The sentence is read here as well as in the child, which may not live to tell it. */
static void read_title(const char *path, char *title, size_t size) {
    FILE *file = fopen(path, "r");
    snprintf(title, size, "%s", path);
    char text[256];
    if (file != NULL && fgets(text, sizeof text, file) != NULL && strncmp(text, "# ", 2) == 0)
        snprintf(title, size, "%.*s", (int)strcspn(text + 2, "\n"), text + 2);
    if (file != NULL)
        fclose(file);
}

/* Becomes this program again to tell one story. A fork alone would do for the library that ships;
 * the full Swift runtime keeps a thread's number across fork(2), and then two threads of the child
 * that initialise the same thing wait for each other for ever.
 */
static void retell(const char *path, int report) {
    char report_text[16], deadline[16];
    snprintf(report_text, sizeof report_text, "%d", report);
    snprintf(deadline, sizeof deadline, "%d", setting.deadline_ms);
    execl(setting.program, setting.program, "--tell", report_text, setting.directory, deadline,
          setting.manual ? "manual" : "thread", path, (char *)NULL);
    perror(setting.program);
    _exit(STORY_FAILED);
}

/* The other end of `retell`. */
static int tell_as_told(char **words) {
    setting.report = atoi(words[0]);
    snprintf(setting.directory, sizeof setting.directory, "%s", words[1]);
    setting.deadline_ms = atoi(words[2]);
    setting.manual = is(words[3], "manual");
    tell(words[4]);
    return STORY_PASSED;
}

/* Runs one story and returns how it went; the reasons it gave are in `reason`. */
static int run(const char *path, char *reason, size_t size) {
    int pipe_ends[2];
    const char *temporary = getenv("TMPDIR");
    snprintf(setting.directory, sizeof setting.directory, "%.200s/cmreload-scenario-XXXXXX",
             temporary ? temporary : "/tmp");
    if (mkdtemp(setting.directory) == NULL || pipe(pipe_ends) != 0) {
        perror(setting.directory);
        exit(2);
    }
    chmod(setting.directory, 0755);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(STORY_SECONDS);
        close(pipe_ends[0]);
        retell(path, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(pipe_ends[0], reason + length, size - 1 - length)) > 0)
        length += (size_t)got;
    reason[length] = '\0';
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    nftw(setting.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status))
        snprintf(reason + length, size - length, "      %s: killed by signal %d%s\n", path,
                 WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it took too long" : "");
    return WIFEXITED(status) ? WEXITSTATUS(status) : STORY_FAILED;
}

/* The line after `# fails here`, or 0. */
static int failing_line(const char *path) {
    FILE *file = fopen(path, "r");
    char text[512];
    int number = 0, found = 0;
    while (file != NULL && found == 0 && fgets(text, sizeof text, file) != NULL)
        if (number++, strncmp(text, "# fails here", 12) == 0)
            found = number + 1;
    if (file != NULL)
        fclose(file);
    return found;
}

static bool failed_where_it_must(const char *path, int result, const char *reason) {
    char place[512];
    snprintf(place, sizeof place, "%s:%d: ", path, failing_line(path));
    return result == STORY_FAILED && strstr(reason, place) != NULL;
}

static const char *outcome_name(int result) {
    return result == STORY_PASSED ? "ok  " : result == STORY_SKIPPED ? "SKIPPED" : "FAIL";
}

int main(int argc, char **argv) {
    setting.program = argv[0];
    if (argc == 7 && is(argv[1], "--tell"))
        return tell_as_told(argv + 2);
    bool must_fail = false;
    int first = 1, passed = 0, failed = 0, skipped = 0;
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
        if (is(argv[first], "--manual"))
            setting.manual = true;
        else if (is(argv[first], "--must-fail"))
            must_fail = true;
        else if (is(argv[first], "--deadline") && first + 1 < argc)
            setting.deadline_ms = 1000 * atoi(argv[++first]);
        else
            first = argc;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: runner [--manual] [--must-fail] [--deadline SECONDS] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++) {
        char reason[4096], title[256];
        int result = run(argv[i], reason, sizeof reason);
        read_title(argv[i], title, sizeof title);
        if (must_fail && result != STORY_SKIPPED)
            result = failed_where_it_must(argv[i], result, reason) ? STORY_PASSED : STORY_FAILED;
        passed += result == STORY_PASSED;
        skipped += result == STORY_SKIPPED;
        failed += result != STORY_PASSED && result != STORY_SKIPPED;
        printf("%s  %s\n", outcome_name(result), title);
        if (result != STORY_PASSED)
            printf("%s", reason[0] != '\0' ? reason : "      it ended without a reason\n");
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed > 0;
}
