/* The smallest client: follows one mount and prints each version until it is told to stop.
 *
 *     watch /etc/config
 */
#include <cmreload.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

/* Runs first on the main thread, in cmr_watcher_start, then on a thread of the library's. */
static void on_event(void *context, const cmr_event *event) {
    (void)context;
    if (event->kind != CMR_EVENT_PUBLISHED) {
        printf("keeping version %" PRIu64 "%s%s\n", event->version, event->error ? ": " : "",
               event->error ? event->error->message : "");
        fflush(stdout);
        return;
    }
    printf("version %" PRIu64 "\n", event->version);
    for (size_t i = 0; i < event->change_count; i++) {
        const cmr_change *change = &event->changes[i];
        const char *text;
        size_t size;
        if (change->kind == CMR_CHANGE_REMOVED)
            printf("  %s is gone\n", change->key);
        else if (cmr_snapshot_string(event->snapshot, change->key, &text, &size) == CMR_OK)
            printf("  %s = %s\n", change->key, text);
        else
            printf("  %s changed\n", change->key);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: watch MOUNT\n");
        return 2;
    }
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);

    cmr_watcher *watcher = NULL;
    cmr_error error = CMR_ERROR_INIT;
    if (cmr_watcher_create(&watcher) != CMR_OK
        || cmr_watcher_add_mount(watcher, argv[1], &error) != CMR_OK
        || cmr_watcher_subscribe(watcher, NULL, 0, on_event, NULL, NULL, &error) != CMR_OK
        || cmr_watcher_start(watcher, &error) != CMR_OK) {
        fprintf(stderr, "watch: %s: %s\n", error.key, error.message);
        cmr_watcher_destroy(watcher);
        return 1;
    }
    int received;
    sigwait(&stop, &received);
    cmr_watcher_destroy(watcher);
    return 0;
}
