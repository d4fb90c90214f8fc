/* Judges what the interface answers, and clears up behind an input. */
#include "fuzz.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <sys/stat.h>

void broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

/* ---- Statuses ---- */

const cmr_error unwritten_error = {sizeof(cmr_error), -1, -1, 7, 7, 7, "stage", "key", "unwritten"};

static bool is_text(const char *text, size_t room)
{
    size_t size = strnlen(text, room);
    for (size_t index = 0; index < size;) {
        unsigned char lead = (unsigned char)text[index++];
        int more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 9;
        for (; more > 0; more--, index++)
            if (more > 3 || index >= size || (text[index] & 0xC0) != 0x80) return false;
    }
    return size < room;
}

void check_status(cmr_status status, const cmr_error *error, unsigned may)
{
    demand(status >= CMR_OK && status <= CMR_E_NO_MEMORY);
    demand(status == CMR_OK || may >> status & 1);
    if (!error) return;
    if (status == CMR_OK) {
        demand(memcmp(error, &unwritten_error, sizeof *error) == 0);
        return;
    }
    demand(error->status == status && error->reserved == 0 && error->message[0]);
    demand((status == CMR_E_IO || status == CMR_E_DENIED) || error->os_errno == 0);
    demand(is_text(error->stage, sizeof error->stage) && is_text(error->key, sizeof error->key));
    demand(is_text(error->message, sizeof error->message));
}

/* ---- Snapshots ---- */

enum { DEEPEST = 200 };

static void check_value(const cmr_value *value, int depth)
{
    const char *text = NULL, *name;
    const void *bytes = NULL;
    size_t size = 0;
    int64_t integer;
    double number;
    bool truth;
    int32_t type = cmr_value_type(value);
    demand(type > CMR_TYPE_NONE && depth < DEEPEST);
    if (cmr_value_string(value, &text, &size) == CMR_OK) demand(strnlen(text, size + 1) <= size);
    if (cmr_value_bytes(value, &bytes, &size) == CMR_OK) demand(((const char *)bytes)[size] == 0);
    if (cmr_value_int64(value, &integer) == CMR_OK)
        demand(cmr_value_double(value, &number) == CMR_OK);
    cmr_value_bool(value, &truth);
    size_t count = cmr_value_count(value);
    demand(cmr_value_at(value, count) == NULL);
    for (size_t index = 0; index < count && index < 64; index++) {
        const cmr_value *child = cmr_value_at(value, index);
        demand(child);
        if (cmr_value_name_at(value, index, &name, &size) == CMR_OK && strlen(name) == size)
            demand(cmr_value_member(value, name) == child);
        check_value(child, depth + 1);
    }
}

void check_snapshot(const cmr_snapshot *snapshot)
{
    char *json = NULL;
    size_t size = 0, count = cmr_snapshot_count(snapshot);
    demand(strlen(cmr_snapshot_checksum(snapshot)) == 32);
    for (size_t index = 0; index < count; index++) {
        const char *key;
        int64_t integer;
        const char *text;
        demand(cmr_snapshot_key(snapshot, index, &key, NULL) == CMR_OK);
        const cmr_value *value = cmr_snapshot_value(snapshot, key);
        demand(value && is_text(key, 4096));
        check_value(value, 0);
        demand(cmr_snapshot_string(snapshot, key, &text, NULL) ==
               cmr_value_string(value, &text, NULL));
        cmr_snapshot_duration(snapshot, key, &integer);
        cmr_snapshot_quantity(snapshot, key, &integer);
    }
    const char *beyond;
    demand(cmr_snapshot_key(snapshot, count, &beyond, NULL) == CMR_E_NOT_FOUND);
    demand(cmr_snapshot_json(snapshot, "", &json, &size) == CMR_OK && strlen(json) == size);
    cmr_free(json);
}

/* ---- Files and descriptors ---- */

static char scratch[64];
static pid_t owner;

static void remove_scratch(void)
{
    if (getpid() == owner) remove_all(scratch);
}

void scratch_directory(char *path, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%.40s/cmreload-XXXXXX", base ? base : "/tmp");
    demand(mkdtemp(scratch));
    owner = getpid();
    atexit(remove_scratch);
    snprintf(path, size, "%s", scratch);
}

static int open_up(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)place;
    if (type == FTW_D || type == FTW_DNR) chmod(path, 0700);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

void remove_all(const char *path)
{
    /* A directory that cannot be read is opened up, and only then can what lies below be seen. */
    for (int depth = 0; depth < 32; depth++) {
        if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0) return;
        nftw(path, open_up, 16, FTW_PHYS);
    }
}

size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    demand(directory);
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

void await_descriptors(size_t count)
{
    for (int patience_ms = 5000; count_descriptors() != count; patience_ms--) {
        demand(patience_ms > 0);
        poll(NULL, 0, 1);
    }
}
