/* Memory that is refused: every step of a watcher's life is taken with its first allocation
 * refused, with its second, and so on until none is left to refuse; and then with all from the
 * first on, from the second on. A step that goes without memory says so or does what it is for;
 * otherwise all that invariants.h says holds.
 */
#include "../ABITests/abitest.h"
#include "invariants.h"

/* A check of one of the invariants. */
#define HOLDS(invariant, condition) \
    check_true((condition), __FILE__, __LINE__, invariant ": " #condition)

/* ---- Refusing ---- */

/* A sweep over the allocations of one step. */
struct sweep {
    int nth;      /* the allocation that is refused, counted from 1 */
    bool onwards; /* all after it too */
    bool refused; /* there was such an allocation */
    cmr_status status;
    int steps;
};

static struct sweep *sweeping; /* NULL: nothing is refused */
static int asked;

/* What the library asks (refusal.c), on any of its threads. */
bool refuses_memory(void)
{
    struct sweep *sweep = __atomic_load_n(&sweeping, __ATOMIC_ACQUIRE);
    if (!sweep) return false;
    int number = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    bool refuses = sweep->onwards ? number >= sweep->nth : number == sweep->nth;
    if (refuses) __atomic_store_n(&sweep->refused, true, __ATOMIC_RELAXED);
    return refuses;
}

static void begin_refusing(struct sweep *sweep)
{
    asked = 0;
    sweep->refused = false;
    __atomic_store_n(&sweeping, sweep, __ATOMIC_RELEASE);
}

static void end_refusing(void) { __atomic_store_n(&sweeping, NULL, __ATOMIC_RELEASE); }

/* Takes a step within a sweep. */
#define WITHOUT_MEMORY(sweep, call) \
    do { \
        begin_refusing(sweep); \
        (sweep)->status = (call); \
        end_refusing(); \
        (sweep)->steps++; \
        if (!(sweep)->refused) HOLDS(AGAIN, (sweep)->status == CMR_OK); \
        else if ((sweep)->status != CMR_OK) HOLDS(ANSWER, (sweep)->status == CMR_E_NO_MEMORY); \
    } while (0)

/* Whether there is a further step to take: for (struct sweep sweep = {0}; goes_on(&sweep, "…");) */
static bool goes_on(struct sweep *sweep, const char *what)
{
    if (sweep->nth > 0 && !sweep->refused) {
        if (sweep->onwards) {
            /* Two of them refused nothing. */
            about("%s", what);
            CHECK(sweep->steps > 2);
            return false;
        }
        sweep->onwards = true;
        sweep->nth = 0;
    }
    sweep->nth++;
    about("%s, refused allocation %d%s", what, sweep->nth, sweep->onwards ? " and all after" : "");
    return true;
}

/* A step that failed says why. */
static void check_error(const struct sweep *sweep, const cmr_error *error)
{
    if (sweep->status == CMR_OK) return;
    HOLDS(ANSWER, error->status == sweep->status);
    HOLDS(ANSWER, error->message[0] != '\0');
}

/* ---- Content ---- */

enum { ROOM = 64 << 10 };

/* A value of each format, with all that its parser needs memory for: a head with a number at
 * /first, then lines that get their own number and that one. libyaml asks for each token. */
static const struct form {
    const char *key;
    int lines;
    const char *head, *line, *tail;
} forms[] = {
    {"text", 150, "first %d\n", "line %d of %d\n", ""},
    {"a.json", 150, "{\"first\": %d",
     ",\n\"k%d\": [%d, 0.5, \"\\u00e9\", {\"in\": {\"k\": []}}]", "}"},
    {"a.yaml", 8, "%%YAML 1.2\n%%TAG !e! tag:example.com,2000:\n---\nfirst: %d\n",
     "\"k%d\":\n  - &a%d >-\n    folded\n    text\n  - {a: [b, 'c', *a%2$d], d: !!str 1}\n"
     "  - ? plain\n      key\n    : \"\\u00e9 escaped\n      and continued\"\n",
     "...\n"},
    {"a.toml", 150, "first = %d\n",
     "[table%d.\"in\"]\na.b = [%d, 1.5, {c = '''x'''}]\n[[many]]\n", ""},
    {"a.properties", 150, "first = %d\n", "k%d : %d \\\n   continued \\u00e9\n", ""},
    {"a.env", 150, "first=%d\n", "export K%d=\"%d \\\"quoted\\\"\n and continued\"\n", ""},
    {"a.ini", 150, "first = %d\n", "[section%d]\nkey = %d\n", ""},
};
enum { FORMS = sizeof forms / sizeof *forms };

/* One of its contents; the same until the next call. */
static const char *content(const struct form *form, int number)
{
    static char whole[ROOM];
    int used = snprintf(whole, sizeof whole, form->head, number);
    for (int line = 0; line < form->lines; line++)
        used += snprintf(whole + used, sizeof whole - (size_t)used, form->line, line, number);
    used += snprintf(whole + used, sizeof whole - (size_t)used, "%s", form->tail);
    REQUIRE(used < ROOM);
    return whole;
}

static void write_form(const char *folder, const struct form *form, int number)
{
    write_text(text("%s/%s", folder, form->key), content(form, number));
}

/* Whether the current snapshot holds exactly that content, parsed. */
static void check_current(cmr_watcher *watcher, const struct form *form, int number)
{
    const char *expected = content(form, number);
    const void *bytes = NULL;
    size_t size = 0;
    int64_t first = 0;
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_snapshot_bytes(snapshot, form->key, &bytes, &size));
    HOLDS(WHOLE, size == strlen(expected) && memcmp(bytes, expected, size) == 0);
    if (strchr(form->key, '.')) {
        CHECK_OK(cmr_snapshot_int64(snapshot, text("%s#/first", form->key), &first));
        HOLDS(WHOLE, first == number);
    }
    cmr_snapshot_release(snapshot);
}

/* The path of a new folder, which stays however many texts a sweep makes. */
static const char *new_folder(const char *name)
{
    static char paths[2 * FORMS][64];
    static int count;
    REQUIRE(count < 2 * FORMS);
    snprintf(paths[count], sizeof *paths, "%s", new_mount(name));
    return paths[count++];
}

/* A watcher on a plain directory that loads nothing by itself. */
static cmr_watcher *resting_watcher(const char *folder, bool sensitive)
{
    cmr_watcher *watcher = new_watcher(folder);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 3600 * 1000));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SENSITIVE, sensitive));
    return watcher;
}

/* ---- Loading ---- */

/* Takes reloads of new content until none is refused memory any more. With other sources beside the
 * folder one of them may lack memory, and what the folder holds is published all the same. */
static void sweep_reloads(cmr_watcher *watcher, const char *folder, const struct form *form,
                          bool is_alone)
{
    int number = 1;
    for (struct sweep sweep = {0}; goes_on(&sweep, form->key);) {
        uint64_t before = cmr_watcher_version(watcher), version = 0;
        cmr_error error = CMR_ERROR_INIT;
        write_form(folder, form, ++number);
        WITHOUT_MEMORY(&sweep, cmr_watcher_reload(watcher, patience_ms(), &version, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            bool is_published = !is_alone && cmr_watcher_version(watcher) == before + 1;
            if (!is_published) HOLDS(STAYS, cmr_watcher_version(watcher) == before);
            check_current(watcher, form, is_published ? number : number - 1);
            version = reload(watcher);
        }
        HOLDS(FORWARD, version == before + 1);
        check_current(watcher, form, number);
    }
}

TEST("a reload without memory changes nothing, and the next one succeeds, in every format")
{
    for (int index = 0; index < 2 * FORMS; index++) {
        const struct form *form = &forms[index / 2];
        const char *folder = new_folder(text("folder%d", index));
        cmr_watcher *watcher = resting_watcher(folder, index % 2 == 1);
        write_form(folder, form, 1);
        start(watcher);
        sweep_reloads(watcher, folder, form, true);
        cmr_watcher_destroy(watcher);
    }
}

TEST("a reload without memory changes nothing where sources are laid on each other")
{
    const struct form *form = &forms[1];
    const char *lower = new_folder("lower"), *folder = new_folder("folder");
    cmr_watcher *watcher = resting_watcher(lower, false);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, folder, NULL));
    REQUIRE_OK(cmr_watcher_add_default(watcher, "default", "1", 1, NULL));
    write_text(text("%s/below", lower), "1");
    write_form(lower, form, 0);
    write_form(folder, form, 1);
    start(watcher);
    sweep_reloads(watcher, folder, form, false);
    CHECK_TEXT(current_text(watcher, "default"), "1");
    CHECK_TEXT(current_text(watcher, "below"), "1");
    cmr_watcher_destroy(watcher);
}

TEST("a watcher that could not be set up or started for want of memory can be, afterwards")
{
    const char *mount = new_folder("mount");
    cmr_file files[FORMS];
    for (int index = 0; index < FORMS; index++) {
        const char *bytes = text("%s", content(&forms[index], 7));
        files[index] = (cmr_file){forms[index].key, bytes, strlen(bytes), 0, 0};
    }
    publish(mount, files, FORMS);
    setenv("FAULT_VARIABLE", "1", 1);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a start");) {
        static const char schema[] = "{\"required\": [\"a.json\"], \"propertyNames\": {}}";
        cmr_error error = CMR_ERROR_INIT;
        cmr_watcher *watcher = new_watcher(mount);
        REQUIRE_OK(cmr_watcher_add_environment(watcher, "FAULT_", NULL));
        REQUIRE_OK(cmr_watcher_add_default(watcher, "default", "1", 1, NULL));
        REQUIRE_OK(cmr_watcher_set_schema(watcher, "", schema, strlen(schema), NULL));
        WITHOUT_MEMORY(&sweep, cmr_watcher_start(watcher, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            CHECK_INT(cmr_watcher_version(watcher), 0);
            CHECK(cmr_watcher_acquire(watcher) == NULL);
            start(watcher);
        }
        CHECK_INT(cmr_watcher_version(watcher), 1);
        for (int index = 0; index < FORMS; index++) check_current(watcher, &forms[index], 7);
        CHECK_TEXT(current_text(watcher, "VARIABLE"), "1");
        cmr_watcher_destroy(watcher);
    }
}

static cmr_status parse_as_list(void *context, const char *key, const void *bytes, size_t size,
                                cmr_sink *json, cmr_error *error)
{
    (void)context, (void)key, (void)bytes, (void)error;
    cmr_status status = cmr_sink_write(json, "[0", 2);
    for (size_t index = 0; status == CMR_OK && index < size; index++)
        status = cmr_sink_write(json, ", 100000", 8);
    return status == CMR_OK ? cmr_sink_write(json, "]", 1) : status;
}

TEST("what is set while a watcher runs is set whole or not at all")
{
    static const char value[] = "[1, 2, {\"name\": \"x\"}]";
    const char *folder = new_folder("folder");
    cmr_watcher *watcher = resting_watcher(folder, false);
    write_text(text("%s/list", folder), value);
    start(watcher);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a format");) {
        cmr_error error = CMR_ERROR_INIT;
        WITHOUT_MEMORY(&sweep, cmr_watcher_set_format(watcher, "list", CMR_FORMAT_JSON, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            CHECK_TEXT(current_text(watcher, "list"), value);
            REQUIRE_OK(cmr_watcher_set_format(watcher, "list", CMR_FORMAT_JSON, NULL));
        }
        CHECK_TEXT(current_text(watcher, "list#/2/name"), "x");
        REQUIRE_OK(cmr_watcher_set_format(watcher, "list", CMR_FORMAT_TEXT, NULL));
    }
    for (struct sweep sweep = {0}; goes_on(&sweep, "a parser");) {
        cmr_error error = CMR_ERROR_INIT;
        WITHOUT_MEMORY(&sweep,
                       cmr_watcher_set_parser(watcher, "list", parse_as_list, NULL, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            CHECK_TEXT(current_text(watcher, "list"), value);
            REQUIRE_OK(cmr_watcher_set_parser(watcher, "list", parse_as_list, NULL, NULL));
        }
        CHECK_TEXT(current_text(watcher, "list#/0"), "<CMR_E_TYPE>");
        REQUIRE_OK(cmr_watcher_set_format(watcher, "list", CMR_FORMAT_TEXT, NULL));
    }
    for (struct sweep sweep = {0}; goes_on(&sweep, "a cell");) {
        const cmr_cell *cell = NULL;
        /* A piece of memory holds many: enough of them that some step needs a new one. */
        for (int index = 0; index < 128; index++)
            CHECK_OK(cmr_watcher_bind_int64(watcher, "absent", sweep.steps * 1000 + index, &cell));
        begin_refusing(&sweep);
        cmr_status status = CMR_OK;
        for (int index = 128; index < 300 && status == CMR_OK; index++)
            status = cmr_watcher_bind_int64(watcher, "absent", sweep.steps * 1000 + index, &cell);
        end_refusing();
        sweep.steps++;
        CHECK_STATUS(status, sweep.refused ? CMR_E_NO_MEMORY : CMR_OK);
        CHECK_OK(cmr_watcher_bind_int64(watcher, "absent", sweep.steps * 1000 - 1, &cell));
        CHECK_INT(cmr_cell_int64(cell), sweep.steps * 1000 - 1);
    }
    for (struct sweep sweep = {0}; goes_on(&sweep, "a reader");) {
        cmr_reader *reader = NULL;
        WITHOUT_MEMORY(&sweep, cmr_reader_create(watcher, &reader));
        CHECK((sweep.status == CMR_OK) == (reader != NULL));
        cmr_reader_destroy(reader);
    }
    cmr_watcher_destroy(watcher);
}

/* ---- Rules ---- */

static const char inner_schema[] =
    "{\"$id\": \"https://example.com/inner\", \"$defs\": {\"name\": {\"type\": \"string\","
    " \"pattern\": \"^(a+|[b-d]{2,3}|\\\\p{Lu})+$\", \"minLength\": 1}},"
    " \"properties\": {\"names\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/name\"},"
    "  \"uniqueItems\": true, \"contains\": {\"const\": \"a\"}},"
    "  \"first\": {\"enum\": [0, 1, 2, 3, [4], {\"five\": 5}]}},"
    " \"patternProperties\": {\"^k[0-9]+$\": {\"anyOf\": [{\"type\": \"object\"},"
    "  {\"$dynamicRef\": \"#/$defs/name\"}]}}, \"dependentRequired\": {\"first\": [\"names\"]},"
    " \"unevaluatedProperties\": false}";
static const char whole_schema[] =
    "{\"type\": \"object\", \"properties\": {\"PORT\": {\"type\": \"integer\", \"minimum\": 1,"
    " \"maximum\": 65535}, \"a.json\": {\"$ref\": \"https://example.com/inner\"}},"
    " \"required\": [\"PORT\"], \"additionalProperties\": {\"maxLength\": 5}}";
static const char good_value[] =
    "{\"first\": 1, \"names\": [\"a\", \"bc\", \"aaa\", \"X\"], \"k1\": {}, \"k2\": \"a\"}";
static const char bad_value[] =
    "{\"first\": 9, \"names\": [\"bc\", \"bc\", \"e\", 1], \"k1\": [], \"k2\": \"e\", \"more\": 1}";

TEST("a schema that could not be set for want of memory can be, afterwards")
{
    const char *folder = new_folder("folder");
    write_text(text("%s/PORT", folder), "8080");
    write_text(text("%s/a.json", folder), good_value);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a schema added");) {
        cmr_watcher *watcher = new_watcher(folder);
        cmr_error error = CMR_ERROR_INIT;
        WITHOUT_MEMORY(&sweep, cmr_watcher_add_schema(watcher, "https://example.com/inner",
                                                      inner_schema, strlen(inner_schema), &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK)
            CHECK_OK(cmr_watcher_add_schema(watcher, "https://example.com/inner", inner_schema,
                                            strlen(inner_schema), NULL));
        CHECK_OK(cmr_watcher_set_schema(watcher, "", whole_schema, strlen(whole_schema), NULL));
        cmr_watcher_destroy(watcher);
    }
    cmr_watcher *watcher = resting_watcher(folder, false);
    REQUIRE_OK(cmr_watcher_add_schema(watcher, "https://example.com/inner", inner_schema,
                                      strlen(inner_schema), NULL));
    start(watcher);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a schema set");) {
        cmr_error error = CMR_ERROR_INIT;
        WITHOUT_MEMORY(&sweep, cmr_watcher_set_schema(watcher, "", whole_schema,
                                                      strlen(whole_schema), &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK)
            CHECK_OK(cmr_watcher_set_schema(watcher, "", whole_schema, strlen(whole_schema), NULL));
        write_text(text("%s/PORT", folder), "0");
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
        REQUIRE_OK(cmr_watcher_set_schema(watcher, "", NULL, 0, NULL));
        write_text(text("%s/PORT", folder), "8080");
        reload(watcher);
    }
    cmr_watcher_destroy(watcher);
}

static cmr_watcher *ruled_watcher(const char *folder)
{
    cmr_watcher *watcher = resting_watcher(folder, false);
    write_text(text("%s/PORT", folder), "8080");
    write_text(text("%s/a.json", folder), good_value);
    REQUIRE_OK(cmr_watcher_add_schema(watcher, "https://example.com/inner", inner_schema,
                                      strlen(inner_schema), NULL));
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "", whole_schema, strlen(whole_schema), NULL));
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "a.json", inner_schema, strlen(inner_schema), NULL));
    start(watcher);
    return watcher;
}

static const char *violations(cmr_watcher *watcher)
{
    char *json = NULL;
    size_t size = 0;
    REQUIRE_OK(cmr_watcher_violations(watcher, &json, &size));
    const char *copy = text("%s", json);
    cmr_free(json);
    return copy;
}

TEST("what is held to schemas without memory is not published, and passes when there is some")
{
    const char *folder = new_folder("folder");
    cmr_watcher *watcher = ruled_watcher(folder);
    int number = 8080;
    for (struct sweep sweep = {0}; goes_on(&sweep, "a reload that passes");) {
        uint64_t before = cmr_watcher_version(watcher);
        cmr_error error = CMR_ERROR_INIT;
        write_text(text("%s/PORT", folder), text("%d", ++number));
        write_text(text("%s/a.json", folder), text("%s\n%*s", good_value, number % 100, ""));
        WITHOUT_MEMORY(&sweep, cmr_watcher_reload(watcher, patience_ms(), NULL, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            HOLDS(STAYS, cmr_watcher_version(watcher) == before);
            CHECK_TEXT(current_text(watcher, "PORT"), text("%d", number - 1));
            reload(watcher);
        }
        CHECK_INT(cmr_watcher_version(watcher), before + 1);
        CHECK_TEXT(current_text(watcher, "PORT"), text("%d", number));
    }
    cmr_watcher_destroy(watcher);
}

TEST("violations are reported all of them, or there was no memory")
{
    const char *folder = new_folder("folder");
    cmr_watcher *watcher = ruled_watcher(folder);
    write_text(text("%s/PORT", folder), "-1");
    write_text(text("%s/a.json", folder), bad_value);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
    char *all = strdup(violations(watcher));
    CHECK(strlen(all) > 1000);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a reload that breaks rules");) {
        cmr_error error = CMR_ERROR_INIT;
        begin_refusing(&sweep);
        sweep.status = cmr_watcher_reload(watcher, patience_ms(), NULL, &error);
        end_refusing();
        sweep.steps++;
        check_error(&sweep, &error);
        if (sweep.status != CMR_E_NO_MEMORY || !sweep.refused) {
            CHECK_STATUS(sweep.status, CMR_E_REJECTED);
            CHECK_TEXT(violations(watcher), all);
        }
        CHECK_INT(cmr_watcher_version(watcher), 1);
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_REJECTED);
        CHECK_TEXT(violations(watcher), all);
    }
    for (struct sweep sweep = {0}; goes_on(&sweep, "a list of violations");) {
        char *json = NULL;
        size_t size = 0;
        WITHOUT_MEMORY(&sweep, cmr_watcher_violations(watcher, &json, &size));
        if (sweep.status == CMR_OK) CHECK_TEXT(json, all);
        cmr_free(json);
        CHECK_TEXT(violations(watcher), all);
    }
    CHECK_TEXT(current_text(watcher, "PORT"), "8080");
    cmr_watcher_destroy(watcher);
    free(all);
}

/* ---- Going back, telling, giving ---- */

struct told {
    uint64_t version;
    size_t calls;
};
static void note(void *context, const cmr_event *event)
{
    struct told *told = context;
    told->version = event->version;
    told->calls++;
}

TEST("who is told hears of each version, and going back goes back, whatever memory there is")
{
    const char *folder = new_folder("folder");
    const struct form *form = &forms[1];
    struct told told = {0, 0};
    cmr_watcher *watcher = resting_watcher(folder, false);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_MANUAL, note, &told, NULL, NULL));
    write_form(folder, form, 1);
    start(watcher);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a dispatch");) {
        size_t handled = 0;
        write_form(folder, form, sweep.steps + 2);
        uint64_t version = reload(watcher);
        WITHOUT_MEMORY(&sweep, cmr_watcher_dispatch(watcher, &handled));
        if (sweep.status != CMR_OK) REQUIRE_OK(cmr_watcher_dispatch(watcher, &handled));
        HOLDS(TOLD, handled == 1);
        HOLDS(TOLD, told.version == version);
    }
    for (struct sweep sweep = {0}; sweep.steps < 3; sweep.steps++) {
        /* It takes no memory but the library's own objects. */
        uint64_t before = cmr_watcher_version(watcher), version = 0;
        sweep.nth = 1;
        begin_refusing(&sweep);
        CHECK_OK(cmr_watcher_rollback(watcher, before - 1, &version, NULL));
        end_refusing();
        CHECK(!sweep.refused);
        CHECK_INT(version, before + 1);
    }
    cmr_watcher_destroy(watcher);
}

TEST("JSON is given whole or not at all")
{
    const char *folder = new_folder("folder");
    cmr_watcher *watcher = resting_watcher(folder, false);
    for (int index = 0; index < FORMS; index++) write_form(folder, &forms[index], 1);
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    char *all = NULL;
    size_t size = 0;
    REQUIRE_OK(cmr_snapshot_json(snapshot, "", &all, &size));
    for (struct sweep sweep = {0}; goes_on(&sweep, "JSON");) {
        char *json = NULL;
        size_t json_size = 0;
        WITHOUT_MEMORY(&sweep, cmr_snapshot_json(snapshot, "", &json, &json_size));
        if (sweep.status == CMR_OK) CHECK(json_size == size && memcmp(json, all, size) == 0);
        else CHECK(json == NULL);
        cmr_free(json);
    }
    cmr_free(all);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

TEST("a mount that could not be written for want of memory stays, and is written afterwards")
{
    const char *mount = new_folder("mount");
    PUBLISH(mount, FILE_TEXT("key", "0"), FILE_TEXT("deep/er/key", "0"));
    for (struct sweep sweep = {0}; goes_on(&sweep, "a write");) {
        char found[PATH_MAX], again[PATH_MAX];
        const char *value = text("%d", sweep.steps + 1);
        cmr_error error = CMR_ERROR_INIT;
        const cmr_file files[] = {{"key", value, strlen(value), 0, 0},
                                  {text("deep/er/key%d", sweep.steps), "1", 1, 0600, 0}};
        ssize_t before = readlink(text("%s/..data", mount), found, sizeof found);
        WITHOUT_MEMORY(&sweep, cmr_mount_write(mount, files, 2, &error));
        check_error(&sweep, &error);
        if (sweep.status != CMR_OK) {
            ssize_t after = readlink(text("%s/..data", mount), again, sizeof again);
            HOLDS(STAYS, after == before && memcmp(found, again, (size_t)after) == 0);
            REQUIRE_OK(cmr_mount_write(mount, files, 2, NULL));
        }
        cmr_watcher *watcher = new_watcher(mount);
        start(watcher);
        CHECK_TEXT(current_text(watcher, "key"), value);
        const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
        CHECK_INT(cmr_snapshot_count(snapshot), 2);
        cmr_snapshot_release(snapshot);
        cmr_watcher_destroy(watcher);
    }
}

/* ---- In a child ---- */

/* Takes the step in a child of a watcher that runs: was something refused? 2 for a failure. */
static int go_on_in_a_child(cmr_watcher *watcher, struct sweep *sweep, const char *expected)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        int failures = test_failures();
        HOLDS(CHILD, strcmp(current_text(watcher, "key"), expected) == 0);
        WITHOUT_MEMORY(sweep, cmr_after_fork_child());
        if (sweep->status != CMR_OK) HOLDS(AGAIN, cmr_after_fork_child() == CMR_OK);
        reload(watcher);
        cmr_watcher_destroy(watcher);
        _exit(test_failures() > failures ? 2 : sweep->refused);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST("a child that could not go on for want of memory can, afterwards")
{
    const char *folder = new_folder("folder");
    cmr_watcher *watcher = resting_watcher(folder, false);
    write_text(text("%s/key", folder), "1");
    start(watcher);
    for (struct sweep sweep = {0}; goes_on(&sweep, "a child");) {
        int answer = go_on_in_a_child(watcher, &sweep, "1");
        CHECK(answer == 0 || answer == 1);
        sweep.refused = answer == 1;
        sweep.steps++;
    }
    cmr_watcher_destroy(watcher);
}

/* ---- By itself ---- */

/* Writes a mount in a process of its own, which has all the memory that it wants. */
static void publish_elsewhere(const char *mount, const char *value)
{
    int status = -1;
    const cmr_file files[] = {{"k1", value, strlen(value), 0, 0}};
    pid_t child = fork();
    if (child == 0) {
        end_refusing();
        _exit(cmr_mount_write(mount, files, 1, NULL) == CMR_OK ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

TEST("an update for which there was no memory comes when there is, without anybody asking for it")
{
    static const char schema[] = "{\"patternProperties\": {\"^k[0-9]+$\": {\"maximum\": 1000}}}";
    const char *mount = new_folder("mount");
    struct recorder recorder;
    recorder_init(&recorder);
    publish_elsewhere(mount, "0");
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_POLL_MS, 20));
    REQUIRE_OK(cmr_watcher_set_schema(watcher, "", schema, strlen(schema), NULL));
    record(watcher, &recorder);
    start(watcher);
    size_t heard = 1;
    for (struct sweep sweep = {0}; goes_on(&sweep, "an update");) {
        uint64_t before = cmr_watcher_version(watcher);
        const char *value = text("%d", sweep.steps + 1);
        sweep.onwards = true;
        begin_refusing(&sweep);
        publish_elsewhere(mount, value);
        struct heard *event = event_at(&recorder, heard++);
        end_refusing();
        sweep.steps++;
        /* While memory is refused another look may come, and fail at another place. */
        for (; event->kind == CMR_EVENT_REJECTED; event = event_at(&recorder, heard++)) {
            CHECK(sweep.refused);
            CHECK_INT(event->error.status, CMR_E_NO_MEMORY);
        }
        HOLDS(DELIVERED, event->kind == CMR_EVENT_PUBLISHED);
        HOLDS(FORWARD, event->version == before + 1);
        CHECK_TEXT(current_text(watcher, "k1"), value);
        cmr_stats stats = CMR_STATS_INIT;
        CHECK_OK(cmr_watcher_stats(watcher, &stats));
        CHECK_INT(stats.healthy, 1);
    }
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}
