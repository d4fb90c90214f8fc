/* Reloading on demand, asking for it in a signal handler, and waiting for versions. */
#include "abitest.h"

#include <sys/time.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A plain directory that never settles by itself: what is seen is what was asked for. */
static cmr_watcher *unsettled(const char *plain)
{
    cmr_watcher *watcher = new_watcher(plain);
    write_text(text("%s/key", plain), "1");
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 3600000));
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_RESCAN_MS, 0));
    start(watcher);
    return watcher;
}

TEST("reload sees what was written before it was called")
{
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = unsettled(plain);
    for (int round = 2; round <= 100; round++) {
        write_text(text("%s/key", plain), text("%d", round));
        CHECK_INT(reload(watcher), round);
        CHECK_TEXT(current_text(watcher, "key"), text("%d", round));
    }
    CHECK_INT(reload(watcher), 100);
    cmr_watcher_destroy(watcher);
}

TEST("a reload that does not wait goes on by itself")
{
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = unsettled(plain);
    cmr_error error = CMR_ERROR_INIT;
    uint64_t version = 77;
    write_text(text("%s/key", plain), "2");
    CHECK_STATUS(cmr_watcher_reload(watcher, 0, &version, &error), CMR_E_TIMEOUT);
    CHECK_INT(version, 77);
    CHECK_INT(error.status, CMR_E_TIMEOUT);
    await_version(watcher, 2);
    CHECK_TEXT(current_text(watcher, "key"), "2");
    cmr_watcher_destroy(watcher);
}

static void *reload_often(void *context)
{
    for (int round = 0; round < 50; round++)
        if (cmr_watcher_reload(context, patience_ms(), NULL, NULL) != CMR_OK) return "failed";
    return NULL;
}

TEST("reloads of many threads at once are all answered")
{
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = unsettled(plain);
    pthread_t threads[8];
    for (int index = 0; index < 8; index++)
        REQUIRE(pthread_create(&threads[index], NULL, reload_often, watcher) == 0);
    for (int index = 0; index < 8; index++) {
        void *result = NULL;
        pthread_join(threads[index], &result);
        CHECK(result == NULL);
    }
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
}

static cmr_watcher *signalled;
static void on_hangup(int number)
{
    int before = errno;
    (void)number;
    cmr_watcher_request_reload(signalled);
    errno = before;
}

TEST("a reload that was requested before start is not made after it")
{
    const char *mount = new_mount("mount");
    cmr_stats stats = CMR_STATS_INIT;
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    cmr_watcher_request_reload(watcher);
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_stats(watcher, &stats));
    CHECK_INT(stats.reloads_unchanged, 0);
    CHECK_INT(stats.reloads_succeeded, 2);
    cmr_watcher_destroy(watcher);
}

TEST("request_reload in a signal handler reloads, and the event says RELOAD")
{
    const char *plain = new_mount("plain");
    struct recorder recorder;
    struct sigaction action = {.sa_handler = on_hangup};
    signalled = unsettled(plain);
    recorder_init(&recorder);
    record(signalled, &recorder);
    REQUIRE(sigaction(SIGHUP, &action, NULL) == 0);
    for (int round = 2; round <= 20; round++) {
        write_text(text("%s/key", plain), text("%d", round));
        raise(SIGHUP);
        await_version(signalled, (uint64_t)round);
    }
    CHECK_INT(event_at(&recorder, 0)->cause, CMR_CAUSE_RELOAD);
    cmr_watcher_destroy(signalled);
    recorder_free(&recorder);
}

TEST("request_reload in a signal handler that interrupts the library itself never deadlocks")
{
    const char *plain = new_mount("plain");
    struct sigaction action = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    signalled = unsettled(plain);
    REQUIRE(sigaction(SIGVTALRM, &action, NULL) == 0);
    REQUIRE(setitimer(ITIMER_VIRTUAL, &often, NULL) == 0);
    for (int round = 2; round <= 300; round++) {
        write_text(text("%s/key", plain), text("%d", round));
        REQUIRE_OK(cmr_watcher_reload(signalled, patience_ms(), NULL, NULL));
        CHECK_TEXT(current_text(signalled, "key"), text("%d", round));
    }
    REQUIRE(setitimer(ITIMER_VIRTUAL, &never, NULL) == 0);
    cmr_watcher_destroy(signalled);
}

TEST("a wait that is interrupted by a signal goes on waiting")
{
    const char *plain = new_mount("plain");
    struct sigaction action = {.sa_handler = on_hangup};
    struct itimerval once = {{0, 0}, {0, 20000}};
    signalled = unsettled(plain);
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
    write_text(text("%s/key", plain), "2");
    REQUIRE(setitimer(ITIMER_REAL, &once, NULL) == 0); /* replaces the harness's alarm */
    CHECK_OK(cmr_watcher_wait(signalled, 1, -1, NULL));
    CHECK_TEXT(current_text(signalled, "key"), "2");
    cmr_watcher_destroy(signalled);
}

TEST("wait answers at once when there is a newer version, and tells which")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    uint64_t version = 0;
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    PUBLISH(mount, FILE_TEXT("key", "2"));
    await_version(watcher, 2);
    CHECK_OK(cmr_watcher_wait(watcher, 0, 0, &version));
    CHECK_INT(version, 2);
    CHECK_OK(cmr_watcher_wait(watcher, 1, -1, &version));
    CHECK_INT(version, 2);
    CHECK_STATUS(cmr_watcher_wait(watcher, 2, 0, &version), CMR_E_TIMEOUT);
    CHECK_STATUS(cmr_watcher_wait(watcher, UINT64_MAX, 0, &version), CMR_E_TIMEOUT);
    cmr_watcher_destroy(watcher);
}

TEST("wait keeps to its timeout")
{
    cmr_watcher *watcher = new_watcher(NULL);
    start(watcher);
    int64_t begun = now_ms();
    CHECK_STATUS(cmr_watcher_wait(watcher, 1, 50, NULL), CMR_E_TIMEOUT);
    int64_t took = now_ms() - begun;
    CHECK(took >= 50);
    CHECK(took < 50 + patience_ms() / 4);
    cmr_watcher_destroy(watcher);
}

TEST("a version that wait has seen is in the word and can be acquired")
{
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    PUBLISH(mount, FILE_TEXT("key", "1"));
    start(watcher);
    for (uint64_t version = 2; version < 60; version++) {
        const char *content = text("%d", (int)version);
        PUBLISH(mount, {"key", content, strlen(content), 0, 0});
        await_version(watcher, version);
        CHECK(cmr_version_load(cmr_watcher_version_word(watcher)) >= version);
        CHECK(cmr_watcher_version(watcher) >= version);
        CHECK_TEXT(current_text(watcher, "key"), content);
    }
    cmr_watcher_destroy(watcher);
}
