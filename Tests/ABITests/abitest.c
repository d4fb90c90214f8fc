/* The harness behind abitest.h. `program` runs all its tests, `program WORD` those whose sentence
 * has the word, `program --list` names them. The last line is the summary; the exit status
 * is 1 when a test failed.
 */
#include "abitest.h"

#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>

enum { EXIT_FAILED = 1, EXIT_SKIPPED = 77 };

static struct test *tests;
static char directory[64];
static _Atomic int failures;
static const char *program_name;
static char *reason_to_skip; /* shared with the child that runs the test */

void test_register(struct test *test)
{
    struct test **end = &tests;
    while (*end) end = &(*end)->next;
    *end = test;
}

/* ---- Checks ---- */

static char subject[256];

void about(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(subject, sizeof subject, format, arguments);
    va_end(arguments);
}

static bool complain(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    const char *name = strrchr(file, '/');
    char message[2048];
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "      %s:%d: %s%s%s\n", name ? name + 1 : file, line, subject,
            subject[0] ? ": " : "", message);
    failures++;
    return false;
}

bool check_true(bool good, const char *file, int line, const char *text)
{
    return good || complain(file, line, "is not true: %s", text);
}

bool check_status(cmr_status actual, cmr_status expected, const char *file, int line,
                  const char *text)
{
    if (actual == expected) return true;
    return complain(file, line, "%s, not %s: %s", cmr_status_name(actual),
                    cmr_status_name(expected), text);
}

bool check_ok(cmr_status actual, const cmr_error *error, const char *file, int line,
              const char *text)
{
    if (actual == CMR_OK) return true;
    return complain(file, line,
                    "%s: %s [stage %s, key %s, %" PRIu32 ":%" PRIu32 ", errno %" PRId32 ": %s]",
                    cmr_status_name(actual), text, error->stage, error->key, error->line,
                    error->column,
                    error->os_errno, error->message);
}

bool check_int(long long actual, long long expected, const char *file, int line, const char *text)
{
    return actual == expected || complain(file, line, "%lld, not %lld: %s", actual, expected, text);
}

bool check_text(const char *actual, const char *expected, const char *file, int line,
                const char *text)
{
    if (actual && expected && strcmp(actual, expected) == 0) return true;
    if (!actual && !expected) return true;
    return complain(file, line, "\"%s\", not \"%s\": %s", actual ? actual : "(NULL)",
                    expected ? expected : "(NULL)", text);
}

int test_failures(void) { return failures; }

void test_abandon(void)
{
    fflush(NULL);
    _exit(EXIT_FAILED);
}

void test_skip(const char *reason)
{
    snprintf(reason_to_skip, 200, "%s", reason);
    fflush(NULL);
    _exit(EXIT_SKIPPED);
}

int64_t patience_ms(void)
{
    const char *factor = getenv("ABITEST_PATIENCE");
    return 10000 * (factor ? atoi(factor) : 1);
}

int rounds(int usually, int slowly) { return getenv("ABITEST_PATIENCE") ? slowly : usually; }

/* ---- Files ---- */

const char *test_directory(void) { return directory; }

const char *text(const char *format, ...)
{
    static char *kept[4096]; /* reachable until the process ends, so no leak */
    static size_t count;
    va_list arguments;
    char *result = NULL;
    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0) abort();
    va_end(arguments);
    free(kept[count % 4096]);
    kept[count++ % 4096] = result;
    return result;
}

const char *make_directory(const char *path)
{
    REQUIRE(mkdir(path, 0755) == 0);
    return path;
}

void write_bytes(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t done = 0;
    REQUIRE(file >= 0);
    while (done < size) {
        ssize_t count = write(file, (const char *)bytes + done, size - done);
        REQUIRE(count > 0);
        done += (size_t)count;
    }
    REQUIRE(close(file) == 0);
}

void write_text(const char *path, const char *content) { write_bytes(path, content,
    strlen(content)); }

void replace_link(const char *target, const char *path)
{
    const char *temporary = text("%s.tmp", path);
    unlink(temporary);
    REQUIRE(symlink(target, temporary) == 0);
    REQUIRE(rename(temporary, path) == 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    if (type == FTW_DNR) chmod(path, 0700);
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

void remove_all(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static size_t count_entries(const char *path)
{
    DIR *entries = opendir(path);
    struct dirent *entry;
    size_t count = 0;
    REQUIRE(entries != NULL);
    while ((entry = readdir(entries))) count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

size_t count_descriptors(void) { return count_entries("/proc/self/fd") - 1; }

size_t count_threads(void) { return count_entries("/proc/self/task"); }

bool thread_sleeps(int thread)
{
    for (int round = 0; round < 20; round++) {
        char state = '?';
        FILE *file = fopen(text("/proc/self/task/%d/stat", thread), "r");
        if (!file) return false;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = '?';
        fclose(file);
        if (state != 'S') return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* ---- Mounts and watchers ---- */

void publish(const char *mount, const cmr_file *files, size_t count)
{
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_FINE(cmr_mount_write(mount, files, count, &error), error);
}

const char *new_mount(const char *name) { return make_directory(text("%s/%s", directory, name)); }

cmr_watcher *new_watcher(const char *mount)
{
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = NULL;
    REQUIRE_OK(cmr_watcher_create(&watcher));
    if (mount) REQUIRE_FINE(cmr_watcher_add_mount(watcher, mount, &error), error);
    return watcher;
}

void start(cmr_watcher *watcher)
{
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE_FINE(cmr_watcher_start(watcher, &error), error);
}

void await_version(cmr_watcher *watcher, uint64_t version)
{
    REQUIRE_OK(cmr_watcher_wait(watcher, version - 1, patience_ms(), NULL));
}

void await_rescans(cmr_watcher *watcher, uint64_t count)
{
    cmr_stats stats = CMR_STATS_INIT;
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    uint64_t before = stats.rescans;
    EVENTUALLY(cmr_watcher_stats(watcher, &stats) == CMR_OK && stats.rescans >= before + count);
}

uint64_t reload(cmr_watcher *watcher)
{
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = 0;
    REQUIRE_FINE(cmr_watcher_reload(watcher, patience_ms(), &version, &error), error);
    return version;
}

const char *current_text(cmr_watcher *watcher, const char *path)
{
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const char *found = NULL;
    cmr_status status;
    if (!snapshot) return "<no snapshot>";
    status = cmr_snapshot_string(snapshot, path, &found, NULL);
    found = status == CMR_OK ? text("%s", found) : text("<%s>", cmr_status_name(status));
    cmr_snapshot_release(snapshot);
    return found;
}

const char *library_path(void)
{
    Dl_info info;
    union { const char *(*function)(void); void *address; } symbol = {cmr_version};
    REQUIRE(dladdr(symbol.address, &info) != 0);
    return info.dli_fname;
}

/* ---- Waiting ---- */

static struct timespec deadline(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += patience_ms() / 1000;
    return time;
}

void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->opened++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

bool gate_wait(struct gate *gate, int times)
{
    struct timespec until = deadline();
    bool open;
    pthread_mutex_lock(&gate->lock);
    while (gate->opened < times)
        if (pthread_cond_timedwait(&gate->changed, &gate->lock, &until) == ETIMEDOUT) break;
    open = gate->opened >= times;
    pthread_mutex_unlock(&gate->lock);
    return open;
}

void recorder_init(struct recorder *recorder)
{
    memset(recorder, 0, sizeof *recorder);
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->changed, NULL);
}

void recorder_free(struct recorder *recorder)
{
    for (size_t index = 0; index < recorder->count; index++) {
        cmr_snapshot_release(recorder->events[index]->snapshot);
        cmr_snapshot_release(recorder->events[index]->previous);
        free(recorder->events[index]->changes);
        free(recorder->events[index]);
    }
    free(recorder->events);
    pthread_cond_destroy(&recorder->changed);
    pthread_mutex_destroy(&recorder->lock);
}

static char *describe_changes(const cmr_event *event)
{
    char *result = NULL;
    size_t size;
    FILE *stream = open_memstream(&result, &size);
    for (size_t index = 0; index < event->change_count; index++) {
        const cmr_change *change = &event->changes[index];
        char sign = change->kind == CMR_CHANGE_ADDED ? '+'
        : change->kind == CMR_CHANGE_REMOVED ? '-'
                  : change->kind == CMR_CHANGE_MODIFIED ? '~' : '?';
        fprintf(stream, "%s%c%s", index ? " " : "", sign, change->key);
    }
    fclose(stream);
    return result;
}

void hear(void *context, const cmr_event *event)
{
    struct recorder *recorder = context;
    struct heard *heard = malloc(sizeof *heard);
    *heard = (struct heard){
        .kind = event->kind, .cause = event->cause, .struct_size = event->struct_size,
        .version = event->version,
        .snapshot = cmr_snapshot_retain(event->snapshot),
        .previous = cmr_snapshot_retain(event->previous),
        .changes = describe_changes(event), .has_error = event->error != NULL,
        .violation_count = event->violation_count, .thread = pthread_self(),
    };
    if (event->error) heard->error = *event->error;
    pthread_mutex_lock(&recorder->lock);
    recorder->overlapped |= recorder->running++ != 0;
    recorder->events = realloc(recorder->events, (recorder->count + 1) * sizeof(struct heard *));
    recorder->events[recorder->count++] = heard;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
    sched_yield(); /* an overlapping call gets its chance */
    pthread_mutex_lock(&recorder->lock);
    recorder->running--;
    pthread_mutex_unlock(&recorder->lock);
}

bool await_events(struct recorder *recorder, size_t count)
{
    struct timespec until = deadline();
    bool there;
    pthread_mutex_lock(&recorder->lock);
    while (recorder->count < count)
        if (pthread_cond_timedwait(&recorder->changed, &recorder->lock, &until) == ETIMEDOUT) break;
    there = recorder->count >= count;
    pthread_mutex_unlock(&recorder->lock);
    return there;
}

size_t await_kind(struct recorder *recorder, uint32_t kind, size_t from)
{
    struct timespec until = deadline();
    size_t found = SIZE_MAX;
    pthread_mutex_lock(&recorder->lock);
    for (;;) {
        for (size_t index = from; index < recorder->count && found == SIZE_MAX; index++)
            if (recorder->events[index]->kind == kind) found = index;
        if (found != SIZE_MAX) break;
        if (pthread_cond_timedwait(&recorder->changed, &recorder->lock, &until) == ETIMEDOUT) break;
    }
    pthread_mutex_unlock(&recorder->lock);
    return found;
}

struct heard *event_at(struct recorder *recorder, size_t index)
{
    REQUIRE(await_events(recorder, index + 1));
    pthread_mutex_lock(&recorder->lock);
    struct heard *heard = recorder->events[index];
    pthread_mutex_unlock(&recorder->lock);
    return heard;
}

uint64_t record(cmr_watcher *watcher, struct recorder *recorder)
{
    uint64_t id = 0;
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, hear, recorder, &id, NULL));
    return id;
}

/* ---- Running ---- */

/* Where a test says why it was skipped: shared by the two processes. */
static int shared;

static void share(int descriptor)
{
    shared = descriptor;
    reason_to_skip = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (shared < 0 || reason_to_skip == MAP_FAILED) exit(EXIT_FAILED);
}

/* The child: its exit runs the leak check where there is one. */
static void run_child(const struct test *test)
{
    alarm((unsigned)(patience_ms() / 1000 * 6));
    setvbuf(stdout, NULL, _IOLBF, 0);
    test->run();
    fflush(NULL);
    exit(failures ? EXIT_FAILED : EXIT_SUCCESS);
}

/* The child becomes this program again: of a fork alone the full Swift runtime keeps the number of
 * the parent's thread, and then two threads that initialise the same thing wait for each other for
 * ever. Valgrind would not follow it, and runs what has no such runtime.
 */
static void become_child(const struct test *test)
{
    char descriptor[16];
    if (getenv("ABITEST_FORK_ONLY")) run_child(test);
    snprintf(descriptor, sizeof descriptor, "%d", shared);
    execl("/proc/self/exe", program_name, "--child", test->sentence, directory, descriptor,
          (char *)NULL);
    perror(program_name);
    _exit(EXIT_FAILED);
}

/* The other end of become_child. */
static void run_as_child(char **words)
{
    snprintf(directory, sizeof directory, "%s", words[1]);
    share(atoi(words[2]));
    close(shared);
    for (struct test *test = tests; test; test = test->next)
        if (strcmp(test->sentence, words[0]) == 0) run_child(test);
}

static const char *outcome(int status)
{
    static char words[64];
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED) return "";
    if (WIFEXITED(status)) snprintf(words, sizeof words, " (exit status %d)", WEXITSTATUS(status));
    else if (WTERMSIG(status) == SIGALRM) snprintf(words, sizeof words,
                                                   " (still running at the deadline)");
    else snprintf(words, sizeof words, " (signal %d, %s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    return words;
}

/* The time that a test took is printed when it is long enough to be worth looking at. */
static bool run_test(const struct test *test, int *skipped)
{
    struct timespec begun, ended;
    int status = -1;
    pid_t child;
    snprintf(directory, sizeof directory, "/tmp/abitest.XXXXXX");
    if (!mkdtemp(directory)) return false;
    fflush(NULL);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    child = fork();
    if (child == 0) become_child(test);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    clock_gettime(CLOCK_MONOTONIC, &ended);
    remove_all(directory);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
        ++*skipped;
        printf("SKIPPED %s: %s: %s\n", program_name, test->sentence, reason_to_skip);
        return true;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
        double seconds = (double)(ended.tv_sec - begun.tv_sec)
                       + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
        printf("ok    %s: %s", program_name, test->sentence);
        if (seconds > 1) printf(" (%.1f s)", seconds);
        putchar('\n');
        return true;
    }
    printf("FAIL  %s: %s%s\n", program_name, test->sentence, outcome(status));
    return false;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    program_name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 5 && strcmp(argv[1], "--child") == 0) run_as_child(argv + 2);
    share(memfd_create("abitest", 0));
    if (ftruncate(shared, 4096) != 0) return 1;
    for (struct test *test = tests; test; test = test->next) {
        if (argc > 1 && strcmp(argv[1], "--list") == 0) {
            printf("%s: %s\n", program_name, test->sentence);
            continue;
        }
        if (argc > 1 && !strstr(test->sentence, argv[1])) continue;
        if (run_test(test, &skipped)) passed++;
        else failed++;
    }
    if (argc > 1 && strcmp(argv[1], "--list") == 0) return 0;
    printf("%d passed, %d failed", passed - skipped, failed);
    if (skipped) printf(", %d skipped", skipped);
    printf(" (%s)\n", program_name);
    return failed ? 1 : 0;
}
