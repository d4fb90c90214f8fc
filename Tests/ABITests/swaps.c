/* The kubelet swaps while the library reads: what the library asks the kernel is asked through this
 * program, which swaps at the worst moment first. A version is whole all the same.
 */
#include "abitest.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/syscall.h>

/* Where the kubelet gets ahead of the library: once, at the call that is named. */
enum moment { NEVER, AFTER_THE_LINK, BEFORE_LISTING, BEFORE_OPENING, AFTER_READING };
static enum moment moment;
static const char *mount;
static const char *const generations[] = {"..2026_11_22_08_45_04.1", "..2026_11_22_08_45_04.2"};

static void write_generation(int number)
{
    const char *directory = make_directory(text("%s/%s", mount, generations[number]));
    write_text(text("%s/a", directory), text("%d", number + 1));
    write_text(text("%s/b", directory), text("%d", number + 1));
}

/* The rename of the second generation; then the kubelet removes `keys` of the first, and the first
 * itself when nothing is left in it. */
static void swap_at(enum moment now, const char *keys)
{
    if (__atomic_load_n(&moment, __ATOMIC_SEQ_CST) != now) return;
    __atomic_store_n(&moment, NEVER, __ATOMIC_SEQ_CST);
    write_generation(1);
    replace_link(generations[1], text("%s/..data", mount));
    for (; *keys; keys++) unlink(text("%s/%s/%c", mount, generations[0], *keys));
    rmdir(text("%s/%s", mount, generations[0]));
}

/* Whether a descriptor is of a path that has this in it. */
static bool is_of(int descriptor, const char *part)
{
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    return readlink(link, path, sizeof path - 1) > 0 && strstr(path, part);
}

/* In libc's place. What a link says may be past by the time that it is followed. */
ssize_t readlinkat(int directory, const char *path, char *buffer, size_t size)
{
    ssize_t length = syscall(SYS_readlinkat, directory, path, buffer, size);
    if (!strcmp(path, "..data")) swap_at(AFTER_THE_LINK, "ab");
    return length;
}

/* A listing lacks what is removed before it: one key of two. */
ssize_t getdents64(int directory, void *buffer, size_t size)
{
    if (is_of(directory, "/..2026")) swap_at(BEFORE_LISTING, "b");
    return syscall(SYS_getdents64, directory, buffer, size);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (!strcmp(path, "b")) swap_at(BEFORE_OPENING, "ab");
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

/* One file is read, the next one not yet. */
ssize_t pread(int file, void *buffer, size_t size, off_t offset)
{
    ssize_t got = syscall(SYS_pread64, file, buffer, size, offset);
    if (is_of(file, ".1/a")) swap_at(AFTER_READING, "ab");
    return got;
}

static void write_mount(void)
{
    mount = new_mount("mount");
    write_generation(0);
    replace_link(generations[0], text("%s/..data", mount));
}

/* The version that a watcher starts with when the kubelet swaps at this moment. */
static void check_started(cmr_watcher *watcher, enum moment when)
{
    __atomic_store_n(&moment, when, __ATOMIC_SEQ_CST);
    start(watcher);
    CHECK_INT(__atomic_load_n(&moment, __ATOMIC_SEQ_CST), NEVER);
    CHECK_TEXT(current_text(watcher, "a"), "2");
    CHECK_TEXT(current_text(watcher, "b"), "2");
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_TEXT(cmr_snapshot_generation(snapshot), generations[1]);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

static void check_version_is_whole(enum moment when)
{
    write_mount();
    check_started(new_watcher(mount), when);
}

TEST("a generation that is gone when its link has been read is read again as the next one")
{
    check_version_is_whole(AFTER_THE_LINK);
}

TEST("a generation that the kubelet empties while it is listed is not taken for a whole one")
{
    check_version_is_whole(BEFORE_LISTING);
}

TEST("a generation that is gone while its files are opened is read again as the next one")
{
    check_version_is_whole(BEFORE_OPENING);
}

TEST("two files of one mount are of one generation")
{
    write_mount();
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/a", mount), NULL));
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/b", mount), NULL));
    check_started(watcher, AFTER_READING);
}
