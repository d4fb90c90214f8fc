/* What the stress programs share. See stress.h. */
#define _GNU_SOURCE
#include "stress.h"

#include <dirent.h>
#include <ftw.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int passed, failed;

static void print_failure(const char *format, va_list arguments) {
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    printf("failed: %s\n", text);
    fflush(stdout);
}

bool check(bool holds, const char *format, ...) {
    atomic_fetch_add(holds ? &passed : &failed, 1);
    if (!holds) {
        va_list arguments;
        va_start(arguments, format);
        print_failure(format, arguments);
        va_end(arguments);
    }
    return holds;
}

int finish(void) {
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}

void require(bool holds, const char *format, ...) {
    if (holds) return;
    va_list arguments;
    va_start(arguments, format);
    print_failure(format, arguments);
    va_end(arguments);
    atomic_fetch_add(&failed, 1);
    exit(finish());
}

bool wait_until(bool (*holds)(void *), void *context) {
    uint64_t deadline = monotonic_ns() + DEADLINE_SECONDS * 1000000000u;
    while (!holds(context)) {
        if (monotonic_ns() > deadline) return false;
        poll(NULL, 0, 1);
    }
    return true;
}

static int entries(const char *path) {
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory) return -1;
    for (struct dirent *entry; (entry = readdir(directory));) count += *entry->d_name != '.';
    closedir(directory);
    return count;
}

holdings holdings_now(void) {
    struct mallinfo2 used = mallinfo2();
    holdings now = { entries("/proc/self/fd"), entries("/proc/self/task"),
                     used.uordblks + used.hblkhd, 0 };
    malloc_trim(0);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed */
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*u %zu", &now.resident) == 1)
        now.resident *= (size_t)sysconf(_SC_PAGESIZE);
    if (file) fclose(file);
#endif
    return now;
}

static bool allocates_no_more(void *context) {
    return holdings_now().allocated <= *(size_t *)context;
}

holdings holdings_within(size_t bytes) {
    wait_until(allocates_no_more, &bytes);
    return holdings_now();
}

static bool holds_no_more(void *context) {
    const holdings *before = context;
    holdings now = holdings_now();
    return now.descriptors <= before->descriptors && now.threads <= before->threads;
}

void check_no_leak(const holdings *before, const char *when) {
    holdings copy = *before;
    wait_until(holds_no_more, &copy);
    holdings now = holdings_now();
    check(now.descriptors <= before->descriptors, "%s: %d descriptors, %d before", when,
          now.descriptors, before->descriptors);
    check(now.threads <= before->threads, "%s: %d threads, %d before", when, now.threads,
          before->threads);
}

void make_mount(char path[64]) {
    const char *base = getenv("TMPDIR");
    int size = snprintf(path, 64, "%s/cmreload-stress-XXXXXX", base && *base ? base : "/tmp");
    require(size < 64, "TMPDIR is too long");
    require(mkdtemp(path), "no directory for a mount");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

void remove_mount(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

cmr_watcher *start_watcher(const char *mount, cmr_event_fn callback, void *context) {
    cmr_watcher *watcher;
    cmr_error error = CMR_ERROR_INIT;
    require(cmr_watcher_create(&watcher) == CMR_OK, "no watcher");
    require(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0) == CMR_OK, "rescan stays");
    require(cmr_watcher_add_mount(watcher, mount, &error) == CMR_OK, "%s", error.message);
    require(!callback
            || cmr_watcher_subscribe(watcher, NULL, 0, callback, context, NULL, &error) == CMR_OK,
            "%s", error.message);
    require(cmr_watcher_start(watcher, &error) == CMR_OK, "%s", error.message);
    return watcher;
}

int64_t snapshot_generation(const cmr_snapshot *snapshot, size_t count) {
    int64_t common = -1;
    if (cmr_snapshot_count(snapshot) != count) return -1;
    for (size_t index = 0; index < count; index++) {
        const char *key;
        const void *bytes;
        size_t size;
        if (cmr_snapshot_key(snapshot, index, &key, NULL) != CMR_OK) return -1;
        if (cmr_snapshot_bytes(snapshot, key, &bytes, &size) != CMR_OK) return -1;
        int64_t generation = shape_generation(bytes, size);
        if (generation < 0 || (index && generation != common)) return -1;
        common = generation;
        /* The parsed value is of the same generation as the bytes it was parsed from. */
        const cmr_value *value = cmr_snapshot_value(snapshot, key);
        int64_t parsed = generation;
        if (cmr_value_type(value) == CMR_TYPE_OBJECT
            && cmr_value_int64(cmr_value_member(value, "gen"), &parsed) != CMR_OK) return -1;
        if (parsed != generation) return -1;
    }
    return common;
}
