/* The verbs that change the disk. A mount is staged key by key, then published whole by `swap`, or
 * by the numbered steps of the kubelet's atomic_writer.go one at a time, so that a story can stop
 * between any two. */
#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOUNTS = 8, KEYS = 64 };

/* What the ConfigMap behind a mount holds, and where the kubelet's steps have got to. */
typedef struct mount_state {
    char name[128];
    cmr_file files[KEYS];
    int count;
    char fresh[64];         /* the timestamped directory being written */
    char old[64];           /* the one that the rename left behind */
} mount_state;

static mount_state mounts[MOUNTS];
static mount_state *current;

static void must(bool done) {
    if (!done)
        fail("%s: %s", current_line.words[0].text, strerror(errno));
}

/* ---- a mount ---- */

static void choose_mount(const char *name) {
    int i = 0;
    while (i < MOUNTS && mounts[i].name[0] != '\0' && !is(mounts[i].name, name))
        i++;
    if (i == MOUNTS)
        fail("more than %d mounts", MOUNTS);
    current = &mounts[i];
    snprintf(current->name, sizeof current->name, "%s", name);
    must(mkdir(path_of(name), 0755) == 0 || errno == EEXIST);
}

static mount_state *the_mount(void) {
    if (current == NULL)
        fail("no mount yet");
    return current;
}

/* A path below the current mount. */
static const char *within(const char *name) {
    char relative[4096 + sizeof current->name];
    snprintf(relative, sizeof relative, "%s/%s", the_mount()->name, name);
    return path_of(relative);
}

static cmr_file *staged(const char *key) {
    for (int i = 0; i < the_mount()->count; i++)
        if (is(current->files[i].key, key))
            return &current->files[i];
    return NULL;
}

static cmr_file *stage(const char *key) {
    cmr_file *file = staged(key);
    if (file == NULL) {
        if (the_mount()->count == KEYS)
            fail("more than %d keys", KEYS);
        file = &current->files[current->count++];
        *file = (cmr_file){.key = strdup(key), .mode = 0644};
    }
    return file;
}

static void write_key(void) {
    cmr_file *file = stage(argument_text(1));
    word value = argument_value(2);
    free((void *)file->bytes);
    file->bytes = value.text;
    file->size = value.size;
}

static void remove_key(const char *key) {
    cmr_file *file = staged(key);
    if (file == NULL)
        fail("there is no key %s", key);
    free((void *)file->key);
    free((void *)file->bytes);
    *file = current->files[--current->count];
}

static void swap(void) {
    cmr_error error = CMR_ERROR_INIT;
    cmr_status status = cmr_mount_write(within(""), current->files, (size_t)current->count, &error);
    if (status != CMR_OK)
        fail("swap: %s: %s", cmr_status_name(status), error.message);
}

/* ---- the kubelet's steps ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void remove_tree(const char *path) {
    must(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void make_parents(const char *path) {
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = parent + strlen(setting.directory);
    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        must(mkdir(parent, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

static void write_file(const char *path, int flags, const void *bytes, size_t size) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    must(descriptor >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(descriptor, (const char *)bytes + done, size - done);
        must(wrote > 0);
        done += (size_t)wrote;
    }
    must(close(descriptor) == 0);
}

static void make_directory(void) {                    /* step 5 */
    static int serial;
    snprintf(current->fresh, sizeof current->fresh, "..2026_01_02_03_04_05.%09d", ++serial);
    must(mkdir(within(current->fresh), 0755) == 0);
}

static void write_payload(void) {                     /* steps 6 and 7 */
    for (int i = 0; i < current->count; i++) {
        const cmr_file *file = &current->files[i];
        char relative[4096];
        snprintf(relative, sizeof relative, "%s/%s", current->fresh, file->key);
        const char *path = within(relative);
        make_parents(path);
        write_file(path, O_EXCL, file->bytes, file->size);
        must(chmod(path, file->mode) == 0);
    }
}

static void rename_data(void) {                       /* step 9 */
    ssize_t size = readlink(within("..data"), current->old, sizeof current->old - 1);
    current->old[size > 0 ? size : 0] = '\0';
    must(rename(within("..data_tmp"), within("..data")) == 0);
}

/* A key is visible through a link of its own; one in a directory through that directory's. */
static size_t visible_size(const char *key) {
    return strcspn(key, "/");
}

static void make_links(void) {        /* step 10; before the rename on older kubelets */
    for (int i = 0; i < current->count; i++) {
        char name[256], target[272];
        const char *key = current->files[i].key;
        snprintf(name, sizeof name, "%.*s", (int)visible_size(key), key);
        snprintf(target, sizeof target, "..data/%s", name);
        must(symlink(target, within(name)) == 0 || errno == EEXIST);
    }
}

static int remove_stale_link(const char *path, const struct stat *status, int type,
                             struct FTW *walk) {
    (void)status;
    const char *name = path + walk->base;
    bool wanted = strncmp(name, "..", 2) == 0;
    for (int i = 0; i < current->count && !wanted; i++)
        wanted = strlen(name) == visible_size(current->files[i].key)
            && strncmp(name, current->files[i].key, strlen(name)) == 0;
    if (walk->level == 1 && type == FTW_SL && !wanted)
        must(unlink(path) == 0);
    return walk->level == 1 ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}

static void remove_links(void) {                      /* step 11 */
    must(nftw(within(""), remove_stale_link, 16, FTW_PHYS | FTW_ACTIONRETVAL) == 0);
}

static void kubelet(const char *step) {
    the_mount();
    if (is(step, "directory"))
        make_directory();
    else if (is(step, "payload"))
        write_payload();
    else if (is(step, "data_tmp"))                    /* step 8 */
        must(symlink(current->fresh, within("..data_tmp")) == 0);
    else if (is(step, "rename"))
        rename_data();
    else if (is(step, "links"))
        make_links();
    else if (is(step, "unlinks"))
        remove_links();
    else if (is(step, "remove_old"))                  /* step 12 */
        remove_tree(within(current->old));
    else
        fail("the kubelet has no step %s", step);
}

/* ---- plain files ---- */

static void file_in_place(const char *path) {
    word value = argument_value(2);
    make_parents(path);
    write_file(path, O_TRUNC, value.text, value.size);
    free(value.text);
}

static void file_replaced(const char *path) {
    word value = argument_value(2);
    char beside[4200];
    snprintf(beside, sizeof beside, "%s~", path);
    write_file(beside, O_TRUNC, value.text, value.size);
    must(rename(beside, path) == 0);
    free(value.text);
}

/* Other bytes of the same number, and the old times put back. */
static void file_overwritten(const char *path) {
    word value = argument_value(2);
    struct stat before;
    must(stat(path, &before) == 0);
    if ((size_t)before.st_size != value.size)
        fail("%s has %lld bytes, not %zu", argument_text(1), (long long)before.st_size, value.size);
    write_file(path, 0, value.text, value.size);
    must(utimensat(AT_FDCWD, path, (struct timespec[]){before.st_atim, before.st_mtim}, 0) == 0);
    free(value.text);
}

/* A link that is there already is replaced by a rename. */
static void link_to(const char *path, const char *target) {
    char beside[4200];
    make_parents(path);
    snprintf(beside, sizeof beside, "%s~", path);
    must(symlink(target, beside) == 0);
    must(rename(beside, path) == 0);
}

static void make_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if ((size_t)size >= sizeof address.sun_path)
        fail("the path is too long for a socket");
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(descriptor >= 0 && bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    close(descriptor);
}

/* ---- what never rests ---- */

/* A file that is written again and again by another thread. */
static struct {
    pthread_t thread;
    atomic_bool goes_on;
    char path[4096];
} churning;

static void *churn(void *context) {
    (void)context;
    for (unsigned turn = 0; atomic_load(&churning.goes_on); turn++) {
        int descriptor = open(churning.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (descriptor >= 0) {
            dprintf(descriptor, "%u", turn);
            close(descriptor);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

static void begin_churn(const char *path) {
    snprintf(churning.path, sizeof churning.path, "%s", path);
    atomic_store(&churning.goes_on, true);
    errno = pthread_create(&churning.thread, NULL, churn, NULL);
    must(errno == 0);
}

static void end_churn(void) {
    atomic_store(&churning.goes_on, false);
    errno = pthread_join(churning.thread, NULL);
    must(errno == 0);
}

static bool stands_still(pid_t process) {
    char path[64], state = 'R';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 'R';
        fclose(file);
    }
    return state == 'T';
}

/* How many events the kernel keeps for one inotify instance. */
static long queue_length(void) {
    long length = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    must(file != NULL && fscanf(file, "%ld", &length) == 1);
    fclose(file);
    return length;
}

/* Swaps while this process stands still, after more happened in the mount than the kernel keeps
 * notifications of: of the swap itself there is none. */
static void storm(void) {
    make_directory();
    write_payload();
    must(symlink(current->fresh, within("..data_tmp")) == 0);
    const char *one = within("..one"), *other = within("..other"), *from = within("..data_tmp");
    const char *to = within("..data");
    /* Twice as many: a thread that stops a moment after the others takes some of them. */
    long turns = 2 * queue_length();
    write_file(one, 0, "", 0);
    pid_t story = getpid(), child = fork();
    must(child >= 0);
    if (child == 0) {
        kill(story, SIGSTOP);
        while (!stands_still(story))
            sched_yield();
        for (long i = 0; i < turns; i++)
            rename(i % 2 ? other : one, i % 2 ? one : other);
        int result = rename(from, to);
        kill(story, SIGCONT);
        _exit(result != 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0)
        fail("the storm did not come");
}

/* ---- what the machine allows ---- */

/* Becomes a user whom permissions bind and who shares no limit with anybody. */
static void become_nobody(bool private) {
    if (geteuid() != 0) {
        if (private)
            skip("needs root, to become a user of its own");
        return;
    }
    uid_t user = 600000 + (uid_t)getpid();
    must(chown(setting.directory, user, user) == 0);
    must(setgroups(0, NULL) == 0 && setgid(user) == 0 && setuid(user) == 0);
    prctl(PR_SET_DUMPABLE, 1);                        /* for the leak checker, which traces */
}

static void become_able_to_mount(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip("needs the right to mount");
}

/* Mounts a directory with a layer over it that takes what is written. */
static void mount_overlay(const char *below, const char *path) {
    char upper[PATH_MAX], work[PATH_MAX], options[3 * PATH_MAX];
    snprintf(upper, sizeof upper, "%s/upper", path);
    snprintf(work, sizeof work, "%s/work", path);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", below, upper, work);
    must(mkdir(path, 0755) == 0 && mount("none", path, "tmpfs", 0, NULL) == 0);
    must(mkdir(upper, 0755) == 0 && mkdir(work, 0755) == 0);
    if (mount("none", path, "overlay", 0, options) != 0)
        skip("needs overlayfs");
}

static void need(const char *what) {
    if (is(what, "process"))
        return;                                       /* each story has one to itself here */
    if (is(what, "unprivileged"))
        become_nobody(false);
    else if (is(what, "private-user"))
        become_nobody(true);
    else if (is(what, "mounts"))
        become_able_to_mount();
    else
        fail("nothing is known about %s", what);
}

/* The inotify instances that were taken. */
static int taken[65536], taken_count;

/* Takes every inotify instance that the user may have, or gives all back that were taken. */
static void exhaust_inotify(void) {
    int descriptor;
    while ((descriptor = inotify_init1(IN_CLOEXEC)) >= 0) {
        if (taken_count == sizeof taken / sizeof *taken)
            fail("more than %d inotify instances", taken_count);
        taken[taken_count++] = descriptor;
    }
    must(errno == EMFILE);
}

static void free_inotify(void) {
    while (taken_count > 0)
        close(taken[--taken_count]);
}

/* ---- the verbs ---- */

static bool mount_verb(const char *verb) {
    if (is(verb, "mount"))
        choose_mount(argument_text(1));
    else if (is(verb, "write"))
        return write_key(), true;
    else if (is(verb, "mode"))
        stage(argument_text(1))->mode = (uint32_t)strtoul(argument_text(2), NULL, 8);
    else if (is(verb, "remove"))
        remove_key(argument_text(1));
    else if (is(verb, "swap"))
        swap();
    else if (is(verb, "kubelet"))
        kubelet(argument_text(1));
    else
        return false;
    return true;
}

static bool file_verb(const char *verb) {
    if (is(verb, "directory"))
        make_parents(path_of(argument_text(1))), must(mkdir(path_of(argument_text(1)), 0755) == 0);
    else if (is(verb, "file"))
        file_in_place(path_of(argument_text(1)));
    else if (is(verb, "replace"))
        file_replaced(path_of(argument_text(1)));
    else if (is(verb, "overwrite"))
        file_overwritten(path_of(argument_text(1)));
    else if (is(verb, "touch"))
        must(utimensat(AT_FDCWD, path_of(argument_text(1)), NULL, 0) == 0);
    else if (is(verb, "chmod"))
        must(chmod(path_of(argument_text(2)), (mode_t)strtoul(argument_text(1), NULL, 8)) == 0);
    else if (is(verb, "link"))
        link_to(path_of(argument_text(1)), argument_text(2));
    else if (is(verb, "move"))
        must(rename(path_of(argument_text(1)), path_of(argument_text(2))) == 0);
    else if (is(verb, "delete"))
        remove_tree(path_of(argument_text(1)));
    else if (is(verb, "fifo"))
        must(mkfifo(path_of(argument_text(1)), 0644) == 0);
    else if (is(verb, "socket"))
        make_socket(path_of(argument_text(1)));
    else
        return false;
    return true;
}

static bool machine_verb(const char *verb) {
    if (is(verb, "needs"))
        need(argument_text(1));
    else if (is(verb, "environment"))
        must(setenv(argument_text(1), argument_text(2), 1) == 0);
    else if (is(verb, "churn"))
        begin_churn(path_of(argument_text(1)));
    else if (is(verb, "calm"))
        end_churn();
    else if (is(verb, "storm"))
        storm();
    else if (is(verb, "exhaust"))
        is(argument_text(1), "inotify") ? exhaust_inotify() : fail("only inotify can be exhausted");
    else if (is(verb, "free"))
        is(argument_text(1), "inotify") ? free_inotify() : fail("only inotify can be freed");
    else if (is(verb, "bind"))
        must(mount(path_of(argument_text(1)), path_of(argument_text(2)), NULL, MS_BIND, NULL) == 0);
    else if (is(verb, "overlay"))
        mount_overlay(path_of(argument_text(1)), path_of(argument_text(2)));
    else if (is(verb, "unbind"))
        must(umount2(path_of(argument_text(1)), MNT_DETACH) == 0);
    else
        return false;
    return true;
}

bool world_perform(const char *verb) {
    return mount_verb(verb) || file_verb(verb) || machine_verb(verb);
}
