/* One update of a ConfigMap volume; the numbered steps are those of AtomicWriter.Write in
 * atomic_writer.go, and like it every call takes a path from the mount's root. See kubelet.h.
 */
#define _GNU_SOURCE
#include "kubelet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, NAME_SIZE = 256 };

static const char *join(char path[PATH_SIZE], const char *mount, const char *name,
                        const char *key) {
    snprintf(path, PATH_SIZE, "%s/%s%s%s", mount, name, key ? "/" : "", key ? key : "");
    return path;
}

static bool is_dot(const char *name) {
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static const shape_value *find(const shape *content, const char *key) {
    for (size_t index = 0; index < content->count; index++)
        if (!strcmp(content->values[index].key, key)) return &content->values[index];
    return NULL;
}

/* Step 3: walks the old directory; what the new content lacks is to be removed. */
static size_t list_removed(const char *mount, const char *old, const shape *content,
                           char (**removed_out)[NAME_SIZE]) {
    char path[PATH_SIZE];
    struct stat status;
    size_t count = 0;
    DIR *directory = opendir(join(path, mount, old, NULL));
    *removed_out = NULL;
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (is_dot(entry->d_name)) continue;
        lstat(join(path, mount, old, entry->d_name), &status);
        if (find(content, entry->d_name)) continue;
        void *grown = realloc(*removed_out, (count + 1) * NAME_SIZE);
        if (!grown) break;
        *removed_out = grown;
        snprintf((*removed_out)[count++], NAME_SIZE, "%s", entry->d_name);
    }
    closedir(directory);
    return count;
}

/* Step 4: compares file by file and stops at the first difference. */
static bool differs(const char *mount, const char *old, const shape *content) {
    char path[PATH_SIZE];
    bool different = false;
    for (size_t index = 0; index < content->count && !different; index++) {
        const shape_value *value = &content->values[index];
        struct stat status;
        int file = open(join(path, mount, old, value->key), O_RDONLY | O_CLOEXEC);
        if (file < 0) return true;
        char *bytes = malloc(value->size + 1);
        different = fstat(file, &status) || (size_t)status.st_size != value->size || !bytes
            || read(file, bytes, value->size) != (ssize_t)value->size
            || memcmp(bytes, value->bytes, value->size);
        free(bytes);
        close(file);
    }
    return different;
}

/* Step 5: the new timestamped directory, named as Go's MkdirTemp names it. */
static int make_directory(const char *mount, char name[NAME_SIZE]) {
    char path[PATH_SIZE];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t prefix = strftime(name, NAME_SIZE, "..%Y_%m_%d_%H_%M_%S.", &utc);
    uint64_t random = monotonic_ns() * 0x9E3779B97F4A7C15u;
    do {
        random = random * 6364136223846793005u + 1442695040888963407u;
        snprintf(name + prefix, NAME_SIZE - prefix, "%u", (unsigned)(random >> 32));
        if (!mkdir(join(path, mount, name, NULL), 0700)) return chmod(path, 0755);
    } while (errno == EEXIST);
    return -1;
}

/* Step 6: the payload, each file created, written, closed and given its mode. */
static int write_payload(const char *mount, const char *name, const shape *content) {
    char directory[PATH_SIZE], path[PATH_SIZE];
    struct stat status;
    join(directory, mount, name, NULL);
    for (size_t index = 0; index < content->count; index++) {
        const shape_value *value = &content->values[index];
        stat(directory, &status);
        join(path, mount, name, value->key);
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (file < 0) return -1;
        for (size_t done = 0; done < value->size;) {
            ssize_t wrote = write(file, value->bytes + done, value->size - done);
            if (wrote < 0) {
                close(file);
                return -1;
            }
            done += (size_t)wrote;
        }
        close(file);
        if (chmod(path, 0644)) return -1;
    }
    return 0;
}

/* Step 10: the links that the application sees; all but the first update find them there. */
static int make_links(const char *mount, const shape *content) {
    char path[PATH_SIZE], target[NAME_SIZE];
    for (size_t index = 0; index < content->count; index++) {
        const char *key = content->values[index].key;
        join(path, mount, key, NULL);
        if (readlink(path, target, sizeof target) >= 0) continue;
        snprintf(target, sizeof target, "..data/%s", key);
        if (errno != ENOENT || symlink(target, path)) return -1;
    }
    return 0;
}

/* Step 12: the old timestamped directory goes, right after the swap. */
static int remove_directory(const char *mount, const char *name) {
    char path[PATH_SIZE];
    int file = open(join(path, mount, name, NULL), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = file < 0 ? NULL : fdopendir(file);
    if (!directory) return -1;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (!is_dot(entry->d_name)) unlinkat(file, entry->d_name, 0);
    closedir(directory);
    return rmdir(path);
}

int kubelet_write(const char *mount, const shape *content, kubelet_times *times) {
    char data[PATH_SIZE], temporary[PATH_SIZE], path[PATH_SIZE], old[NAME_SIZE], name[NAME_SIZE];
    char (*removed)[NAME_SIZE] = NULL;
    kubelet_times taken = { .begin = monotonic_ns() };
    size_t removed_count = 0;
    int result = -1;

    join(data, mount, "..data", NULL);
    ssize_t length = readlink(data, old, sizeof old - 1); /* step 2 */
    old[length > 0 ? length : 0] = 0;
    if (*old) {
        removed_count = list_removed(mount, old, content, &removed);
        if (!removed_count && !differs(mount, old, content)) {
            result = 0;
            goto done;
        }
    }
    if (make_directory(mount, name) || write_payload(mount, name, content)) goto done;
    if (symlink(name, join(temporary, mount, "..data_tmp", NULL))) goto done; /* step 8 */
    taken.rename_start = monotonic_ns();
    if (rename(temporary, data)) goto done; /* step 9 */
    taken.rename_end = monotonic_ns();
    if (make_links(mount, content)) goto done;
    for (size_t index = 0; index < removed_count; index++) /* step 11 */
        unlink(join(path, mount, removed[index], NULL));
    if (*old && remove_directory(mount, old)) goto done;
    result = 0;
done:
    free(removed);
    taken.end = monotonic_ns();
    if (times) *times = taken;
    return result;
}
