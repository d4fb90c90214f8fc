/* CMR_OPTION_SENSITIVE: of a secret that is gone nothing is left in the memory of the process. The
 * secrets stand here masked, and are unmasked only in children that write them where the library
 * reads: what this process finds of them in its memory is the library's.
 */
#include "abitest.h"

#include <sys/mman.h>

enum {
    MASK = 0x5a,
    LONG = 40,           /* bytes of a secret */
    TRACE = 8,           /* so many in a row are a trace of it */
    MOST = 64 << 20,     /* mappings beyond that are sanitizers' */
    WINDOW = 1 << 20,
};

/* Random bytes in a text's range; masked, they are no text. */
static const unsigned char masked[LONG + 1] = {
    0x2b, 0x6d, 0x0e, 0x3c, 0x16, 0x62, 0x2f, 0x37, 0x0b, 0x6a, 0x3e, 0x1d, 0x28, 0x6c, 0x13, 0x00,
    0x2d, 0x69, 0x10, 0x38, 0x0c, 0x6f, 0x31, 0x1b, 0x36, 0x6e, 0x0f, 0x2a, 0x14, 0x68, 0x3b, 0x09,
    0x32, 0x63, 0x1e, 0x2e, 0x02, 0x6b, 0x35, 0x11, 0x5a};

/* Another one, a number, of which the bits are looked for and not the digits. */
static const uint64_t masked_number = 7205759403792794321u ^ UINT64_MAX;
static const char digits[] = "7205759403792794321";

static void unmask(char *text)
{
    for (size_t index = 0; index <= LONG; index++) text[index] = (char)(masked[index] ^ MASK);
}

/* Tools that keep copies of memory in the process would be taken for the library. */
static void skip_beside_other_keepers(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded && strstr(preloaded, "vgpreload"))
        test_skip("what valgrind keeps cannot be told from what the library keeps");
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    test_skip("what ThreadSanitizer keeps cannot be told from what the library keeps");
#endif
#endif
}

/* Publishes, in a process of its own, a file in whose content $ stands for the secret and @ for the
 * number. */
static void publish_secret(const char *mount, const char *key, const char *content)
{
    int status = -1;
    skip_beside_other_keepers();
    pid_t child = fork();
    if (child == 0) {
        char secret[LONG + 1], whole[4096] = "";
        unmask(secret);
        for (const char *from = content; *from; from++) {
            size_t used = strlen(whole);
            if (*from == '$') snprintf(whole + used, sizeof whole - used, "%s", secret);
            else if (*from == '@') snprintf(whole + used, sizeof whole - used, "%s", digits);
            else whole[used] = *from;
        }
        const cmr_file file = {key, whole, strlen(whole), 0, 0};
        _exit(cmr_mount_write(mount, &file, 1, NULL) == CMR_OK ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- Looking for traces ---- */

static bool is_secret(const unsigned char *bytes, size_t from)
{
    for (size_t index = 0; index < TRACE; index++)
        if (bytes[index] != (masked[from + index] ^ MASK)) return false;
    return true;
}

static bool is_number(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word == (masked_number ^ UINT64_MAX);
}

static size_t traces_in(const unsigned char *bytes, size_t size)
{
    /* The first byte decides nearly always. */
    static size_t places[256][LONG], counts[256];
    size_t found = 0;
    if (!counts[masked[0] ^ MASK])
        for (size_t from = 0; from + TRACE <= LONG; from++)
            places[masked[from] ^ MASK][counts[masked[from] ^ MASK]++] = from;
    for (size_t at = 0; at + TRACE <= size; at++) {
        for (size_t index = 0; index < counts[bytes[at]]; index++)
            found += is_secret(bytes + at, places[bytes[at]][index]);
        found += at % 8 == 0 && is_number(bytes + at);
    }
    return found;
}

/* How many traces of the secret there are in what this process can write to. */
static size_t traces(void)
{
    static unsigned char *window;
    char line[512];
    size_t found = 0;
    skip_beside_other_keepers();
    /* Shared, so that it is a mapping of its own, and can be told from the others. */
    if (!window)
        window = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    REQUIRE(window != MAP_FAILED && maps && memory >= 0);
    while (fgets(line, sizeof line, maps)) {
        uint64_t begin, end;
        char writable;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%c", &begin, &end, &writable) != 3) continue;
        if (writable != 'w' || end - begin > MOST || begin == (uintptr_t)window) continue;
        for (uint64_t at = begin; at + TRACE <= end; at += WINDOW - TRACE) {
            size_t size = end - at < WINDOW ? end - at : WINDOW;
            ssize_t got = pread(memory, window, size, (off_t)at);
            if (got > 0) found += traces_in(window, (size_t)got);
        }
    }
    memset(window, 0, WINDOW);
    close(memory);
    fclose(maps);
    return found;
}

/* Whether all traces go, now or as soon as the library's thread has tidied up. */
static bool leaves_nothing(void)
{
    for (int round = 0; round < 100; round++) {
        if (traces() == 0) return true;
        poll(NULL, 0, 1);
    }
    return false;
}

static cmr_watcher *sensitive_watcher(const char *mount)
{
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SENSITIVE, 1));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_HISTORY, 0));
    return watcher;
}

/* ---- Tests ---- */

TEST("of a secret that was replaced nothing is left, whatever it was read as")
{
    static const struct { const char *key, *content; } forms[] = {
        {"token", "$"}, {"token", "  $\n"}, {"a.json", "{\"password\": \"$\"}"},
        {"a.json", "{\"\\u0070assword\": \"\\u0041$\", \"$\": [\"$\", {\"$\": \"$\"}]}"},
        {"a.json", "{\"$\": 1, \"$\": 2}"}, {"number", "@"}, {"n.json", "[@]"},
        {"a.yaml", "password: $\n"}, {"a.yaml", "\"$\": ['$', \"\\u0041$\", $ $]\n? x\n: @\n"},
        {"a.yaml", "# $\n--- \nfolded: >-\n  $\n  $\n\nkept: &$ |+\n  $\n\nagain: *$\n...\n"},
        {"a.yaml", "%TAG !e! tag:$,2000:\n--- \n- !!str $\n- {$: $, x: [$]}\n- !!binary $\n"},
        {"a.toml", "password = \"\\u0041$\"\n[$]\n\"$\" = ['$', \"\"\"\n$\"\"\"]\npin = @\n"},
        {"a.properties", "$ : \\u0041$ \\\n  $\n# $\n"},
        {"a.env", "A=\"$\\n$\"\nexport B='$' # $\nC=$\n"},
        {"a.ini", "[$]\n$ = $\n; $\n"},
    };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = sensitive_watcher(mount);
    PUBLISH(mount, FILE_TEXT("token", "none"));
    start(watcher);
    CHECK_INT(traces(), 0);
    for (size_t index = 0; index < sizeof forms / sizeof *forms; index++) {
        about("%s", forms[index].content);
        publish_secret(mount, forms[index].key, forms[index].content);
        uint64_t version = reload(watcher);
        CHECK(traces() > 0);
        PUBLISH(mount, FILE_TEXT("token", "none"));
        CHECK_INT(reload(watcher), version + 1);
        CHECK(leaves_nothing());
    }
    cmr_watcher_destroy(watcher);
}

TEST("of a secret that was current at the end nothing is left when all is released")
{
    const char *mount = new_mount("mount");
    publish_secret(mount, "a.json", "{\"password\": \"$\", \"pin\": @}");
    cmr_watcher *watcher = sensitive_watcher(mount);
    cmr_reader *reader = NULL;
    const cmr_cell *cell = NULL;
    REQUIRE_OK(cmr_watcher_bind_int64(watcher, "a.json#/pin", 0, &cell));
    REQUIRE_OK(cmr_reader_create(watcher, &reader));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK(cmr_reader_current(reader) == snapshot);
    CHECK(cmr_cell_int64(cell) != 0);
    cmr_watcher_destroy(watcher);
    CHECK(traces() > 0);
    cmr_snapshot_release(snapshot);
    CHECK(traces() > 0);
    cmr_reader_destroy(reader);
    CHECK(leaves_nothing());
}

TEST("what the history has is kept, and goes with it")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SENSITIVE, 1));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_HISTORY, 1));
    publish_secret(mount, "token", "$");
    start(watcher);
    PUBLISH(mount, FILE_TEXT("token", "2"));
    CHECK_INT(reload(watcher), 2);
    CHECK_INT(reload(watcher), 2);
    CHECK(traces() > 0);
    PUBLISH(mount, FILE_TEXT("token", "3"));
    CHECK_INT(reload(watcher), 3);
    CHECK(leaves_nothing());
    cmr_watcher_destroy(watcher);
}

TEST("of a secret that was rejected, or did not let the watcher start, nothing is left")
{
    static const struct { const char *key, *content; } broken[] = {
        {"a.json", "{\"password\": \"$\""}, {"a.json", "[\"$\\x\"]"}, {"a.json", "{\"$\" 1}"},
        {"a.json", "[@, @"}, {"a.json", "$"}, {"a.yaml", "$: \"$ \\u0041$\n"},
        {"a.yaml", "$: 1\n$: 2\n"}, {"a.yaml", "&$ [*$, $]\n"}, {"a.yaml", "- !e!$ $\n"},
        {"a.yaml", "$: |\n  $\n $\n"}, {"a.toml", "a = \"$\\u0041\n\"\n"},
        {"a.toml", "$ = 1\n$ = @\n"},
        {"a.properties", "$=$\\uzzzz\n"}, {"a.env", "$=\"$\n"}, {"a.ini", "$=$\n[$\n"},
    };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = sensitive_watcher(mount);
    publish_secret(mount, "a.json", "[\"$\"");
    CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_PARSE);
    CHECK(leaves_nothing());
    PUBLISH(mount, FILE_TEXT("a.json", "[]"));
    start(watcher);
    for (size_t index = 0; index < sizeof broken / sizeof *broken; index++) {
        about("%s", broken[index].content);
        publish_secret(mount, broken[index].key, broken[index].content);
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
        CHECK(leaves_nothing());
    }
    cmr_watcher_destroy(watcher);
}

TEST("of a default nothing is left, though it was added before the watcher was told")
{
    cmr_watcher *watcher = new_watcher(NULL);
    static char secret[LONG + 1]; /* on the stack copies of it could lie beside it */
    unmask(secret);
    REQUIRE_OK(cmr_watcher_add_default(watcher, "token", secret, LONG, NULL));
    for (int index = 0; index < 100; index++)
        REQUIRE_OK(cmr_watcher_add_default(watcher, text("key%d", index), secret, LONG, NULL));
    explicit_bzero(secret, sizeof secret);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SENSITIVE, 1));
    start(watcher);
    CHECK(traces() > 0);
    cmr_watcher_destroy(watcher);
    CHECK(leaves_nothing());
}

TEST("JSON that was given to the caller is wiped by cmr_free, in any watcher")
{
    for (int sensitive = 0; sensitive < 2; sensitive++) {
        const char *mount = new_mount(text("mount%d", sensitive));
        cmr_watcher *watcher = new_watcher(mount);
        char *json = NULL;
        size_t size = 0;
        REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SENSITIVE, sensitive));
        publish_secret(mount, "a.json", "{\"$\": [\"$\", \"$\", \"$\", \"$\", \"$\"]}");
        start(watcher);
        const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
        size_t before = traces();
        REQUIRE_OK(cmr_snapshot_json(snapshot, "", &json, &size));
        CHECK(traces() > before);
        cmr_free(json);
        CHECK_INT(traces(), before);
        cmr_snapshot_release(snapshot);
        cmr_watcher_destroy(watcher);
    }
}

TEST("writing a mount leaves nothing of what was there before in memory")
{
    const char *mount = new_mount("mount");
    publish_secret(mount, "token", "$");
    PUBLISH(mount, FILE_TEXT("token", "0123456789012345678901234567890123456789"));
    CHECK_INT(traces(), 0);
}

/* ---- What is told ---- */

struct lines {
    pthread_mutex_t lock;
    char text[1 << 14];
};

static void keep_line(void *context, int32_t level, const char *message, size_t size)
{
    struct lines *lines = context;
    (void)level;
    pthread_mutex_lock(&lines->lock);
    size_t used = strlen(lines->text);
    if (used + size + 2 < sizeof lines->text)
        snprintf(lines->text + used, sizeof lines->text - used, "%s\n", message);
    pthread_mutex_unlock(&lines->lock);
}

/* What is logged is logged after everybody was told. */
static bool was_logged(struct lines *lines, const char *words)
{
    pthread_mutex_lock(&lines->lock);
    bool found = strstr(lines->text, words) != NULL;
    pthread_mutex_unlock(&lines->lock);
    return found;
}

TEST("the checksum is in no metric and no log line, everything else is told")
{
    static struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static char metrics[1 << 14];
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = sensitive_watcher(mount), *open = new_watcher(mount);
    size_t size = 0;
    CHECK_OK(cmr_set_log_handler(keep_line, &lines, CMR_LOG_DEBUG));
    publish_secret(mount, "token", "$");
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    const char *checksum = cmr_snapshot_checksum(snapshot);
    CHECK_OK(cmr_watcher_metrics(watcher, metrics, sizeof metrics, &size));
    CHECK(strstr(metrics, "checksum=") == NULL);
    CHECK(strstr(metrics, text("config_info{generation=\"%s\"} 1\n",
                               cmr_snapshot_generation(snapshot))) != NULL);
    /* Another watcher is not, and says so with the same checksum. */
    start(open);
    CHECK_OK(cmr_watcher_metrics(open, metrics, sizeof metrics, &size));
    CHECK(strstr(metrics, checksum) != NULL);
    publish_secret(mount, "a.json", "{\"$\": \"$\"");
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
    CHECK(lines.text[0] != '\0');
    CHECK(strstr(lines.text, checksum) == NULL);
    CHECK_INT(traces_in((const unsigned char *)lines.text, sizeof lines.text), 0);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
    cmr_watcher_destroy(open);
}

/* What a subscriber was told of the newest rejection. */
struct told {
    struct gate rejected;
    char path[64], text[1 << 12];
};

static void note(void *context, const cmr_event *event)
{
    struct told *told = context;
    if (event->kind != CMR_EVENT_REJECTED) return;
    CHECK(event->violation_count > 0);
    snprintf(told->path, sizeof told->path, "%s", event->violations->instance_path);
    snprintf(told->text, sizeof told->text, "%s %s\n", event->error->key, event->error->message);
    for (size_t index = 0; index < event->violation_count; index++) {
        const cmr_violation *violation = event->violations + index;
        size_t used = strlen(told->text);
        snprintf(told->text + used, sizeof told->text - used, "%s %s %s %s %s\n", violation->key,
                 violation->instance_path, violation->schema_path, violation->keyword,
                 violation->expected);
    }
    gate_open(&told->rejected);
}

static size_t traces_in_text(const char *text)
{
    return traces_in((const unsigned char *)text, strlen(text));
}

TEST("of names that a schema rejected nothing is told, and nothing is left")
{
    /* The place is told with * for each name; that the schema names is in its own path. */
    static const struct { const char *path, *schema, *key, *content, *place, *rule; } rejected[] = {
        {"a.json", "{\"additionalProperties\": {\"type\": \"string\"}}",
         "a.json", "{\"$\": 1}", "/*", "/additionalProperties/type"},
        {"a.json", "{\"properties\": {\"o\": {\"additionalProperties\": false}}}",
         "a.json", "{\"o\": {\"$\": 1, \"$$\": 2}}", "/*/*",
         "/properties/o/additionalProperties"},
        {"a.json", "{\"items\": {\"properties\": {\"a\": true}, \"unevaluatedProperties\": false}}",
         "a.json", "[{}, {\"a\": \"$\", \"$\": [\"$\"]}]", "/1/*",
         "/items/unevaluatedProperties"},
        {"a.json", "{\"propertyNames\": {\"maxLength\": 8, \"pattern\": \"^[a-z]$\"}}",
         "a.json", "{\"$\": \"$\", \"\\u0041$\": {\"$\": 2}}", "/*", "/propertyNames/maxLength"},
        {"a.json#/x", "{\"patternProperties\": {\"\": {\"uniqueItems\": true}}}",
         "a.json", "{\"x\": {\"$\": [{\"$\": \"$\"}, {\"$\": \"$\"}]}}", "/*/*",
         "/patternProperties//uniqueItems"},
        {"a.yaml", "{\"additionalProperties\": {\"enum\": [{\"a\": 1}, 2, 3]}}",
         "a.yaml", "$: {$: $}\n", "/*", "/additionalProperties/enum"},
        {"a.toml", "{\"additionalProperties\": {\"const\": {\"a\": {\"b\": 1}}}}",
         "a.toml", "[$.$]\n\"$\" = 1\n", "/*", "/additionalProperties/const"},
        {"", "{\"properties\": {\"a.env\": {\"additionalProperties\": {\"type\": \"integer\"}}}}",
         "a.env", "A$=$\n", "/*", "/properties/a.env/additionalProperties/type"},
    };
    static struct told told = {.rejected = GATE_INIT};
    static struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static cmr_error error = CMR_ERROR_INIT;
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = sensitive_watcher(mount);
    REQUIRE_OK(cmr_set_log_handler(keep_line, &lines, CMR_LOG_DEBUG));
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, 0, note, &told, NULL, NULL));
    PUBLISH(mount, FILE_TEXT("token", "none"));
    start(watcher);
    for (size_t index = 0; index < sizeof rejected / sizeof *rejected; index++) {
        const char *path = rejected[index].path, *schema = rejected[index].schema;
        char *json = NULL;
        size_t size = 0;
        about("%s", schema);
        REQUIRE_OK(cmr_watcher_set_schema(watcher, path, schema, strlen(schema), NULL));
        publish_secret(mount, rejected[index].key, rejected[index].content);
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_REJECTED);
        REQUIRE(gate_wait(&told.rejected, (int)index + 1));
        REQUIRE_OK(cmr_watcher_violations(watcher, &json, &size));
        CHECK_TEXT(told.path, rejected[index].place);
        CHECK(strstr(error.message, text(" at %s: ", told.path)) != NULL);
        EVENTUALLY(was_logged(&lines, error.message));
        CHECK(strstr(json, text("\"instance_path\":\"%s\"", told.path)) != NULL);
        CHECK(strstr(json, text("\"schema_path\":\"%s\"", rejected[index].rule)) != NULL);
        CHECK_INT(traces_in_text(told.text), 0);
        CHECK_INT(traces_in_text(error.message), 0);
        CHECK_INT(traces_in_text(lines.text), 0);
        CHECK_INT(traces_in_text(json), 0);
        cmr_free(json);
        CHECK(leaves_nothing());
        PUBLISH(mount, FILE_TEXT("token", "none"));
        CHECK_INT(reload(watcher), 1);
        REQUIRE_OK(cmr_watcher_set_schema(watcher, path, NULL, 0, NULL));
    }
    CHECK_OK(cmr_set_log_handler(NULL, NULL, 0));
    cmr_watcher_destroy(watcher);
}

TEST("of names that did not let the watcher start, or a schema be set, nothing is left")
{
    static const char schema[] = "{\"properties\": {\"o\": {\"additionalProperties\": false}}}";
    static cmr_error error = CMR_ERROR_INIT;
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = sensitive_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "a.json", schema, strlen(schema), NULL));
    publish_secret(mount, "a.json", "{\"o\": {\"$\": \"$\"}}");
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_REJECTED);
    CHECK(strstr(error.message, " at /*/*: ") != NULL);
    CHECK(leaves_nothing());
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "a.json", NULL, 0, NULL));
    start(watcher);
    CHECK(traces() > 0);
    CHECK_STATUS(cmr_watcher_set_schema(watcher, "a.json", schema, strlen(schema), &error),
                 CMR_E_REJECTED);
    CHECK(strstr(error.message, " at /*/*: ") != NULL);
    PUBLISH(mount, FILE_TEXT("token", "none"));
    CHECK_INT(reload(watcher), 2);
    CHECK(leaves_nothing());
    cmr_watcher_destroy(watcher);
}
