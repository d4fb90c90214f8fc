/* Feeds a watcher whatever can lie in a directory: names, links, modes, no regular files; and
 * cmr_mount_write whatever can be a name. An input is a script, a line each:
 *
 *   f NAME TEXT    a file, written in place         m NAME OCTAL   a mode
 *   d NAME         a directory                      r NAME NEW     a rename
 *   l NAME TARGET  a symbolic link                  x NAME         a removal
 *   p NAME         a FIFO                           k NAME TEXT    one more file for the kubelet
 *   s NAME         a socket                         K              the kubelet publishes them
 *   -              load, and compare with what lies there
 *
 * with tabs for the blanks. The script itself cannot leave its directory; its links can.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

enum { MOST_LINES = 64, MOST_FILES = 16 };

/* Lies beside the mount. No key of a kubelet's volume may ever have this content. */
static const char outside[] = "lies-outside-of-the-mount";

/* What all inputs share: the directory, and a watcher that keeps the library's threads. */
static char root[64], mount_path[80];
static int mount_directory = -1;

/* The kubelet's next generation. */
static cmr_file files[MOST_FILES];
static size_t file_count;

/* Root may read anything; with this it may not. Threads that are made later inherit it. */
static void give_up_power(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return;
    data[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
    syscall(SYS_capset, &header, data);
}

static void prepare(void)
{
    static cmr_watcher *keeper;
    char path[96];
    if (keeper) return;
    give_up_power();
    scratch_directory(root, sizeof root);
    snprintf(mount_path, sizeof mount_path, "%s/mount", root);
    snprintf(path, sizeof path, "%s/outside", root);
    FILE *file = fopen(path, "w");
    demand(file && fputs(outside, file) >= 0 && fclose(file) == 0);
    demand(cmr_watcher_create(&keeper) == CMR_OK && cmr_watcher_start(keeper, NULL) == CMR_OK);
}

/* ---- The script ---- */

/* Opens the directory that a name lies in, beneath the mount and through no link, and gives the
 * last component. */
static int parent_of(const char *name, const char **last)
{
    char path[4096];
    const char *slash = strrchr(name, '/');
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    if (slash == name || strlen(name) >= sizeof path) return -1;
    *last = slash ? slash + 1 : name;
    if (!**last || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0) return -1;
    snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - name) : 1, slash ? name : ".");
    return (int)syscall(SYS_openat2, mount_directory, path, &how, sizeof how);
}

static void write_file(int directory, const char *name, const char *text)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int file = openat(directory, name, flags, 0644);
    if (file < 0) return;
    if (write(file, text, strlen(text)) < 0) errno = 0;
    close(file);
}

static void make_link(int directory, const char *name, const char *target)
{
    char path[4200];
    /* What is absolute stays within what is ours. */
    snprintf(path, sizeof path, "%s%s", *target == '/' ? root : "", target);
    if (symlinkat(path, directory, name) != 0) errno = 0;
}

static void make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = sizeof address.sun_path;
    if ((size_t)snprintf(address.sun_path, size, "%s/%s", mount_path, name) >= size) return;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(file, (struct sockaddr *)&address, sizeof address) != 0) errno = 0;
    close(file);
}

static void rename_to(int directory, const char *name, const char *new_name)
{
    const char *last;
    int other = parent_of(new_name, &last);
    if (other < 0) return;
    if (renameat(directory, name, other, last) != 0) errno = 0;
    close(other);
}

static void change_mode(int directory, const char *name, const char *octal)
{
    mode_t mode = (mode_t)strtoul(octal, NULL, 8) & 0777;
    if (fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW) != 0) errno = 0;
}

static void remove_name(int directory, const char *name)
{
    if (unlinkat(directory, name, 0) != 0) unlinkat(directory, name, AT_REMOVEDIR);
}

static void publish(void)
{
    cmr_error error = unwritten_error;
    cmr_status status = cmr_mount_write(mount_path, files, file_count, &error);
    check_status(status, &error, MAY(INVALID_ARGUMENT) | MAY(LIMIT) | MAY(IO) | MAY(DENIED));
    file_count = 0;
}

static void change(char verb, const char *name, const char *rest)
{
    const char *last;
    if (verb == 'K') publish();
    if (verb == 'k' && file_count < MOST_FILES)
        files[file_count++] = (cmr_file){name, rest, strlen(rest), 0, 0};
    int directory = parent_of(name, &last);
    if (directory < 0) return;
    switch (verb) {
        case 'f': write_file(directory, last, rest); break;
        case 'd': mkdirat(directory, last, 0755); break;
        case 'l': make_link(directory, last, rest); break;
        case 'p': mkfifoat(directory, last, 0644); break;
        case 's': if (!strchr(name, '/')) make_socket(last); break;
        case 'm': change_mode(directory, last, rest); break;
        case 'r': rename_to(directory, last, rest); break;
        case 'x': remove_name(directory, last); break;
    }
    close(directory);
}

/* ---- What must come of it ---- */

/* Whether the file that holds a key has this content. */
static bool is_content(const char *folder, const char *key, const void *bytes, size_t size)
{
    char path[8192], content[1 << 16];
    snprintf(path, sizeof path, "%s%s", folder, key);
    int file = openat(mount_directory, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = read(file, content, sizeof content);
    close(file);
    return count == (ssize_t)size && memcmp(content, bytes, size) == 0;
}

/* Each key is what lies there, and in a kubelet's volume nothing comes from outside. */
static void compare(const cmr_snapshot *snapshot)
{
    char target[4096];
    bool is_volume = readlinkat(mount_directory, "..data", target, sizeof target) >= 0;
    for (size_t index = 0; index < cmr_snapshot_count(snapshot); index++) {
        const char *key;
        const void *bytes;
        size_t key_size, size;
        demand(cmr_snapshot_key(snapshot, index, &key, &key_size) == CMR_OK);
        demand(cmr_snapshot_bytes(snapshot, key, &bytes, &size) == CMR_OK);
        demand(key_size > 0 && strlen(key) == key_size && strncmp(key, "..", 2) != 0);
        demand(is_content(is_volume ? "..data/" : "", key, bytes, size));
        demand(!is_volume || size != sizeof outside - 1 || memcmp(bytes, outside, size) != 0);
    }
    check_snapshot(snapshot);
}

/* Loads; a second time nothing has changed, and so the answer may not. */
static void load(cmr_watcher *watcher, bool *is_started)
{
    unsigned may = MAY(IO) | MAY(DENIED) | MAY(PARSE) | MAY(LIMIT);
    cmr_error error = unwritten_error;
    if (!*is_started) {
        cmr_status status = cmr_watcher_start(watcher, &error);
        check_status(status, &error, may);
        *is_started = status == CMR_OK;
        demand((cmr_watcher_version(watcher) == 1) == *is_started);
        if (!*is_started) return;
    }
    uint64_t version = 0, again = 0;
    error = unwritten_error;
    cmr_status status = cmr_watcher_reload(watcher, -1, &version, &error);
    check_status(status, &error, may);
    if (status != CMR_OK) version = cmr_watcher_version(watcher);
    demand(cmr_watcher_reload(watcher, -1, &again, NULL) == status);
    demand((status == CMR_OK ? again : cmr_watcher_version(watcher)) == version);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    demand(snapshot && cmr_snapshot_version(snapshot) == version);
    if (status == CMR_OK) compare(snapshot);
    cmr_snapshot_release(snapshot);
}

static void run(char *script, cmr_watcher *watcher)
{
    char *position = script, *line;
    bool is_started = false;
    for (int count = 0; count < MOST_LINES && (line = strsep(&position, "\n")); count++) {
        char verb = *strsep(&line, "\t");
        const char *name = line ? strsep(&line, "\t") : "";
        if (verb == '-') load(watcher, &is_started);
        else change(verb, name, line ? line : "");
    }
    load(watcher, &is_started);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (memmem(data, size, outside, sizeof outside - 1) || memchr(data, 0, size)) return 0;
    prepare();
    size_t descriptors = count_descriptors();
    demand(mkdir(mount_path, 0755) == 0);
    mount_directory = open(mount_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *script = strndup((const char *)data, size);
    cmr_watcher *watcher = NULL;
    file_count = 0;
    demand(cmr_watcher_create(&watcher) == CMR_OK);
    demand(cmr_watcher_add_mount(watcher, mount_path, NULL) == CMR_OK);
    run(script, watcher);
    cmr_watcher_destroy(watcher);
    close(mount_directory);
    remove_all(mount_path);
    free(script);
    await_descriptors(descriptors);
    return 0;
}
