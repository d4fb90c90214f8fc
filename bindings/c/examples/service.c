/* A small service as it would run in a pod: workers answer requests, each from one version from
 * beginning to end; the main loop is one epoll over the library's event descriptor, a timer, the
 * signals and standard input. SIGHUP asks for a reload, SIGUSR2 goes back to the version before,
 * SIGTERM and SIGINT end it.
 *
 *     service [--schema FILE] [--confirm MILLISECONDS] [--metrics FILE] /etc/config
 *     service --rollback PID        tells a running one to go back
 *
 * --schema    the JSON Schema that features.json must satisfy
 * --confirm   a new version goes away again unless it is confirmed within this time
 * --metrics   where to write what Prometheus's node_exporter collects: a .prom file
 *
 * Lines on standard input:  get PATH   a worker answers with the value and its version
 *                           status     how the watcher is and what was served
 *                           confirm N  version N works
 */
#include <cmreload.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, TICK_MILLISECONDS = 1, METRICS_TICKS = 1000, DRAIN_MILLISECONDS = 2000 };

/* A request names a path to read; an empty one is ordinary traffic. An answer is a line of text. */
typedef struct request { char path[256]; } request;
typedef struct answer { char line[512]; } answer;

typedef struct service {
    cmr_watcher *watcher;
    int front, back;               /* two ends of one socket pair: main loop, workers */
    atomic_ulong served_light, served_dark;
    pthread_t workers[WORKERS];
    int worker_count;
    char input[512];               /* the beginning of a line of standard input */
    size_t input_size;
    const char *metrics;           /* where to write them, or NULL */
    unsigned ticks;
} service;

/* A signal handler has no context. */
static cmr_watcher *volatile reload_target;

static void on_hangup(int number) {
    (void)number;
    cmr_watcher_request_reload(reload_target);   /* async-signal-safe; does nothing given NULL */
}

/* ---- workers: the hot path ---- */

static void serve(service *self, const cmr_snapshot *snapshot, const request *request) {
    if (request->path[0] == '\0') {
        bool dark = false;
        cmr_snapshot_bool(snapshot, "features.json#/dark_mode", &dark);
        atomic_fetch_add(dark ? &self->served_dark : &self->served_light, 1);
        return;
    }
    answer answer;
    char *json;
    size_t size;
    cmr_status status = cmr_snapshot_json(snapshot, request->path, &json, &size);
    snprintf(answer.line, sizeof answer.line, "answer version %" PRIu64 " %s = %s",
             cmr_snapshot_version(snapshot), request->path,
             status == CMR_OK ? json : cmr_status_name(status));
    if (status == CMR_OK)
        cmr_free(json);
    send(self->back, answer.line, strlen(answer.line) + 1, MSG_NOSIGNAL);
}

static void *work(void *context) {
    service *self = context;
    cmr_reader *reader = NULL;
    request request;
    if (cmr_reader_create(self->watcher, &reader) != CMR_OK)
        return NULL;
    /* As long as nothing changed a reader costs one load; a request keeps its version. */
    while (recv(self->back, &request, sizeof request, 0) > 0)
        serve(self, cmr_reader_current(reader), &request);
    cmr_reader_destroy(reader);
    return NULL;
}

/* ---- the veto: what no schema says, asked on the thread that loads ---- */

static cmr_status veto(void *context, const cmr_snapshot *candidate, cmr_error *error) {
    bool dark = false, beta = false;
    (void)context;
    cmr_snapshot_bool(candidate, "features.json#/dark_mode", &dark);
    cmr_snapshot_bool(candidate, "features.json#/beta_search", &beta);
    if (!beta || dark)
        return CMR_OK;
    snprintf(error->key, sizeof error->key, "features.json");
    snprintf(error->message, sizeof error->message, "beta_search is made for dark_mode only");
    return CMR_E_REJECTED;
}

/* ---- events: called by cmr_watcher_dispatch, on the main thread ---- */

static void print_value(const cmr_snapshot *snapshot, const char *key) {
    char *json;
    size_t size;
    if (cmr_snapshot_json(snapshot, key, &json, &size) != CMR_OK) {
        printf("(unreadable)");
        return;
    }
    printf("%.*s%s", size > 96 ? 96 : (int)size, json, size > 96 ? "..." : "");
    cmr_free(json);
}

static void print_change(const cmr_event *event, const cmr_change *change) {
    printf("  %c %s ", " +-~"[change->kind & 3], change->key);
    if (change->kind != CMR_CHANGE_ADDED)
        print_value(event->previous, change->key);
    if (change->kind == CMR_CHANGE_MODIFIED)
        printf(" -> ");
    if (change->kind != CMR_CHANGE_REMOVED)
        print_value(event->snapshot, change->key);
    putchar('\n');
}

static void on_event(void *context, const cmr_event *event) {
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%lld.%09ld ", (long long)now.tv_sec, now.tv_nsec);
    switch (event->kind) {
    case CMR_EVENT_PUBLISHED:
        printf("version %" PRIu64 " changed %zu%s\n", event->version, event->change_count,
               event->cause == CMR_CAUSE_ROLLBACK ? " by going back" : "");
        for (size_t i = 0; i < event->change_count; i++)
            print_change(event, &event->changes[i]);
        break;
    case CMR_EVENT_REJECTED:
        printf("rejected %s:%" PRIu32 ":%" PRIu32 ": %s; version %" PRIu64 " stays\n",
               event->error->key, event->error->line, event->error->column, event->error->message,
               event->version);
        for (size_t i = 1; i < event->violation_count; i++)   /* the first is the error */
            printf("  ! %s%s: expected %s\n", event->violations[i].key,
                   event->violations[i].instance_path, event->violations[i].expected);
        break;
    case CMR_EVENT_SOURCE_LOST:
        printf("lost %s: %s; version %" PRIu64 " stays\n", event->error->key, event->error->message,
               event->version);
        break;
    case CMR_EVENT_SOURCE_RECOVERED:
        printf("recovered\n");
        break;
    default:
        printf("event %" PRIu32 "\n", event->kind);   /* of a newer library */
        break;
    }
    fflush(stdout);
}

/* ---- metrics: a whole file or none, as the textfile collector wants it ---- */

static void write_metrics(const service *self) {
    char text[16384], next[4096];
    size_t size;
    if (self->metrics == NULL
        || cmr_watcher_metrics(self->watcher, text, sizeof text, &size) != CMR_OK)
        return;
    snprintf(next, sizeof next, "%s.next", self->metrics);
    FILE *file = fopen(next, "w");
    if (file == NULL || (fwrite(text, 1, size, file) != size) | (fclose(file) != 0)
        || rename(next, self->metrics) != 0)
        perror(next);
}

/* ---- standard input ---- */

static void print_status(service *self) {
    cmr_stats stats = CMR_STATS_INIT;
    if (cmr_watcher_stats(self->watcher, &stats) != CMR_OK)
        return;
    printf("status %s version %" PRIu64 " succeeded %" PRIu64 " rejected %" PRIu64
           " unchanged %" PRIu64 " light %lu dark %lu\n",
           stats.healthy ? "healthy" : "unhealthy", stats.version, stats.reloads_succeeded,
           stats.reloads_rejected, stats.reloads_unchanged,
           atomic_load(&self->served_light), atomic_load(&self->served_dark));
    fflush(stdout);
}

static void obey(service *self, const char *line) {
    request request = {""};
    if (strcmp(line, "status") == 0) {
        print_status(self);
    } else if (strncmp(line, "confirm ", 8) == 0) {
        cmr_status status = cmr_watcher_confirm(self->watcher, strtoull(line + 8, NULL, 10));
        if (status != CMR_OK)
            printf("not confirmed: %s\n", cmr_status_name(status));
    } else if (strncmp(line, "get ", 4) == 0 && line[4] != '\0') {
        snprintf(request.path, sizeof request.path, "%s", line + 4);
        if (send(self->front, &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            printf("busy\n");
    } else {
        printf("get PATH, status, or confirm N\n");
    }
    fflush(stdout);
}

/* Returns false when standard input has ended. */
static bool read_commands(service *self) {
    ssize_t got = read(STDIN_FILENO, self->input + self->input_size,
                       sizeof self->input - 1 - self->input_size);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    self->input_size += (size_t)got;
    char *line = self->input, *end;
    while ((end = memchr(line, '\n', self->input_size)) != NULL) {
        *end = '\0';
        obey(self, line);
        self->input_size -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    if (self->input_size == sizeof self->input - 1)
        self->input_size = 0;                         /* no command is this long */
    memmove(self->input, line, self->input_size);
    return true;
}

/* ---- the main loop ---- */

static bool follow(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static void go_back(service *self) {
    cmr_error error = CMR_ERROR_INIT;
    if (cmr_watcher_rollback(self->watcher, 0, NULL, &error) != CMR_OK)
        printf("cannot go back: %s\n", error.message);
    fflush(stdout);
}

/* Whether a signal asks to go on. */
static bool heed(service *self, int signals) {
    struct signalfd_siginfo signal;
    if (read(signals, &signal, sizeof signal) != sizeof signal)
        return true;
    if (signal.ssi_signo == SIGUSR2)
        go_back(self);
    return signal.ssi_signo == SIGUSR2;
}

static int run(service *self, int signals, int timer) {
    int events = cmr_watcher_event_fd(self->watcher);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!follow(epoll, events) || !follow(epoll, signals) || !follow(epoll, timer)
        || !follow(epoll, self->front))
        return 1;
    follow(epoll, STDIN_FILENO);  /* fails for a file or /dev/null: then there are no commands */
    for (;;) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, -1) < 1)
            continue;                                 /* SIGHUP came */
        if (ready.data.fd == events) {
            cmr_watcher_dispatch(self->watcher, NULL);
            write_metrics(self);
        } else if (ready.data.fd == signals) {
            if (!heed(self, signals))
                break;
        } else if (ready.data.fd == timer) {
            uint64_t ticks;
            request ordinary = {""};
            if (++self->ticks % METRICS_TICKS == 0)
                write_metrics(self);
            if (read(timer, &ticks, sizeof ticks) == sizeof ticks)
                send(self->front, &ordinary, sizeof ordinary, MSG_NOSIGNAL | MSG_DONTWAIT);
        } else if (ready.data.fd == self->front) {
            answer answer;
            ssize_t size = recv(self->front, &answer, sizeof answer, 0);
            if (size > 0) {
                printf("%.*s\n", (int)size, answer.line);
                fflush(stdout);
            }
        } else if (!read_commands(self)) {
            epoll_ctl(epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        }
    }
    close(epoll);
    return 0;
}

typedef struct arguments {
    const char *mount, *schema, *metrics;
    int64_t confirm_ms;
} arguments;

static cmr_status set_schema(cmr_watcher *watcher, const char *path, cmr_error *error) {
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file == NULL || ferror(file) || !feof(file)) {
        snprintf(error->key, sizeof error->key, "%s", path);
        snprintf(error->message, sizeof error->message, "cannot be read, or is too large");
        if (file != NULL)
            fclose(file);
        return CMR_E_IO;
    }
    fclose(file);
    return cmr_watcher_set_schema(watcher, "features.json", text, size, error);
}

static bool start(service *self, const arguments *arguments) {
    cmr_error error = CMR_ERROR_INIT;
    self->metrics = arguments->metrics;
    if (cmr_watcher_create(&self->watcher) == CMR_OK
        && cmr_watcher_set_name(self->watcher, "service", &error) == CMR_OK
        && cmr_watcher_set_option(self->watcher, CMR_OPTION_CONFIRM_MS, arguments->confirm_ms)
               == CMR_OK
        && (arguments->schema == NULL
            || set_schema(self->watcher, arguments->schema, &error) == CMR_OK)
        && cmr_watcher_set_validator(self->watcher, veto, NULL) == CMR_OK
        && cmr_watcher_add_mount(self->watcher, arguments->mount, &error) == CMR_OK
        && cmr_watcher_subscribe(self->watcher, NULL, CMR_SUBSCRIBE_MANUAL, on_event, NULL, NULL,
                                 &error) == CMR_OK
        && cmr_watcher_start(self->watcher, &error) == CMR_OK)
        return true;
    fprintf(stderr, "service: %s: %s\n", error.key, error.message);
    return false;
}

/* Answers -1 when the service is to run, otherwise the exit status. */
static int read_arguments(int argc, char **argv, arguments *arguments) {
    static const struct option options[] = {
        {"schema", required_argument, NULL, 's'}, {"confirm", required_argument, NULL, 'c'},
        {"metrics", required_argument, NULL, 'm'}, {"rollback", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            arguments->schema = optarg;
        else if (option == 'c')
            arguments->confirm_ms = strtoll(optarg, NULL, 10);
        else if (option == 'm')
            arguments->metrics = optarg;
        else if (option == 'r' && atoi(optarg) > 0)
            return kill(atoi(optarg), SIGUSR2) == 0 ? 0 : (perror("service"), 1);
        else
            break;
    }
    if (option != -1 || optind != argc - 1) {
        fprintf(stderr, "usage: service [--schema FILE] [--confirm MILLISECONDS] [--metrics FILE]"
                        " MOUNT\n       service --rollback PID\n");
        return 2;
    }
    arguments->mount = argv[optind];
    return -1;
}

int main(int argc, char **argv) {
    arguments arguments = {0};
    int ended = read_arguments(argc, argv, &arguments);
    if (ended >= 0)
        return ended;
    /* SIGTERM, SIGINT and SIGUSR2 come through a descriptor. SIGHUP is blocked until the workers
     * exist, so that the main thread alone gets it; the library's threads block it themselves. */
    sigset_t ends, hangup;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGUSR2);
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    sigaction(SIGHUP, &(struct sigaction){.sa_handler = on_hangup}, NULL);

    service self = {0};
    int pair[2];
    int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct timespec tick = {.tv_nsec = TICK_MILLISECONDS * 1000000L};
    if (signals < 0 || timer < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0
        || timerfd_settime(timer, 0, &(struct itimerspec){tick, tick}, NULL) != 0) {
        perror("service");
        return 1;
    }
    self.front = pair[0];
    self.back = pair[1];
    if (!start(&self, &arguments)) {
        cmr_watcher_destroy(self.watcher);
        return 1;
    }
    while (self.worker_count < WORKERS
           && pthread_create(&self.workers[self.worker_count], NULL, work, &self) == 0)
        self.worker_count++;
    reload_target = self.watcher;
    pthread_sigmask(SIG_UNBLOCK, &hangup, NULL);

    int result = self.worker_count == WORKERS ? run(&self, signals, timer) : 1;

    pthread_sigmask(SIG_BLOCK, &hangup, NULL);  /* no handler may see the watcher from here on */
    shutdown(self.front, SHUT_RDWR);            /* the workers' recv returns 0 */
    while (self.worker_count > 0)
        pthread_join(self.workers[--self.worker_count], NULL);
    /* Whoever still holds a version, a connection that is being answered say, may end first. */
    if (cmr_watcher_drain(self.watcher, UINT64_MAX, DRAIN_MILLISECONDS, NULL) != CMR_OK)
        printf("not drained\n");
    write_metrics(&self);
    cmr_watcher_destroy(self.watcher);
    printf("ended after %lu requests\n",
           atomic_load(&self.served_light) + atomic_load(&self.served_dark));
    return result;
}
