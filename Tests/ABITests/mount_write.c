/* cmr_mount_write lays a mount out as the kubelet does, step by step what its readers rely on. */
#include "abitest.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <time.h>

static const char *link_of(const char *path)
{
    char target[PATH_MAX];
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0) return "<no link>";
    target[size] = '\0';
    return text("%s", target);
}

static const char *content_of(const char *path)
{
    char content[256];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return "<no file>";
    ssize_t size = read(file, content, sizeof content - 1);
    close(file);
    content[size > 0 ? size : 0] = '\0';
    return text("%s", content);
}

/* The names in a directory, sorted, with spaces between. */
static const char *names_in(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    char names[4096] = "";
    for (int index = 0; index < count; index++) {
        if (strcmp(entries[index]->d_name, ".") != 0 && strcmp(entries[index]->d_name, "..") != 0)
            strcat(strcat(names, names[0] ? " " : ""), entries[index]->d_name);
        free(entries[index]);
    }
    free(entries);
    return text("%s", names);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    REQUIRE(lstat(path, &status) == 0);
    return status.st_mode;
}

TEST("a mount has a timestamped directory, a ..data link to it, and user-visible links")
{
    const char *mount = new_mount("mount");
    struct tm time;
    int parsed = 0;
    unsigned long number;
    PUBLISH(mount, FILE_TEXT("level", "info"), FILE_TEXT("user/labels", "a=b"),
            FILE_TEXT("user/deep/er", "x"));
    const char *generation = link_of(text("%s/..data", mount));
    /* "..2026_11_22_08_45_04.1839982202" */
    CHECK_INT(sscanf(generation, "..%4d_%2d_%2d_%2d_%2d_%2d.%lu%n", &time.tm_year, &time.tm_mon,
                     &time.tm_mday,
                     &time.tm_hour, &time.tm_min, &time.tm_sec, &number, &parsed), 7);
    CHECK_INT(parsed, strlen(generation));
    CHECK(time.tm_year >= 2025 && time.tm_mon >= 1 && time.tm_mon <= 12 && time.tm_mday >= 1
          && time.tm_mday <= 31);
    CHECK_TEXT(names_in(mount), text("%s ..data level user", generation));
    CHECK_TEXT(link_of(text("%s/level", mount)), "..data/level");
    CHECK_TEXT(link_of(text("%s/user", mount)), "..data/user");
    CHECK_TEXT(names_in(text("%s/%s", mount, generation)), "level user");
    CHECK_TEXT(content_of(text("%s/level", mount)), "info");
    CHECK_TEXT(content_of(text("%s/user/labels", mount)), "a=b");
    CHECK_TEXT(content_of(text("%s/user/deep/er", mount)), "x");
    CHECK(S_ISDIR(mode_of(text("%s/%s", mount, generation))));
    CHECK_INT(mode_of(text("%s/%s", mount, generation)) & 07777, 0755);
}

TEST("files have the mode that was asked for, whatever the umask, and 0644 without")
{
    const char *mount = new_mount("mount");
    umask(0077);
    PUBLISH(mount, FILE_TEXT("plain", "1"), {"secret", "2", 1, 0400, 0}, {"tool", "3", 1, 0755, 0},
            {"a/deep", "4", 1, 0600, 0});
    CHECK_INT(mode_of(text("%s/..data/plain", mount)), S_IFREG | 0644);
    CHECK_INT(mode_of(text("%s/..data/secret", mount)), S_IFREG | 0400);
    CHECK_INT(mode_of(text("%s/..data/tool", mount)), S_IFREG | 0755);
    CHECK_INT(mode_of(text("%s/..data/a/deep", mount)), S_IFREG | 0600);
    CHECK_INT(umask(0022), 0077);
}

TEST("a change makes a new generation and removes the old one; links come and go with the keys")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("stays", "1"), FILE_TEXT("goes", "1"), FILE_TEXT("dir/goes", "1"));
    const char *before = link_of(text("%s/..data", mount));
    PUBLISH(mount, FILE_TEXT("stays", "2"), FILE_TEXT("comes", "1"));
    const char *after = link_of(text("%s/..data", mount));
    CHECK(strcmp(before, after) != 0);
    CHECK_TEXT(names_in(mount), text("%s ..data comes stays", after));
    CHECK_TEXT(content_of(text("%s/stays", mount)), "2");
    CHECK_TEXT(names_in(text("%s/..data/", mount)), "comes stays");
}

TEST("unchanged content writes nothing, a changed mode or a missing link does")
{
    const char *mount = new_mount("mount");
    struct stat before, after;
    PUBLISH(mount, FILE_TEXT("a", "1"), FILE_TEXT("b/c", "2"));
    const char *generation = link_of(text("%s/..data", mount));
    REQUIRE(lstat(mount, &before) == 0);
    int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    REQUIRE(inotify_add_watch(notify, mount,
                              IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ATTRIB) >= 0);
    PUBLISH(mount, FILE_TEXT("b/c", "2"), FILE_TEXT("a", "1"));
    char event[4096];
    CHECK(read(notify, event, sizeof event) < 0 && errno == EAGAIN);
    close(notify);
    REQUIRE(lstat(mount, &after) == 0);
    CHECK(memcmp(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim) == 0);
    CHECK_TEXT(link_of(text("%s/..data", mount)), generation);

    PUBLISH(mount, {"a", "1", 1, 0600, 0}, FILE_TEXT("b/c", "2"));
    CHECK(strcmp(link_of(text("%s/..data", mount)), generation) != 0);
    CHECK_INT(mode_of(text("%s/..data/a", mount)) & 07777, 0600);
}

TEST("writing no files leaves an empty generation")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("a", "1"));
    publish(mount, NULL, 0);
    CHECK_TEXT(names_in(mount), text("%s ..data", link_of(text("%s/..data", mount))));
    CHECK_TEXT(names_in(text("%s/..data/", mount)), "");
}

TEST("..data is never missing and never stale while it is replaced")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("a", "0"));
    int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    REQUIRE(inotify_add_watch(notify, mount,
                              IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) >= 0);
    PUBLISH(mount, FILE_TEXT("a", "1"));
    /* The kubelet's order: directory, ..data_tmp, rename over ..data, the old directory last. */
    char buffer[8192] __attribute__((aligned(8)));
    char story[1024] = "";
    ssize_t size = read(notify, buffer, sizeof buffer);
    for (ssize_t at = 0; at < size;) {
        struct inotify_event *event = (struct inotify_event *)(buffer + at);
        bool generation = strncmp(event->name, "..2", 3) == 0;
        strcat(story, event->mask & IN_CREATE ? "+" : event->mask & IN_DELETE ? "-"
                    : event->mask & IN_MOVED_FROM ? "<" : ">");
        strcat(strcat(story, generation ? "generation" : event->name), " ");
        at += (ssize_t)(sizeof *event + event->len);
    }
    close(notify);
    CHECK_TEXT(story, "+generation +..data_tmp <..data_tmp >..data -generation ");
}

TEST("what a writer left behind that died before the rename does not disturb the next one")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("a", "1"));
    make_directory(text("%s/..2020_01_01_00_00_00.1", mount));
    REQUIRE(symlink("..2020_01_01_00_00_00.1", text("%s/..data_tmp", mount)) == 0);
    PUBLISH(mount, FILE_TEXT("a", "2"));
    CHECK_TEXT(content_of(text("%s/a", mount)), "2");
    CHECK(access(text("%s/..data_tmp", mount), F_OK) != 0);
}

TEST("a key that is a path out, absolute, doubled or odd is refused, and nothing is written")
{
    static const char *const keys[] = {
        "", "/absolute", "..", "../out", "a/../../out", "..data", "..data/x", "..hidden", "a/..",
        ".", "./", "\xff", "\xc3(",
    };
    const char *mount = new_mount("mount");
    cmr_error error = CMR_ERROR_INIT;
    for (size_t index = 0; index < sizeof keys / sizeof *keys; index++) {
        const cmr_file files[] = {FILE_TEXT("good", "1"), {keys[index], "x", 1, 0, 0}};
        about("the key \"%s\"", keys[index]);
        CHECK_STATUS(cmr_mount_write(mount, files, 2, &error), CMR_E_INVALID_ARGUMENT);
    }
    const cmr_file twice[] = {FILE_TEXT("a", "1"), FILE_TEXT("b", "1"), FILE_TEXT("a", "2")};
    const cmr_file both[] = {FILE_TEXT("a", "1"), FILE_TEXT("a/b", "1")};
    const cmr_file same[] = {FILE_TEXT("a/b", "1"), FILE_TEXT("a//b", "2")};
    const cmr_file odd_mode[] = {{"a", "1", 1, 01777, 0}};
    about("keys that collide, a mode that is none");
    CHECK_STATUS(cmr_mount_write(mount, twice, 3, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_mount_write(mount, both, 2, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_mount_write(mount, same, 2, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_mount_write(mount, odd_mode, 1, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_STATUS(cmr_mount_write("", NULL, 0, &error), CMR_E_INVALID_ARGUMENT);
    CHECK_TEXT(names_in(mount), "");
}

TEST("a key is cleaned as a path, as the kubelet does it")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("a//b", "1"), FILE_TEXT("./c/./d/", "2"));
    CHECK_TEXT(content_of(text("%s/a/b", mount)), "1");
    CHECK_TEXT(content_of(text("%s/c/d", mount)), "2");
}

TEST("a directory that does not exist is an error that says so, as is a name that is too long")
{
    char name[300];
    const cmr_file files[] = {{name, "1", 1, 0, 0}};
    cmr_error error = CMR_ERROR_INIT;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *absent = text("%s/absent", test_directory());
    CHECK_STATUS(cmr_mount_write(absent, NULL, 0, &error), CMR_E_IO);
    CHECK_INT(error.os_errno, ENOENT);
    const char *mount = new_mount("mount");
    cmr_status status = cmr_mount_write(mount, files, 1, &error);
    CHECK(status == CMR_E_IO || status == CMR_E_LIMIT);
    PUBLISH(mount, FILE_TEXT("after", "1"));
    CHECK_TEXT(content_of(text("%s/after", mount)), "1");
    CHECK_TEXT(names_in(mount), text("%s ..data after", link_of(text("%s/..data", mount))));
}

TEST("values of any bytes and any size arrive as they were given")
{
    const char *mount = new_mount("mount");
    size_t size = 3 << 20;
    unsigned char *bytes = malloc(size);
    for (size_t index = 0; index < size; index++)
        bytes[index] = (unsigned char)(index * 2654435761u >> 11);
    PUBLISH(mount, {"big", bytes, size, 0, 0}, FILE_TEXT("empty", ""));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const void *found = NULL;
    size_t found_size = 0;
    CHECK_OK(cmr_snapshot_bytes(snapshot, "big", &found, &found_size));
    CHECK_INT(found_size, size);
    CHECK(memcmp(found, bytes, size) == 0);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
    free(bytes);
}
