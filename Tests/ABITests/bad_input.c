/* What may lie where a file should be, and what a file may hold: an error at once, never a hang,
 * never a trap.
 */
#include "abitest.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* A plain directory with one good key. */
static const char *plain_directory(void)
{
    const char *plain = new_mount("plain");
    write_text(text("%s/good", plain), "1");
    return plain;
}

/* What start says of the directory; the watcher is gone afterwards. */
static cmr_status status_of_start(const char *directory, cmr_error *error)
{
    cmr_watcher *watcher = new_watcher(directory);
    *error = (cmr_error)CMR_ERROR_INIT;
    cmr_status status = cmr_watcher_start(watcher, error);
    if (status != CMR_OK) {
        CHECK_INT(error->status, status);
        CHECK(error->message[0] != '\0');
    }
    cmr_watcher_destroy(watcher);
    return status;
}

/* A thing that cannot be read fails a start, rejects a reload, and is forgotten when it is gone. */
static void check_refused(const char *plain, const char *name, void (*make)(const char *path))
{
    const char *path = text("%s/%s", plain, name);
    cmr_error error = CMR_ERROR_INIT;
    cmr_watcher *watcher = new_watcher(plain);
    struct recorder recorder;
    make(path);
    CHECK_STATUS(status_of_start(plain, &error), CMR_E_IO);
    CHECK_TEXT(error.key, name);
    remove_all(path);
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    make(path);
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_IO);
    CHECK_TEXT(error.key, name);
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    CHECK_TEXT(current_text(watcher, "good"), "1");
    remove_all(path);
    CHECK_INT(reload(watcher), 1);
    write_text(text("%s/good", plain), "2");
    CHECK_INT(reload(watcher), 2);
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

static void make_fifo(const char *path) { REQUIRE(mkfifo(path, 0644) == 0); }

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    REQUIRE(file >= 0 && bind(file, (struct sockaddr *)&address, sizeof address) == 0);
    close(file);
}

static void make_device(const char *path)
{
    if (mknod(path, S_IFCHR | 0666, makedev(1, 5)) != 0) test_skip("devices cannot be made here");
}

static void make_loop(const char *path) { REQUIRE(symlink(strrchr(path, '/') + 1, path) == 0); }

static void make_link_to_device(const char *path) { REQUIRE(symlink("/dev/zero", path) == 0); }

TEST("a FIFO is refused at once") { check_refused(plain_directory(), "fifo", make_fifo); }

TEST("a socket is refused at once") { check_refused(plain_directory(), "socket", make_socket); }

TEST("a device is refused at once") { check_refused(plain_directory(), "device", make_device); }

TEST("a link to a device that never ends is refused at once")
{
    check_refused(plain_directory(), "endless", make_link_to_device);
}

TEST("a link that leads to itself is refused at once")
{
    check_refused(plain_directory(), "loop", make_loop);
}

TEST("a FIFO, a device or a directory given as a file is refused at once")
{
    const char *fifo = text("%s/fifo", test_directory());
    const char *paths[] = {fifo, "/dev/zero", "/dev/tty", "/tmp"};
    make_fifo(fifo);
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        cmr_watcher *watcher = new_watcher(NULL);
        about("%s", paths[index]);
        REQUIRE_OK(cmr_watcher_add_file(watcher, paths[index], NULL));
        CHECK_STATUS(cmr_watcher_start(watcher, NULL), CMR_E_IO);
        cmr_watcher_destroy(watcher);
    }
}

TEST("a file given as a mount is refused")
{
    const char *file = text("%s/file", test_directory());
    cmr_error error = CMR_ERROR_INIT;
    write_text(file, "x");
    CHECK_STATUS(status_of_start(file, &error), CMR_E_IO);
    CHECK_INT(error.os_errno, ENOTDIR);
    CHECK_STATUS(status_of_start(text("%s/below", file), &error), CMR_E_IO);
}

TEST("in a kubelet's volume a link may not leave it, in a plain directory it may")
{
    const char *mount = new_mount("mount"), *plain = plain_directory();
    const char *outside = text("%s/outside", test_directory());
    cmr_error error = CMR_ERROR_INIT;
    write_text(outside, "outside");
    PUBLISH(mount, FILE_TEXT("good", "1"));
    static const char *const targets[] = {"../../outside", "%s", "../..data/../../outside",
                                          "/proc/self/environ"};
    for (size_t index = 0; index < sizeof targets / sizeof *targets; index++) {
        const char *link = text("%s/..data/link", mount);
        const char *target = strcmp(targets[index], "%s") == 0 ? outside : targets[index];
        about("a link to %s", target);
        REQUIRE(symlink(target, link) == 0);
        cmr_status status = status_of_start(mount, &error);
        CHECK(status == CMR_E_IO || status == CMR_E_DENIED);
        CHECK_TEXT(error.key, "link");
        REQUIRE(unlink(link) == 0);
    }
    REQUIRE(symlink("good", text("%s/..data/inside", mount)) == 0);
    REQUIRE(symlink(outside, text("%s/link", plain)) == 0);
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE_OK(cmr_watcher_add_mount(watcher, plain, NULL));
    start(watcher);
    CHECK_TEXT(current_text(watcher, "inside"), "1");
    CHECK_TEXT(current_text(watcher, "link"), "outside");
    cmr_watcher_destroy(watcher);
}

static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        int more = *at < 0x80 ? 0 : *at >> 5 == 6 ? 1 : *at >> 4 == 14 ? 2 : -1;
        if (*at >> 3 == 30) more = 3;
        if (more < 0) return false;
        for (at++; more > 0; more--, at++)
            if (*at >> 6 != 2) return false;
    }
    return true;
}

TEST("a name that is not UTF-8 is refused, in words that are UTF-8")
{
    const char *plain = plain_directory();
    cmr_error error = CMR_ERROR_INIT;
    write_text(text("%s/bad\xffname", plain), "1");
    CHECK_STATUS(status_of_start(plain, &error), CMR_E_PARSE);
    CHECK(is_utf8(error.key) && is_utf8(error.message));
    CHECK(strncmp(error.key, "bad", 3) == 0);
    CHECK_STATUS(status_of_start(text("%s/\xff\xfe", test_directory()), &error), CMR_E_IO);
    CHECK(is_utf8(error.key) && is_utf8(error.message));

    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_add_environment(watcher, "ODD_", NULL));
    setenv("ODD_\xc3", "1", 1);
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_PARSE);
    CHECK(is_utf8(error.key) && is_utf8(error.message));
    unsetenv("ODD_\xc3");
    setenv("ODD_VALUE", "\xff", 1);
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_INT(cmr_value_type(cmr_snapshot_value(snapshot, "VALUE")), CMR_TYPE_BYTES);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}

/* ---- Permissions: as an unprivileged user, since root reads everything ---- */

static void become_nobody(void)
{
    if (geteuid() != 0) return;
    REQUIRE(setgid(65534) == 0 && setuid(65534) == 0);
}

TEST("a file that may not be read rejects everything, says so, and is read when it may")
{
    const char *mount = new_mount("mount");
    struct recorder recorder;
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE(chmod(test_directory(), 0777) == 0 && chmod(mount, 0777) == 0);
    become_nobody();
    PUBLISH(mount, FILE_TEXT("level", "info"), FILE_TEXT("token", "secret"));
    cmr_watcher *watcher = new_watcher(mount);
    REQUIRE(chmod(text("%s/..data/token", mount), 0) == 0);
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_DENIED);
    CHECK_INT(error.os_errno, EACCES);
    CHECK_TEXT(error.key, "token");
    REQUIRE(chmod(text("%s/..data/token", mount), 0400) == 0);
    recorder_init(&recorder);
    record(watcher, &recorder);
    start(watcher);
    CHECK_TEXT(current_text(watcher, "token"), "secret");

    /* The next generation cannot be read; then its mode is mended. */
    PUBLISH(mount, FILE_TEXT("level", "debug"), {"token", "secret", 6, 0200, 0});
    CHECK_INT(event_at(&recorder, 1)->kind, CMR_EVENT_REJECTED);
    CHECK_INT(event_at(&recorder, 1)->error.status, CMR_E_DENIED);
    CHECK_TEXT(event_at(&recorder, 1)->error.key, "token");
    CHECK_TEXT(current_text(watcher, "level"), "info");
    CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_DENIED);
    REQUIRE(chmod(text("%s/..data/token", mount), 0400) == 0);
    CHECK_INT(reload(watcher), 2);
    CHECK_TEXT(current_text(watcher, "level"), "debug");
    cmr_watcher_destroy(watcher);
    recorder_free(&recorder);
}

TEST("a directory that may not be entered is denied")
{
    const char *closed = new_mount("closed");
    cmr_error error = CMR_ERROR_INIT;
    write_text(text("%s/key", closed), "1");
    REQUIRE(chmod(test_directory(), 0777) == 0 && chmod(closed, 0700) == 0);
    if (geteuid() != 0) test_skip("only root can make a directory that this user may not enter");
    become_nobody();
    CHECK_STATUS(status_of_start(closed, &error), CMR_E_DENIED);
    CHECK_INT(error.os_errno, EACCES);
    CHECK_STATUS(status_of_start(text("%s/below", closed), &error), CMR_E_DENIED);
    cmr_watcher *watcher = new_watcher(NULL);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_OPTIONAL, 1));
    REQUIRE_OK(cmr_watcher_add_file(watcher, text("%s/key", closed), NULL));
    CHECK_STATUS(cmr_watcher_start(watcher, &error), CMR_E_DENIED); /* denied is not missing */
    cmr_watcher_destroy(watcher);
}

TEST("writing a mount where one may not write is denied")
{
    const char *closed = new_mount("closed");
    const cmr_file files[] = {FILE_TEXT("key", "1")};
    cmr_error error = CMR_ERROR_INIT;
    REQUIRE(chmod(test_directory(), 0777) == 0 && chmod(closed, 0555) == 0);
    become_nobody();
    CHECK_STATUS(cmr_mount_write(closed, files, 1, &error), CMR_E_DENIED);
    CHECK_INT(error.os_errno, EACCES);
}

/* ---- Content ---- */

TEST("what is not JSON is rejected, whatever it is, and never a trap")
{
    static const struct { const char *bytes; size_t size; } cases[] = {
#define BYTES(literal) {literal, sizeof(literal) - 1}
        BYTES(""), BYTES(" "), BYTES("\0"), BYTES("\xef\xbb\xbf"), BYTES("{"), BYTES("["),
        BYTES("\""), BYTES("\"\\"),
        BYTES("\"\\u"), BYTES("\"\\u12"), BYTES("\"\\ud800\""), BYTES("\"\\udc00\""),
        BYTES("\"\\ud800\\u0041\""),
        BYTES("\"\xff\""), BYTES("\"\xc0\x80\""), BYTES("\"\xed\xa0\x80\""),
        BYTES("\"\xf4\x90\x80\x80\""), BYTES("\"\xe2\x82"),
        BYTES("[1,]"), BYTES("[,1]"), BYTES("{\"a\":}"), BYTES("{\"a\"}"), BYTES("{a:1}"),
        BYTES("{\"a\":1,}"), BYTES("01"),
        BYTES("-"), BYTES("+1"), BYTES("1."), BYTES(".1"), BYTES("1e"), BYTES("1e+"), BYTES("0x1"),
        BYTES("NaN"), BYTES("Infinity"),
        BYTES("-Infinity"), BYTES("1e999"), BYTES("-1e999"), BYTES("tru"), BYTES("truex"),
        BYTES("nul"), BYTES("True"), BYTES("[1 2]"),
        BYTES("[1]]"), BYTES("{}{}"), BYTES("1 2"), BYTES("'a'"), BYTES("[1]\0"), BYTES("\"a\0b\""),
        BYTES("\"\n\""), BYTES("//"),
        BYTES("/**/1"), BYTES("\xff\xfe[\0]\0"),
    };
    const char *mount = new_mount("mount");
    cmr_watcher *watcher = new_watcher(mount);
    cmr_error error;
    PUBLISH(mount, FILE_TEXT("a.json", "[]"));
    start(watcher);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        error = (cmr_error)CMR_ERROR_INIT;
        about("case %zu, %s", index, cases[index].bytes);
        PUBLISH(mount, {"a.json", cases[index].bytes, cases[index].size, 0, 0});
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, &error), CMR_E_PARSE);
        CHECK_TEXT(error.key, "a.json");
        CHECK(error.line >= 1 && error.column >= 1);
        CHECK(error.message[0] != '\0');
    }
    CHECK_INT(cmr_watcher_version(watcher), 1);
    cmr_watcher_destroy(watcher);
}

TEST("a document that is cut short anywhere is rejected, the whole of it is not")
{
    static const char json[] = "{\"text\": \"\\u00e4\xc3\xa4\\n\","
                               " \"list\": [1, -2.5e3, true, false, null, [], {}],"
                               " \"deep\": {\"a\": {\"b\": [\"x\"]}}}";
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = new_watcher(plain);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 3600000));
    write_text(text("%s/a.json", plain), json);
    start(watcher);
    for (size_t size = 0; size < sizeof json - 1; size++) {
        about("%zu bytes", size);
        write_bytes(text("%s/a.json", plain), json, size);
        CHECK_STATUS(cmr_watcher_reload(watcher, patience_ms(), NULL, NULL), CMR_E_PARSE);
    }
    write_text(text("%s/a.json", plain), json);
    CHECK_INT(reload(watcher), 1);
    cmr_watcher_destroy(watcher);
}

TEST("every single byte changed in a document ends in a version or a rejection, never a trap")
{
    static const char json[] = "{\"k\": [\"\\ud83d\\ude00\xe2\x82\xac\", -1.5e-7,"
                               " 9223372036854775807]}";
    const char *plain = new_mount("plain");
    cmr_watcher *watcher = new_watcher(plain);
    char changed[sizeof json];
    unsigned step = 256 / (unsigned)rounds(37, 4);
    REQUIRE_OK(cmr_watcher_set_option(watcher, CMR_OPTION_SETTLE_MS, 3600000));
    write_text(text("%s/a.json", plain), json);
    start(watcher);
    for (size_t at = 0; at < sizeof json - 1; at++) {
        for (unsigned byte = (unsigned)at % step; byte < 256; byte += step) {
            memcpy(changed, json, sizeof json);
            changed[at] = (char)byte;
            write_bytes(text("%s/a.json", plain), changed, sizeof json - 1);
            cmr_status status = cmr_watcher_reload(watcher, patience_ms(), NULL, NULL);
            about("byte %zu is 0x%02x", at, byte);
            if (status != CMR_OK) CHECK_STATUS(status, CMR_E_PARSE);
        }
    }
    cmr_watcher_destroy(watcher);
}

TEST("content may be empty, a mebibyte, with a byte order mark, with CRLF: text is text")
{
    const char *mount = new_mount("mount");
    char *big = malloc(1 << 20);
    size_t size = 0;
    const char *found = NULL;
    memset(big, 'x', 1 << 20);
    PUBLISH(mount, FILE_TEXT("empty", ""), {"big", big, 1 << 20, 0, 0},
            FILE_TEXT("bom", "\xef\xbb\xbftext"), FILE_TEXT("crlf", "a\r\nb\r\n"));
    cmr_watcher *watcher = new_watcher(mount);
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    CHECK_OK(cmr_snapshot_string(snapshot, "big", &found, &size));
    CHECK_INT(size, 1 << 20);
    CHECK(memcmp(found, big, size) == 0);
    CHECK_TEXT(current_text(watcher, "empty"), "");
    CHECK_TEXT(current_text(watcher, "crlf"), "a\r\nb");
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
    free(big);
}

TEST("the longest and the oddest paths that a reader may ask for find nothing, and trap nothing")
{
    static char path[1 << 20];
    cmr_watcher *watcher = new_watcher(NULL);
    int64_t integer;
    REQUIRE_OK(cmr_watcher_add_default(watcher, "a.json", "[[[[1]]]]", 9, NULL));
    start(watcher);
    const cmr_snapshot *snapshot = cmr_watcher_acquire(watcher);
    memset(path, '#', sizeof path - 1);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, path, &integer), CMR_E_NOT_FOUND);
    memcpy(path, "a.json#", 7);
    for (size_t at = 7; at + 1 < sizeof path; at += 2) memcpy(path + at, "/0", 2);
    path[sizeof path - 1] = '\0';
    CHECK_STATUS(cmr_snapshot_int64(snapshot, path, &integer), CMR_E_NOT_FOUND);
    path[15] = '\0';
    CHECK_OK(cmr_snapshot_int64(snapshot, path, &integer));
    memset(path + 8, '9', sizeof path - 9);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, path, &integer), CMR_E_NOT_FOUND);
    memset(path, '\xff', sizeof path - 1);
    CHECK_STATUS(cmr_snapshot_int64(snapshot, path, &integer), CMR_E_NOT_FOUND);
    cmr_snapshot_release(snapshot);
    cmr_watcher_destroy(watcher);
}
