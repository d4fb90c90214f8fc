/* The library in somebody else's process: nothing of the host's is touched, and two copies live
 * side by side.
 */
#include "abitest.h"

#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <sys/resource.h>

static void ignore(void *context, const cmr_event *event) { (void)context, (void)event; }

/* All that the library does in its life, once through. */
static void live_a_full_life(void)
{
    const char *mount = new_mount(text("life-%ld", (long)random()));
    PUBLISH(mount, FILE_TEXT("key", "1"), FILE_TEXT("a.json", "{\"x\": 0.5}"));
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "PATH", NULL));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, ignore, NULL, NULL, NULL));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, ignore, NULL, NULL,
                                     NULL));
    CHECK(cmr_watcher_event_fd(watcher) >= 0);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"), FILE_TEXT("a.json", "{\"x\": 1.5}"));
    await_version(watcher, 2);
    PUBLISH(mount, FILE_TEXT("a.json", "{"));
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK_OK(cmr_watcher_dispatch(watcher, NULL));
    double number = 0;
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_snapshot_double(snapshot, "a.json#/x", &number));
    CHECK(number == 1.5);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("signal handlers and the signal mask of the host stay what they were")
{
    struct sigaction before[65], after;
    sigset_t mask_before, mask_after;
    for (int number = 1; number <= 64; number++) {
        memset(&before[number], 0, sizeof before[number]);
        sigaction(number, NULL, &before[number]);
    }
    sigemptyset(&mask_before);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    live_a_full_life();
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (int number = 1; number <= 64; number++) {
        memset(&after, 0, sizeof after);
        sigaction(number, NULL, &after);
        about("signal %d", number);
        CHECK(after.sa_handler == before[number].sa_handler
              && after.sa_flags == before[number].sa_flags);
        if (number != 32 && number != 33) /* glibc's own */
            CHECK_INT(sigismember(&mask_after, number), sigismember(&mask_before, number));
    }
}

#define BIT(number) (1ULL << ((number) - 1))

static volatile sig_atomic_t signal_thread;
static void note_thread(int number) { (void)number; signal_thread = (sig_atomic_t)gettid(); }

/* What an instruction raises in the thread that runs it. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

static unsigned long long blocked_signals(const char *thread)
{
    unsigned long long blocked = 0;
    char line[256], path[64];
    snprintf(path, sizeof path, "/proc/self/task/%.16s/status", thread);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "SigBlk: %llx", &blocked);
    if (file) fclose(file);
    return blocked;
}

TEST("all signals but faults are blocked on the library's threads: handlers run on the host's")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    int others = 0;
    /* glibc keeps 32 and 33 for itself, SIGKILL and SIGSTOP cannot be blocked. */
    unsigned long long told = ~(BIT(32) | BIT(33) | BIT(SIGKILL) | BIT(SIGSTOP)), blocked = told;
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++)
        blocked &= ~BIT(faults[index]);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == gettid()) continue;
        /* A thread that is still being made has all blocked for a moment. */
        if (getenv("ABITEST_PATIENCE") == NULL)
            EVENTUALLY((blocked_signals(entry->d_name) & told) == blocked);
        others++;
    }
    closedir(tasks);
    CHECK(others >= 1);
    struct sigaction action = {.sa_handler = note_thread};
    sigaction(SIGUSR1, &action, NULL);
    for (int round = 0; round < 100; round++) {
        signal_thread = 0;
        kill(getpid(), SIGUSR1);
        EVENTUALLY(signal_thread != 0);
        CHECK_INT(signal_thread, gettid());
    }
    cmr_watcher_destroy(watcher);
}

/* As the instruction would: to this thread, and handled before raise returns unless blocked. */
static void raise_each(void *context, const cmr_event *event)
{
    if (event->version < 2) return;
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++) {
        about("%s", strsignal(faults[index]));
        signal_thread = 0;
        raise(faults[index]);
        CHECK_INT(signal_thread, gettid());
    }
    gate_open(context);
}

TEST("a fault in a callback reaches the host's handler")
{
    const char *mount = new_mount("mount");
    struct gate passed = GATE_INIT;
    struct sigaction action = {.sa_handler = note_thread};
    PUBLISH(mount, FILE_TEXT("key", "1"));
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++)
        REQUIRE(sigaction(faults[index], &action, NULL) == 0);
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, raise_each, &passed, NULL, NULL));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    CHECK(gate_wait(&passed, 1));
    cmr_watcher_destroy(watcher);
}

extern char **environ;

TEST("working directory, umask, environment and locale stay what they were")
{
    char before[PATH_MAX], after[PATH_MAX];
    char **variables = environ;
    size_t count = 0, count_after = 0;
    REQUIRE(chdir(test_directory()) == 0 && getcwd(before, sizeof before) != NULL);
    umask(0031);
    setlocale(LC_ALL, "C.UTF-8");
    const char *locale = text("%s", setlocale(LC_ALL, NULL));
    const char *first = environ[0];
    while (environ[count]) count++;
    live_a_full_life();
    REQUIRE(getcwd(after, sizeof after) != NULL);
    CHECK_TEXT(after, before);
    CHECK_INT(umask(0022), 0031);
    CHECK_TEXT(setlocale(LC_ALL, NULL), locale);
    CHECK(environ == variables && environ[0] == first);
    while (environ[count_after]) count_after++;
    CHECK_INT(count_after, count);
}

TEST("numbers read and are written the same where the host's locale has a decimal comma")
{
    const char *make = text("localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>%s/localedef",
                            test_directory(), test_directory());
    if (system(make) != 0) test_skip("localedef cannot make a locale with a decimal comma");
    setenv("LOCPATH", test_directory(), 1);
    REQUIRE(setlocale(LC_ALL, "de_DE.UTF-8") != NULL);
    REQUIRE(strcmp(localeconv()->decimal_point, ",") == 0);
    live_a_full_life();
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", "[1.5,\"1.5\"]", 11, NULL));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    double number = 0;
    char *json = NULL;
    CHECK_OK(cmr_snapshot_double(snapshot, "a.json#/1", &number));
    CHECK(number == 1.5);
    CHECK_OK(cmr_snapshot_json(snapshot, "a.json", &json, NULL));
    CHECK_TEXT(json, "[1.5,\"1.5\"]");
    cmr_free(json);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("nothing is printed, on any descriptor that is open")
{
    int captured = open(text("%s/captured", test_directory()), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int out = dup(1), errors = dup(2);
    fflush(NULL);
    REQUIRE(dup2(captured, 1) == 1 && dup2(captured, 2) == 2);
    live_a_full_life();
    fflush(NULL);
    dup2(out, 1);
    dup2(errors, 2);
    CHECK_INT(lseek(captured, 0, SEEK_END), 0);
}

TEST("a full life leaves no descriptor behind that the next one does not use again")
{
    live_a_full_life();
    size_t descriptors = count_descriptors();
    for (int round = 0; round < 20; round++) live_a_full_life();
    /* A thread that comes from a callback may still be about to close what it read. */
    EVENTUALLY(count_descriptors() <= descriptors);
}

TEST("every descriptor of the library is closed on exec")
{
    const char *mount = new_mount("mount");
    size_t before = count_descriptors();
    bool inherited[1024] = {false};
    for (int file = 0; file < 1024; file++) inherited[file] = fcntl(file, F_GETFD) >= 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher *watcher = new_watcher(mount);
    CHECK(cmr_watcher_event_fd(watcher) >= 0);
    start(watcher);
    CHECK(count_descriptors() > before);
    for (int file = 0; file < 1024; file++) {
        int flags = fcntl(file, F_GETFD);
        if (flags >= 0 && !inherited[file]) CHECK(flags & FD_CLOEXEC);
    }
    cmr_watcher_destroy(watcher);
}

TEST("one more watcher costs no thread and no descriptor")
{
    cmr_watcher *watchers[30];
    size_t descriptors = 0, threads = 0;
    for (int index = 0; index < 30; index++) {
        const char *mount = new_mount(text("m%d", index));
        PUBLISH(mount, FILE_TEXT("key", "1"));
        watchers[index] = new_watcher(mount);
        /* What a rescan reads is open until it has ended. */
        REQUIRE_OK(cmr_watcher_set_option(watchers[index], CMR_OPTION_RESCAN_MS, 0));
        start(watchers[index]);
        if (index == 0) {
            descriptors = count_descriptors();
            threads = count_threads();
        }
    }
    CHECK_INT(count_descriptors(), descriptors);
    CHECK_INT(count_threads(), threads);
    for (int index = 0; index < 30; index++) {
        PUBLISH(text("%s/m%d", test_directory(), index), FILE_TEXT("key", "2"));
        await_version(watchers[index], 2);
    }
    for (int index = 0; index < 30; index++) cmr_watcher_destroy(watchers[index]);
}

TEST("descriptors that are used up are an error, not a trap, and start works again after")
{
    const char *mount = new_mount("mount");
    struct rlimit few;
    int files[256], count = 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &few) == 0);
    few.rlim_cur = 256;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    while (count < 256 && (files[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) count++;
    REQUIRE(count < 256);
    cmr_error error = CMR_ERROR_INIT;
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_IO);
    CHECK_INT(error.os_errno, EMFILE);
    CHECK_INT(cmr_watcher_event_fd(watcher), -1);
    while (count > 0) close(files[--count]);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    CHECK(cmr_watcher_event_fd(watcher) >= 0);
    cmr_watcher_destroy(watcher);
}

/* ---- Two copies ---- */

/* The functions of another copy of the library, by name. */
struct copy {
    void *handle;
    cmr_status (*create)(cmr_watcher **);
    cmr_status (*add_mount)(cmr_watcher *, const char *, cmr_error *);
    cmr_status (*subscribe)(cmr_watcher *, const char *, uint32_t, cmr_event_fn, void *, uint64_t *,
                            cmr_error *);
    cmr_status (*start)(cmr_watcher *, cmr_error *);
    cmr_status (*wait)(cmr_watcher *, uint64_t, int64_t, uint64_t *);
    const cmr_snapshot *(*acquire)(const cmr_watcher *);
    cmr_status (*string)(const cmr_snapshot *, const char *, const char **, size_t *);
    void (*release)(const cmr_snapshot *);
    void (*destroy)(cmr_watcher *);
};

static void find(struct copy *copy, const char *name, void *function)
{
    void *address = dlsym(copy->handle, name);
    REQUIRE(address != NULL);
    memcpy(function, &address, sizeof address);
}

static void load_copy(struct copy *copy)
{
    const char *path = text("%s/another.so", test_directory());
    FILE *from = fopen(library_path(), "rb"), *to = fopen(path, "wb");
    char buffer[1 << 16];
    size_t size;
    REQUIRE(from != NULL && to != NULL);
    while ((size = fread(buffer, 1, sizeof buffer, from)) > 0)
        REQUIRE(fwrite(buffer, 1, size, to) == size);
    fclose(from);
    fclose(to);
    copy->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!copy->handle) fprintf(stderr, "%s\n", dlerror());
    REQUIRE(copy->handle != NULL);
    find(copy, "cmr_watcher_create", &copy->create);
    find(copy, "cmr_watcher_add_mount", &copy->add_mount);
    find(copy, "cmr_watcher_subscribe", &copy->subscribe);
    find(copy, "cmr_watcher_start", &copy->start);
    find(copy, "cmr_watcher_wait", &copy->wait);
    find(copy, "cmr_watcher_acquire", &copy->acquire);
    find(copy, "cmr_snapshot_string", &copy->string);
    find(copy, "cmr_snapshot_release", &copy->release);
    find(copy, "cmr_watcher_destroy", &copy->destroy);
    REQUIRE(copy->create != cmr_watcher_create);
}

TEST("a load gives descriptors back when there are no more")
{
    enum { KEYS = 100, LEFT = 16 };
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    const char *next = make_directory(text("%s/..next", mount));
    for (int index = 0; index < KEYS; index++) write_text(text("%s/key%d", next, index), "2");
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count_descriptors() + LEFT;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    /* Takes no descriptor, and so none that the load has just now. */
    replace_link("..next", text("%s/..data", mount));
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, text("key%d", KEYS - 1)), "2");
    cmr_watcher_destroy(watcher);
}

TEST("two copies of the library in one process each watch on their own")
{
    const char *mount = new_mount("mount");
    struct copy other;
    cmr_watcher *mine, *theirs = NULL;
    const char *found = NULL;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    load_copy(&other);
    mine = new_watcher(mount);
    start(mine);
    REQUIRE_OK(other.create(&theirs));
    REQUIRE_OK(other.add_mount(theirs, mount, NULL));
    REQUIRE_OK(other.start(theirs, NULL));
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(mine, 2);
    REQUIRE_OK(other.wait(theirs, 1, patience_ms(), NULL));
    const cmr_snapshot *snapshot = other.acquire(theirs);
    CHECK_OK(other.string(snapshot, "key", &found, NULL));
    CHECK_TEXT(found, "2");
    other.release(snapshot);
    cmr_watcher_destroy(mine);
    PUBLISH(mount, FILE_TEXT("key", "3"));
    REQUIRE_OK(other.wait(theirs, 2, patience_ms(), NULL));
    other.destroy(theirs);
    CHECK_INT(dlclose(other.handle), 0);
}

TEST("closing a copy with dlclose while nothing of it is left leaves the process well")
{
    struct copy other;
    const char *mount = new_mount("mount");
    cmr_watcher *theirs = NULL;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    load_copy(&other);
    REQUIRE_OK(other.create(&theirs));
    REQUIRE_OK(other.add_mount(theirs, mount, NULL));
    REQUIRE_OK(other.start(theirs, NULL));
    other.destroy(theirs);
    CHECK_INT(dlclose(other.handle), 0);
    live_a_full_life();
}

static struct timespec access_time(const char *path)
{
    struct stat status;
    REQUIRE(stat(path, &status) == 0);
    return status.st_atim;
}

static void *wait_cancelled(void *watcher)
{
    pthread_cancel(pthread_self()); /* at the next point where it may be */
    cmr_watcher_wait(watcher, 1, 1, NULL);
    pthread_testcancel();
    return NULL;
}

TEST("a thread that is cancelled while it waits takes no lock along")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    pthread_t thread;
    void *result = NULL;
    REQUIRE(pthread_create(&thread, NULL, wait_cancelled, watcher) == 0);
    REQUIRE(pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
    cmr_stats stats = CMR_STATS_INIT;
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    cmr_watcher_destroy(watcher);
}

TEST("reading leaves access times as they are")
{
    /* Before the file was modified: the kernel would note the next access, mount(8) relatime. */
    const struct timespec long_ago[] = {{.tv_sec = 1000000000}, {.tv_nsec = UTIME_OMIT}};
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("key", "1"));
    const char *paths[] = {text("%s/..data/key", mount), text("%s/..data", mount), mount};
    for (int index = 0; index < 3; index++)
        REQUIRE(utimensat(AT_FDCWD, paths[index], long_ago, 0) == 0);
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "key"), "1");
    for (int index = 0; index < 3; index++) {
        about("%s", paths[index]);
        CHECK_INT(access_time(paths[index]).tv_sec, long_ago->tv_sec);
    }
    cmr_watcher_destroy(watcher);
}

TEST("a process may end while watchers are started and a callback runs")
{
    const char *mount = new_mount("mount");
    int status = -1;
    pid_t child;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct recorder recorder;
        cmr_watcher *watcher = new_watcher(mount);
        recorder_init(&recorder);
        record(watcher, &recorder);
        start(watcher);
        PUBLISH(mount, FILE_TEXT("key", "2"));
        event_at(&recorder, 1);
        PUBLISH(mount, FILE_TEXT("key", "3"));
        exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}
