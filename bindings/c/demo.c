/* The director of `make demo`: makes a mount, starts the example service on it, updates the mount
 * as the kubelet does and prints what the service saw. Ends with 1 when it was not as expected.
 *
 *     demo SERVICE
 */
#define _GNU_SOURCE
#include <cmreload.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_SECONDS = 2, WHOLE_SECONDS = 9 };
#define CONFIRM_MILLISECONDS "1000"
enum { BOLD = 1, DIM = 2, RED = 31, GREEN = 32, YELLOW = 33, CYAN = 36 };

static struct {
    char directory[64], mount[80], schema[80];
    const char *program;
    pid_t service;
    int to_service, from_service;
    char input[4096];
    size_t input_size;
    bool colour;
    int unexpected;
} demo;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* ---- output ---- */

static void paint(int colour, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (demo.colour)
        printf("\033[%dm", colour);
    vprintf(format, arguments);
    if (demo.colour)
        printf("\033[0m");
    va_end(arguments);
}

static void expect(bool holds, const char *what, const char *got) {
    if (holds)
        return;
    demo.unexpected++;
    paint(RED, "      unexpected   wanted %s, got: %s\n", what, got);
}

/* ---- the service's side ---- */

static void start_service(void) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0 || (demo.service = fork()) < 0) {
        perror("demo");
        exit(1);
    }
    if (demo.service == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execl(demo.program, demo.program, "--schema", demo.schema, "--confirm",
              CONFIRM_MILLISECONDS, demo.mount, (char *)NULL);
        perror(demo.program);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    demo.to_service = in[1];
    demo.from_service = out[0];
}

/* Gives the next line of the service's, without its end, or "" when none came in time. */
static const char *next_line(void) {
    static char line[sizeof demo.input];
    int64_t deadline = now() + DEADLINE_SECONDS * INT64_C(1000000000);
    char *end;
    while ((end = memchr(demo.input, '\n', demo.input_size)) == NULL) {
        struct pollfd wait = {.fd = demo.from_service, .events = POLLIN};
        int64_t left = (deadline - now()) / 1000000;
        ssize_t got = 0;
        if (left > 0 && poll(&wait, 1, (int)left) > 0)
            got = read(demo.from_service, demo.input + demo.input_size,
                       sizeof demo.input - demo.input_size);
        if (got <= 0)
            return "";
        demo.input_size += (size_t)got;
    }
    size_t size = (size_t)(end - demo.input);
    memcpy(line, demo.input, size);
    line[size] = '\0';
    demo.input_size -= size + 1;
    memmove(demo.input, end + 1, demo.input_size);
    return line;
}

/* Takes "SECONDS.NANOSECONDS what" apart: when an event's callback ran, and what it said. */
static const char *next_event(int64_t *moment_out) {
    const char *line = next_line();
    int64_t seconds = 0, nanoseconds = 0;
    int skip = 0;
    if (sscanf(line, "%" SCNd64 ".%" SCNd64 " %n", &seconds, &nanoseconds, &skip) < 2)
        return line;
    *moment_out = seconds * INT64_C(1000000000) + nanoseconds;
    return line + skip;
}

static void ask(const char *path, const char *wanted) {
    dprintf(demo.to_service, "get %s\n", path);
    const char *line = next_line();
    const char *told = strncmp(line, "answer ", 7) == 0 ? line + 7 : line;
    paint(DIM, "      a request    ");
    printf("%s\n", told);
    expect(strcmp(told, wanted) == 0, wanted, line);
}

/* An operator runs the program again, to tell the one that serves to go back. */
static void roll_back(void) {
    char number[16];
    int status = 1;
    snprintf(number, sizeof number, "%d", (int)demo.service);
    pid_t child = fork();
    if (child == 0) {
        execl(demo.program, demo.program, "--rollback", number, (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    expect(status == 0, "a rollback", "a failure");
}

static void write_schema(void) {
    static const char text[] = "{\"properties\": {\"dark_mode\": {\"type\": \"boolean\"}}}\n";
    FILE *file = fopen(demo.schema, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(demo.schema);
        exit(1);
    }
    printf("features.json must satisfy %s", text);
}

/* ---- the kubelet's side ---- */

/* Stamps the swap from outside: spins on the `..data` link until it names another directory. The
 * stamp is from before the last look that saw the old one: a latency is never told too short. */
typedef struct swap_watch {
    char link[96], old[64];
    atomic_bool given_up;
    int64_t moment;
} swap_watch;

static void *stamp_swap(void *context) {
    swap_watch *self = context;
    while (!atomic_load(&self->given_up)) {
        char target[64] = "";
        int64_t before = now();
        if (readlink(self->link, target, sizeof target - 1) > 0 && strcmp(target, self->old) != 0)
            break;
        self->moment = before;
        sched_yield();
    }
    return NULL;
}

/* Publishes the files and gives the moment of the swap, or 0. */
static int64_t publish(const cmr_file *files, size_t count) {
    swap_watch swap = {.given_up = false};
    pthread_t thread;
    snprintf(swap.link, sizeof swap.link, "%s/..data", demo.mount);
    bool swaps = readlink(swap.link, swap.old, sizeof swap.old - 1) > 0;
    swap.moment = now();
    if (swaps && pthread_create(&thread, NULL, stamp_swap, &swap) != 0)
        swaps = false;
    cmr_error error = CMR_ERROR_INIT;
    cmr_status status = cmr_mount_write(demo.mount, files, count, &error);
    if (status != CMR_OK)
        atomic_store(&swap.given_up, true);
    if (swaps)
        pthread_join(thread, NULL);
    expect(status == CMR_OK, "a written mount", error.message);
    return swaps ? swap.moment : 0;
}

/* ---- the story ---- */

typedef struct step {
    const char *title;
    const char *log_level, *features, *banner;  /* what the ConfigMap then holds; NULL: no key */
    const char *event;                          /* what the event's first line must begin with */
    const char *changes[4];                     /* and exactly its changes */
    const char *path, *answer;                  /* then what a request reads */
    enum { CHANGE, UNCONFIRMED, ROLLBACK } what;
} step;

#define FEATURES(dark, beta) "{\"dark_mode\":" dark ",\"beta_search\":" beta "}"
#define FEATURES_FILE(dark, comma, beta) \
    "{\n  \"dark_mode\": " dark comma "\n  \"beta_search\": " beta "\n}\n"

static const step steps[] = {
    {
        .title = "the service starts",
        .log_level = "info", .features = FEATURES_FILE("false", ",", "false"), .banner = "Welcome",
        .event = "version 1 changed 3",
        .changes = {
            "+ banner \"Welcome\"",
            "+ features.json " FEATURES("false", "false"),
            "+ log_level \"info\"",
        },
    }, {
        .title = "log_level becomes debug",
        .log_level = "debug", .features = FEATURES_FILE("false", ",", "false"), .banner = "Welcome",
        .event = "version 2 changed 1",
        .changes = {"~ log_level \"info\" -> \"debug\""},
        .path = "log_level", .answer = "version 2 log_level = \"debug\"",
    }, {
        .title = "dark_mode is switched on in features.json",
        .log_level = "debug", .features = FEATURES_FILE("true", ",", "false"), .banner = "Welcome",
        .event = "version 3 changed 1",
        .changes = {"~ features.json " FEATURES("false", "false") " -> " FEATURES("true", "false")},
        .path = "features.json#/dark_mode", .answer = "version 3 features.json#/dark_mode = true",
    }, {
        .title = "features.json is broken: a comma is missing, and dark_mode would go off",
        .log_level = "debug", .features = FEATURES_FILE("false", "", "true"), .banner = "Welcome",
        .event = "rejected features.json:3:3: ",
        .path = "features.json#/dark_mode", .answer = "version 3 features.json#/dark_mode = true",
    }, {
        .title = "features.json is corrected, beta_search comes on",
        .log_level = "debug", .features = FEATURES_FILE("true", ",", "true"), .banner = "Welcome",
        .event = "version 4 changed 1",
        .changes = {"~ features.json " FEATURES("true", "false") " -> " FEATURES("true", "true")},
        .path = "features.json#/beta_search",
        .answer = "version 4 features.json#/beta_search = true",
    }, {
        .title = "banner is removed",
        .log_level = "debug", .features = FEATURES_FILE("true", ",", "true"),
        .event = "version 5 changed 1",
        .changes = {"- banner \"Welcome\""},
        .path = "banner", .answer = "version 5 banner = CMR_E_NOT_FOUND",
    }, {
        .title = "dark_mode becomes a word, which the schema does not allow",
        .log_level = "debug", .features = FEATURES_FILE("\"on\"", ",", "true"),
        .event = "rejected features.json:2:16: type at /dark_mode: ",
        .path = "features.json#/dark_mode", .answer = "version 5 features.json#/dark_mode = true",
    }, {
        .title = "log_level becomes trace, and nobody confirms that the service works with it",
        .log_level = "trace", .features = FEATURES_FILE("true", ",", "true"),
        .event = "version 6 changed 1",
        .changes = {"~ log_level \"debug\" -> \"trace\""},
        .path = "log_level", .answer = "version 6 log_level = \"trace\"",
        .what = UNCONFIRMED,
    }, {
        .title = "a second later it is gone again",
        .event = "version 7 changed 1 by going back",
        .changes = {"~ log_level \"trace\" -> \"debug\""},
        .path = "log_level", .answer = "version 7 log_level = \"debug\"",
    }, {
        .title = "banner comes back",
        .log_level = "debug", .features = FEATURES_FILE("true", ",", "true"), .banner = "Sale!",
        .event = "version 8 changed 1",
        .changes = {"+ banner \"Sale!\""},
    }, {
        .title = "an operator does not like it: --rollback",
        .event = "version 9 changed 1 by going back",
        .changes = {"- banner \"Sale!\""},
        .path = "banner", .answer = "version 9 banner = CMR_E_NOT_FOUND",
        .what = ROLLBACK,
    },
};

static int64_t publish_step(const step *step) {
    const char *keys[] = {"log_level", "features.json", "banner"};
    const char *values[] = {step->log_level, step->features, step->banner};
    cmr_file files[3] = {0};
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        if (values[i] != NULL)
            files[count++] = (cmr_file){
                .key = keys[i], .bytes = values[i], .size = strlen(values[i]),
            };
    return publish(files, count);
}

static void show_latency(int64_t swap, int64_t heard) {
    if (swap == 0) {
        printf("without a swap");
        return;
    }
    double milliseconds = (double)(heard - swap) / 1e6;
    char text[32];
    snprintf(text, sizeof text, "%.2f ms", milliseconds);
    paint(CYAN, "%s after the swap", text);
    expect(milliseconds > 0 && milliseconds < 1000, "a callback within a second", text);
}

/* "~ KEY OLD -> NEW": the key in a column of its own, and long values below each other. */
static void show_change(const char *change) {
    const char *key = change + 2;
    const char *values = key + strcspn(key, " ");
    const char *arrow = strstr(values, " -> ");
    printf("                   ");
    paint(change[0] == '-' ? RED : change[0] == '+' ? GREEN : YELLOW, "%c", change[0]);
    printf(" %-14.*s", (int)(values - key), key);
    if (arrow != NULL && strlen(values) > 60)
        printf("   %.*s\n%35s%s\n", (int)(arrow - values), values, "", arrow);
    else
        printf("   %s\n", values);
}

/* Prints one event and its changes, beside what was expected of them. */
static void show_event(const step *step, int64_t swap) {
    int64_t heard = 0;
    char event[512];
    snprintf(event, sizeof event, "%s", next_event(&heard));
    size_t count = 0;
    uint64_t version = 0;
    if (strncmp(event, "rejected ", 9) == 0) {
        paint(RED, "      rejected     ");
        printf("%s\n                   ", event + 9);
    } else if (sscanf(event, "version %" SCNu64 " changed %zu", &version, &count) == 2) {
        paint(GREEN, "      version %-4" PRIu64 " ", version);
        if (strstr(event, "going back") != NULL)
            printf("by going back, ");
        else if (step->what != UNCONFIRMED)
            dprintf(demo.to_service, "confirm %" PRIu64 "\n", version);
    }
    show_latency(swap, heard);
    putchar('\n');
    expect(strncmp(event, step->event, strlen(step->event)) == 0, step->event, event);
    for (size_t i = 0; i < count; i++) {
        const char *line = next_line();
        const char *wanted = i < 4 ? step->changes[i] : NULL;
        if (wanted == NULL)
            wanted = "no such change";
        line += strspn(line, " ");
        if (strlen(line) > 2)
            show_change(line);
        expect(strcmp(line, wanted) == 0, wanted, line);
    }
}

static void tell(void) {
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        putchar('\n');
        paint(BOLD, "  %s\n", steps[i].title);
        int64_t swap = steps[i].log_level != NULL ? publish_step(&steps[i]) : 0;
        if (i == 0)
            start_service();
        if (steps[i].what == ROLLBACK)
            roll_back();
        show_event(&steps[i], swap);
        if (steps[i].path != NULL)
            ask(steps[i].path, steps[i].answer);
        fflush(stdout);
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void end_service(void) {
    int status = 0;
    kill(demo.service, SIGTERM);
    const char *line = next_line();
    printf("\n  SIGTERM: the service %s\n", line);
    expect(strncmp(line, "ended after ", 12) == 0, "an end", line);
    waitpid(demo.service, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "exit status 0", "another");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: demo SERVICE\n");
        return 2;
    }
    alarm(WHOLE_SECONDS);
    signal(SIGPIPE, SIG_IGN);
    demo.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    const char *temporary = getenv("TMPDIR");
    snprintf(demo.directory, sizeof demo.directory, "%.40s/cmreload-demo-XXXXXX",
             temporary ? temporary : "/tmp");
    if (mkdtemp(demo.directory) == NULL) {
        perror(demo.directory);
        return 1;
    }
    snprintf(demo.mount, sizeof demo.mount, "%s/config", demo.directory);
    mkdir(demo.mount, 0755);

    printf("libcmreload %s: a C service on the mount %s, updated as the kubelet does it\n",
           cmr_version(), demo.mount);
    demo.program = argv[1];
    snprintf(demo.schema, sizeof demo.schema, "%s/schema.json", demo.directory);
    write_schema();
    tell();
    end_service();
    nftw(demo.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (demo.unexpected > 0)
        paint(RED, "  %d unexpected\n", demo.unexpected);
    else
        paint(GREEN, "  everything as expected\n");
    return demo.unexpected > 0;
}
