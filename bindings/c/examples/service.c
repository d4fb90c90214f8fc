/* A small service as it would run in a pod: workers answer requests, each from one pinned snapshot;
 * the main loop is one epoll over the library's event descriptor, a timer, the signals and standard
 * input. SIGHUP asks for a reload, SIGTERM and SIGINT end it.
 *
 *     service /etc/config
 *
 * Lines on standard input:  get PATH   a worker answers with the value and its version
 *                           status     how the watcher is and what was served
 */
#include <cmreload.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, TICK_MILLISECONDS = 1 };

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
    const uint64_t *version = cmr_watcher_version_word(self->watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(self->watcher);
    request request;
    while (recv(self->back, &request, sizeof request, 0) > 0) {
        /* One load says whether anything changed; a request keeps the version it began with. */
        if (cmr_version_load(version) != cmr_snapshot_version(snapshot)) {
            cmr_snapshot_release(snapshot);
            snapshot = cmr_watcher_acquire(self->watcher);
        }
        serve(self, snapshot, &request);
    }
    cmr_snapshot_release(snapshot);
    return NULL;
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
        printf("version %" PRIu64 " changed %zu\n", event->version, event->change_count);
        for (size_t i = 0; i < event->change_count; i++)
            print_change(event, &event->changes[i]);
        break;
    case CMR_EVENT_REJECTED:
        printf("rejected %s:%" PRIu32 ":%" PRIu32 ": %s; version %" PRIu64 " stays\n",
               event->error->key, event->error->line, event->error->column, event->error->message,
               event->version);
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
    } else if (strncmp(line, "get ", 4) == 0 && line[4] != '\0') {
        snprintf(request.path, sizeof request.path, "%s", line + 4);
        if (send(self->front, &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            printf("busy\n");
    } else {
        printf("get PATH, or status\n");
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
        } else if (ready.data.fd == signals) {
            break;
        } else if (ready.data.fd == timer) {
            uint64_t ticks;
            request ordinary = {""};
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

static bool start(service *self, const char *mount) {
    cmr_error error = CMR_ERROR_INIT;
    if (cmr_watcher_create(&self->watcher) == CMR_OK
        && cmr_watcher_add_mount(self->watcher, mount, &error) == CMR_OK
        && cmr_watcher_subscribe(self->watcher, NULL, CMR_SUBSCRIBE_MANUAL, on_event, NULL, NULL,
                                 &error) == CMR_OK
        && cmr_watcher_start(self->watcher, &error) == CMR_OK)
        return true;
    fprintf(stderr, "service: %s: %s\n", error.key, error.message);
    return false;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: service MOUNT\n");
        return 2;
    }
    /* SIGTERM and SIGINT come through a descriptor. SIGHUP is blocked until the workers exist, so
     * that the main thread alone gets it; the library's threads block every signal themselves. */
    sigset_t ends, hangup;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
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
    if (!start(&self, argv[1])) {
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
    cmr_watcher_destroy(self.watcher);
    printf("ended after %lu requests\n",
           atomic_load(&self.served_light) + atomic_load(&self.served_dark));
    return result;
}
