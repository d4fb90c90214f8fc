/* Files, directories, links and inotify: one system call a function. */
#define _GNU_SOURCE
#include "csystem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RETRY(type, call)                                                                          \
    ({                                                                                             \
        type answer_;                                                                              \
        do answer_ = (call);                                                                       \
        while (answer_ < 0 && errno == EINTR);                                                     \
        answer_ < 0 ? (type) - errno : answer_;                                                    \
    })

/* A FIFO must not block the open, a terminal must not become ours, no descriptor may reach an exec.
 */
enum {
    FILE_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC
};

/* Reading leaves access times as they are: to note one costs a tenth of a load. Only the owner of a
 * file, and root, may ask for that, open(2); who was refused once does not ask again. */
static atomic_bool is_noted;

static int32_t open_at(int32_t directory, const char *path, int flags) {
    return RETRY(int, openat(directory, path, flags));
}

static int32_t open_beneath(int32_t directory, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)flags,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int32_t)RETRY(long, syscall(SYS_openat2, directory, path, &how, sizeof how));
}

static int32_t unnoted(int32_t open_as(int32_t, const char *, int), int32_t directory,
                       const char *path, int flags) {
    if (!atomic_load_explicit(&is_noted, memory_order_relaxed)) {
        int32_t opened = open_as(directory, path, flags | O_NOATIME);
        if (opened != -EPERM) return opened;
        atomic_store_explicit(&is_noted, true, memory_order_relaxed);
    }
    return open_as(directory, path, flags);
}

int32_t cs_open_directory(int32_t directory, const char *path) {
    return unnoted(open_at, directory, path, DIRECTORY_FLAGS);
}
int32_t cs_open_directory_nofollow(int32_t directory, const char *name) {
    return unnoted(open_at, directory, name, DIRECTORY_FLAGS | O_NOFOLLOW);
}
int32_t cs_open_file(int32_t directory, const char *path) {
    return unnoted(open_at, directory, path, FILE_FLAGS);
}
int32_t cs_open_file_nofollow(int32_t directory, const char *name) {
    return unnoted(open_at, directory, name, FILE_FLAGS | O_NOFOLLOW);
}

int32_t cs_open_beneath(int32_t directory, const char *path, bool want_directory) {
    return unnoted(open_beneath, directory, path, want_directory ? DIRECTORY_FLAGS : FILE_FLAGS);
}

/* Not made again on EINTR: Linux has closed the descriptor by then, close(2). */
int32_t cs_close(int32_t descriptor) { return close(descriptor) < 0 ? -errno : 0; }

int64_t cs_read(int32_t descriptor, void *buffer, size_t size) {
    return RETRY(ssize_t, read(descriptor, buffer, size));
}
int64_t cs_pread(int32_t descriptor, void *buffer, size_t size, int64_t offset) {
    return RETRY(ssize_t, pread(descriptor, buffer, size, offset));
}
int64_t cs_write(int32_t descriptor, const void *bytes, size_t size) {
    return RETRY(ssize_t, write(descriptor, bytes, size));
}

int64_t cs_list(int32_t directory, void *buffer, size_t size) {
    return RETRY(ssize_t, getdents64(directory, buffer, size));
}

size_t cs_entry(const void *buffer, size_t offset, const char **name, size_t *size, uint8_t *type) {
    const struct dirent64 *entry = (const struct dirent64 *)((const char *)buffer + offset);
    *name = entry->d_name;
    *size = strlen(entry->d_name);
    *type = entry->d_type;
    return offset + entry->d_reclen;
}

int64_t cs_read_link(int32_t directory, const char *path, char *buffer, size_t size) {
    ssize_t length = readlinkat(directory, path, buffer, size - 1);
    if (length < 0) return -errno;
    buffer[length] = 0;
    return length;
}

static void convert(const struct stat *from, cs_status *to) {
    *to = (cs_status){
        .device = from->st_dev,
        .inode = from->st_ino,
        .size = (uint64_t)from->st_size,
        .mode = from->st_mode,
        .modified_ns = from->st_mtim.tv_sec * 1000000000ll + from->st_mtim.tv_nsec,
        .changed_ns = from->st_ctim.tv_sec * 1000000000ll + from->st_ctim.tv_nsec,
    };
}

int32_t cs_stat(int32_t descriptor, cs_status *status) {
    struct stat found;
    if (fstat(descriptor, &found) < 0) return -errno;
    convert(&found, status);
    return 0;
}

int32_t cs_stat_at(int32_t directory, const char *path, bool follow, cs_status *status) {
    struct stat found;
    if (fstatat(directory, path, &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    convert(&found, status);
    return 0;
}

int32_t cs_open_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
    return (int32_t)limit.rlim_cur;
}

int32_t cs_is_local(int32_t descriptor) {
    struct statfs found;
    if (fstatfs(descriptor, &found) < 0) return 0;
    switch ((uint32_t)found.f_type) {
    case TMPFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case 0x58465342 /* XFS */:
    case OVERLAYFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case 0xF2F52010 /* F2FS */:
    case RAMFS_MAGIC:
    case SQUASHFS_MAGIC:
        return 1;
    default:
        return 0;
    }
}

int32_t cs_make_directory(int32_t directory, const char *path, uint32_t mode) {
    return mkdirat(directory, path, mode) < 0 ? -errno : 0;
}
int32_t cs_create_file(int32_t directory, const char *path, uint32_t mode) {
    return RETRY(
        int, openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
}
int32_t cs_change_mode(int32_t descriptor, uint32_t mode) {
    return fchmod(descriptor, mode) < 0 ? -errno : 0;
}
int32_t cs_change_mode_at(int32_t directory, const char *path, uint32_t mode) {
    return fchmodat(directory, path, mode, 0) < 0 ? -errno : 0;
}
int32_t cs_make_link(const char *target, int32_t directory, const char *path) {
    return symlinkat(target, directory, path) < 0 ? -errno : 0;
}
int32_t cs_rename(int32_t directory, const char *from, const char *to) {
    return renameat(directory, from, directory, to) < 0 ? -errno : 0;
}
int32_t cs_unlink(int32_t directory, const char *path, bool is_directory) {
    return unlinkat(directory, path, is_directory ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}
int64_t cs_current_directory(char *buffer, size_t size) {
    return getcwd(buffer, size) ? (int64_t)strlen(buffer) : -errno;
}

const char *cs_environment(size_t index) {
    extern char **environ;
    return environ ? environ[index] : NULL;
}

const char *cs_variable(const char *name, size_t size) {
    const char *entry;
    if (!size || memchr(name, '=', size) || memchr(name, 0, size)) return NULL;
    for (size_t index = 0; (entry = cs_environment(index)); index++) {
        if (!strncmp(entry, name, size) && entry[size] == '=') return entry + size + 1;
    }
    return NULL;
}

int32_t cs_inotify_open(void) {
    int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}
int32_t cs_inotify_add(int32_t inotify, const char *path, uint32_t mask) {
    int watch = inotify_add_watch(inotify, path, mask | IN_MASK_ADD);
    return watch < 0 ? -errno : watch;
}
int32_t cs_inotify_remove(int32_t inotify, int32_t watch) {
    return inotify_rm_watch(inotify, watch) < 0 ? -errno : 0;
}
size_t cs_inotify_event(const void *buffer, size_t offset, int32_t *watch, uint32_t *mask,
                        const char **name, size_t *size) {
    const struct inotify_event *event =
        (const struct inotify_event *)((const char *)buffer + offset);
    *watch = event->wd;
    *mask = event->mask;
    *name = event->len ? event->name : "";
    *size = event->len ? strlen(event->name) : 0;
    return offset + sizeof *event + event->len;
}
