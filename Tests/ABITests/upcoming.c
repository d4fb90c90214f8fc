/* The kubelet makes the directory of a generation, writes into it, and then renames ..data: who
 * asked hears of the directory, to be ready when the version comes.
 */
#include "abitest.h"

static const char *begin_generation(const char *mount, int number)
{
    return make_directory(text("%s/..2026_11_22_08_45_04.%d", mount, number));
}

/* Starts a watcher that time never makes look, with who asked to hear. */
static void follow(cmr_watcher *watcher, struct recorder *recorder)
{
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    start(watcher);
    recorder_init(recorder);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_UPCOMING, hear, recorder, NULL,
                                     NULL));
}

/* The same of a mount with one key. */
static cmr_watcher *followed(const char *mount, struct recorder *recorder)
{
    PUBLISH(mount, FILE_TEXT("level", "info"));
    cmr_watcher *watcher = new_watcher(mount);
    follow(watcher, recorder);
    return watcher;
}

static void end(cmr_watcher *watcher, struct recorder *recorder)
{
    cmr_watcher_destroy(watcher);
    recorder_free(recorder);
}

TEST("who asked hears that the kubelet begins to write, and others do not")
{
    const char *mount = new_mount("mount");
    struct recorder asked, other;
    cmr_watcher *watcher = followed(mount, &asked);
    recorder_init(&other);
    record(watcher, &other);
    begin_generation(mount, 1);
    REQUIRE(await_events(&asked, 1));
    struct heard *event = event_at(&asked, 0);
    CHECK_INT(event->kind, CMR_EVENT_UPCOMING);
    CHECK_INT(event->cause, CMR_CAUSE_CHANGE);
    CHECK_INT(event->version, 1);
    CHECK_INT(cmr_snapshot_version(event->snapshot), 1);
    CHECK(!event->previous && !event->has_error);
    CHECK_TEXT(event->changes, "");
    CHECK(!pthread_equal(event->thread, pthread_self()));

    PUBLISH(mount, FILE_TEXT("level", "debug"));
    size_t published = await_kind(&asked, CMR_EVENT_PUBLISHED, 1);
    REQUIRE(published != SIZE_MAX);
    CHECK_INT(event_at(&asked, published)->version, 2);
    CHECK_TEXT(event_at(&asked, published)->changes, "~level");
    REQUIRE(await_events(&other, 1));
    CHECK_INT(other.count, 1);
    CHECK_INT(event_at(&other, 0)->kind, CMR_EVENT_PUBLISHED);
    cmr_stats stats = {.struct_size = sizeof stats};
    REQUIRE_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.reloads_unchanged, 0);
    recorder_free(&other);
    end(watcher, &asked);
}

TEST("only the directory of a generation tells of a version")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = followed(mount, &recorder);
    make_directory(text("%s/directory", mount));
    write_text(text("%s/..file", mount), "");
    /* What the kernel told before a reload is told before the next one. */
    reload(watcher);
    reload(watcher);
    begin_generation(mount, 1);
    REQUIRE(await_events(&recorder, 1));
    CHECK_INT(recorder.count, 1);
    end(watcher, &recorder);
}

TEST("who is called in dispatch hears of no version that may come")
{
    const char *mount = new_mount("mount");
    struct recorder recorder, manual;
    cmr_watcher *watcher = followed(mount, &recorder);
    recorder_init(&manual);
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_UPCOMING | CMR_SUBSCRIBE_MANUAL,
                                     hear, &manual, NULL, NULL));
    begin_generation(mount, 1);
    REQUIRE(await_events(&recorder, 1));
    size_t handled = 1;
    REQUIRE_OK(cmr_watcher_dispatch(watcher, &handled));
    CHECK_INT(handled, 0);
    recorder_free(&manual);
    end(watcher, &recorder);
}

/* What changes within a generation is told by nobody: who sees it has looked. */
static void change_silently(const char *mount, const char *level)
{
    write_text(text("%s/..data/level", mount), level);
}

TEST("when a version may come a single source is read once more, to be ready")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = followed(mount, &recorder);
    change_silently(mount, "debug");
    begin_generation(mount, 1);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "level"), "debug");
    end(watcher, &recorder);
}

/* Changes silently, and has two generations told of: what a look after the first would come to is
 * there by the second. */
static void give_time_to_look(const char *mount, struct recorder *recorder)
{
    change_silently(mount, "debug");
    for (int number = 1; number <= 2; number++) {
        begin_generation(mount, number);
        REQUIRE(await_events(recorder, (size_t)number));
    }
}

static void check_not_read(const cmr_file *files, size_t count)
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    publish(mount, files, count);
    cmr_watcher *watcher = new_watcher(mount);
    follow(watcher, &recorder);
    give_time_to_look(mount, &recorder);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    end(watcher, &recorder);
}

TEST("what is large is not read to be ready")
{
    static char large[(64 << 10) + 1];
    memset(large, 'x', sizeof large);
    const cmr_file files[] = {FILE_TEXT("level", "info"), {"large", large, sizeof large, 0, 0}};
    check_not_read(files, 2);
}

TEST("what has many keys is not read to be ready")
{
    cmr_file files[65] = {FILE_TEXT("level", "info")};
    for (int index = 1; index < 65; index++)
        files[index] = (cmr_file)FILE_TEXT(text("%d", index), "1");
    check_not_read(files, 65);
}

TEST("of several sources none is read to be ready: the rename might come between two")
{
    const char *mount = new_mount("mount");
    PUBLISH(mount, FILE_TEXT("level", "info"), FILE_TEXT("other", "1"));
    cmr_watcher *watcher = NULL;
    struct recorder recorder;
    REQUIRE_OK(cmr_watcher_create(&watcher));
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/level", mount), NULL));
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/other", mount), NULL));
    follow(watcher, &recorder);
    give_time_to_look(mount, &recorder);
    CHECK_INT(cmr_watcher_version(watcher), 1);
    end(watcher, &recorder);
}

struct slow {
    struct gate entered, released;
};

static void prepare_slowly(void *context, const cmr_event *event)
{
    struct slow *slow = context;
    if (event->kind != CMR_EVENT_UPCOMING) return;
    gate_open(&slow->entered);
    gate_wait(&slow->released, 1);
}

TEST("who takes long to get ready holds no version up, and the source is read all the same")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_watcher *watcher = followed(mount, &recorder);
    struct slow slow = {GATE_INIT, GATE_INIT};
    REQUIRE_OK(cmr_watcher_subscribe(watcher, NULL, CMR_SUBSCRIBE_UPCOMING, prepare_slowly, &slow,
                                     NULL, NULL));
    begin_generation(mount, 1);
    REQUIRE(gate_wait(&slow.entered, 1));
    PUBLISH(mount, FILE_TEXT("level", "debug"));
    await_version(watcher, 2);
    change_silently(mount, "quiet");
    gate_open(&slow.released);
    await_version(watcher, 3);
    CHECK(await_kind(&recorder, CMR_EVENT_PUBLISHED, 1) != SIZE_MAX);
    end(watcher, &recorder);
}
