/* A life with a mount, from beginning to end, in which some system call fails. Each step is tried
 * again when it fails with a clear status; nothing else may happen: no crash, no half a generation,
 * no change that is never delivered, no descriptor that stays behind. The last line says how many
 * descriptors were open at the end; faults.py compares it with a life in which nothing failed.
 *
 *   survivor MOUNT
 */
#include <cmreload.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often one step is tried. A fault is injected once a thread, so that the next attempt meets
 * none of its own; those of the library's threads may come in between. */
enum { ATTEMPTS = 5, PATIENCE_MS = 10000 };

static void fail(const char *step, const char *why)
{
    printf("FAILED  %s: %s\n", step, why);
    fflush(stdout);
    _exit(1);
}

/* Whether to try a step again: it failed, and said why. */
static bool failed(const char *step, int attempt, cmr_status status, const cmr_error *error)
{
    if (status == CMR_OK) return false;
    const char *name = cmr_status_name(status);
    if (status == CMR_E_INVALID_ARGUMENT || status == CMR_E_STATE) fail(step, name);
    if (error && error->status != status) fail(step, "another status in the error");
    if (error && !error->message[0]) fail(step, "an error without words");
    if (attempt + 1 == ATTEMPTS) fail(step, error ? error->message : name);
    return true;
}

#define TRY(step, call, error) \
    for (int attempt = 0; failed(step, attempt, (call), error); attempt++) {}

static void write_mount(const char *path, const char *text)
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_file files[] = {{"first", text, strlen(text), 0, 0}, {"second", text, strlen(text), 0, 0}};
    TRY("write", cmr_mount_write(path, files, 2, &error), &error);
}

/* What the current snapshot says, which must be the same in both keys. */
static void read_current(const cmr_watcher *watcher, char text[16])
{
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const char *first = NULL, *second = NULL;
    if (!snapshot) fail("read", "no snapshot");
    if (cmr_snapshot_string(snapshot, "first", &first, NULL) != CMR_OK ||
        cmr_snapshot_string(snapshot, "second", &second, NULL) != CMR_OK)
        fail("read", "a key is gone");
    if (strcmp(first, second) != 0) fail("read", "two generations in one snapshot");
    snprintf(text, 16, "%s", first);
    cmr_snapshot_release(snapshot);
}

static void await(cmr_watcher *watcher, const char *expected)
{
    char text[16];
    uint64_t version = cmr_watcher_version(watcher);
    read_current(watcher, text);
    while (strcmp(text, expected) != 0) {
        if (cmr_watcher_wait(watcher, version, PATIENCE_MS, &version) != CMR_OK)
            fail("await", "the change was never delivered");
        read_current(watcher, text);
    }
}

static void live(const char *mount)
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = NULL;

    write_mount(mount, "one");
    TRY("create", cmr_watcher_create(&watcher), NULL);
    /* What a notification does not bring, the rescan must. */
    TRY("option", cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 100), NULL);
    TRY("option", cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, 100), NULL);
    TRY("add", cmr_watcher_add_mount(watcher, mount, &error), &error);
    TRY("start", cmr_watcher_start(watcher, &error), &error);
    await(watcher, "one");
    write_mount(mount, "two");
    await(watcher, "two");
    TRY("reload", cmr_watcher_reload(watcher, PATIENCE_MS, NULL, &error), &error);
    await(watcher, "two");
    TRY("stop", cmr_watcher_stop(watcher, PATIENCE_MS), NULL);
    cmr_watcher_destroy(watcher);
}

int main(int argc, char **argv)
{
    int descriptors = 0;
    if (argc != 2) return 2;
    if (write(STDOUT_FILENO, "ready\n", 6) != 6) return 2;
    live(argv[1]);
    if (write(STDOUT_FILENO, "done\n", 5) != 5) return 2;

    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) descriptors++;
    printf("descriptors %d\n", descriptors);
    return 0;
}
