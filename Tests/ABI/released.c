/* Written by Tests/ABI/stub.py. */
#define STUB { __builtin_trap(); }

#ifndef CMRELOAD_H
#define CMRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CMR_VERSION_MAJOR 1
#define CMR_VERSION_MINOR 0
#define CMR_VERSION_PATCH 0
#define CMR_VERSION "1.0.0"

typedef int32_t cmr_status;

enum {
    CMR_OK = 0,
    CMR_E_INVALID_ARGUMENT = 1,
    CMR_E_NOT_FOUND = 2,
    CMR_E_TYPE = 3,
    CMR_E_RANGE = 4,
    CMR_E_IO = 5,
    CMR_E_PARSE = 6,
    CMR_E_REJECTED = 7,
    CMR_E_LIMIT = 8,
    CMR_E_STATE = 9,
    CMR_E_TIMEOUT = 10,
    CMR_E_UNAVAILABLE = 11,
    CMR_E_DENIED = 12,
    CMR_E_NO_MEMORY = 13
};

typedef struct cmr_error {
    uint32_t struct_size;
    cmr_status status;
    int32_t os_errno;
    uint32_t line;
    uint32_t column;
    uint32_t reserved;
    char stage[16];
    char key[256];
    char message[512];
} cmr_error;

#define CMR_ERROR_INIT { (uint32_t)sizeof(cmr_error), 0, 0, 0, 0, 0, "", "", "" }

const char *cmr_status_name(cmr_status status)
STUB

const char *cmr_version(void)
STUB

uint32_t cmr_abi_version(void)
STUB

void cmr_free(void *memory)
STUB

typedef struct cmr_watcher cmr_watcher;

typedef struct cmr_snapshot cmr_snapshot;

typedef struct cmr_value cmr_value;

typedef struct cmr_reader cmr_reader;

typedef struct cmr_cell {
    uint64_t bits;
} cmr_cell;

typedef struct cmr_sink cmr_sink;

enum {
    CMR_TYPE_NONE = -1,
    CMR_TYPE_NULL = 0,
    CMR_TYPE_BOOL = 1,
    CMR_TYPE_INT64 = 2,
    CMR_TYPE_DOUBLE = 3,
    CMR_TYPE_STRING = 4,
    CMR_TYPE_ARRAY = 5,
    CMR_TYPE_OBJECT = 6,
    CMR_TYPE_BYTES = 7
};

enum {
    CMR_OPTION_SETTLE_MS = 1,
    CMR_OPTION_RESCAN_MS = 2,
    CMR_OPTION_POLL_MS = 3,
    CMR_OPTION_OPTIONAL = 4,
    CMR_OPTION_DISPATCH = 5,
    CMR_OPTION_HISTORY = 6,
    CMR_OPTION_DRAIN_MS = 7,
    CMR_OPTION_CONFIRM_MS = 8,
    CMR_OPTION_SENSITIVE = 9,
    CMR_OPTION_SNIFF_JSON = 10,
    CMR_OPTION_LENIENT = 11,
    CMR_OPTION_MAX_VALUE_BYTES = 12,
    CMR_OPTION_MAX_TOTAL_BYTES = 13,
    CMR_OPTION_MAX_KEYS = 14,
    CMR_OPTION_MAX_DEPTH = 15,
    CMR_OPTION_EXPAND_ENVIRONMENT = 16,
    CMR_OPTION_ASSERT_FORMAT = 17
};

enum {
    CMR_FORMAT_TEXT = 0,
    CMR_FORMAT_JSON = 1,
    CMR_FORMAT_YAML = 2,
    CMR_FORMAT_TOML = 3,
    CMR_FORMAT_PROPERTIES = 4,
    CMR_FORMAT_DOTENV = 5,
    CMR_FORMAT_INI = 6
};

enum {
    CMR_DISPATCH_THREAD = 0,
    CMR_DISPATCH_MANUAL = 1
};

enum {
    CMR_SUBSCRIBE_MANUAL = 1,
    CMR_SUBSCRIBE_DRAINED = 2
};

enum {
    CMR_CHANGE_ADDED = 1,
    CMR_CHANGE_REMOVED = 2,
    CMR_CHANGE_MODIFIED = 3
};

enum {
    CMR_EVENT_PUBLISHED = 1,
    CMR_EVENT_REJECTED = 2,
    CMR_EVENT_SOURCE_LOST = 3,
    CMR_EVENT_SOURCE_RECOVERED = 4,
    CMR_EVENT_DRAINED = 5
};

enum {
    CMR_CAUSE_START = 1,
    CMR_CAUSE_CHANGE = 2,
    CMR_CAUSE_RELOAD = 3,
    CMR_CAUSE_ROLLBACK = 4
};

enum {
    CMR_LOG_ERROR = 1,
    CMR_LOG_WARN = 2,
    CMR_LOG_INFO = 3,
    CMR_LOG_DEBUG = 4
};

typedef struct cmr_change {
    const char *key;
    uint32_t kind;
    uint32_t reserved;
} cmr_change;

typedef struct cmr_violation {
    const char *key;
    const char *instance_path;
    const char *schema_path;
    const char *keyword;
    const char *expected;
    uint32_t line;
    uint32_t column;
} cmr_violation;

typedef struct cmr_event {
    uint32_t struct_size;
    uint32_t kind;
    uint32_t cause;
    uint32_t reserved;
    uint64_t version;
    const cmr_snapshot *snapshot;
    const cmr_snapshot *previous;
    const cmr_change *changes;
    size_t change_count;
    const cmr_error *error;
    const cmr_violation *violations;
    size_t violation_count;
} cmr_event;

typedef struct cmr_stats {
    uint32_t struct_size;
    uint32_t healthy;
    uint64_t version;
    uint64_t reloads_succeeded;
    uint64_t reloads_rejected;
    uint64_t reloads_unchanged;
    uint64_t source_errors;
    uint64_t overflows;
    uint64_t rescans;
    uint64_t callbacks;
    int64_t last_success_ns;
    int64_t last_failure_ns;
    int64_t last_duration_ns;
    uint32_t polling;
    uint32_t held_snapshots;
} cmr_stats;

#define CMR_STATS_INIT { (uint32_t)sizeof(cmr_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef struct cmr_file {
    const char *key;
    const void *bytes;
    size_t size;
    uint32_t mode;
    uint32_t reserved;
} cmr_file;

typedef void (*cmr_closed_fn)(void *context);

typedef void (*cmr_event_fn)(void *context, const cmr_event *event);

typedef cmr_status (*cmr_validate_fn)(void *context, const cmr_snapshot *candidate,
                                      cmr_error *error);

typedef cmr_status (*cmr_parse_fn)(void *context, const char *key, const void *bytes, size_t size,
                                   cmr_sink *json, cmr_error *error);

typedef void (*cmr_log_fn)(void *context, int32_t level, const char *message, size_t size);

cmr_status cmr_watcher_create(cmr_watcher **watcher_out)
STUB

cmr_status cmr_watcher_set_name(cmr_watcher *watcher, const char *name, cmr_error *error)
STUB

cmr_status cmr_watcher_set_option(cmr_watcher *watcher, int32_t option, int64_t value)
STUB

cmr_status cmr_watcher_add_mount(cmr_watcher *watcher, const char *path, cmr_error *error)
STUB

cmr_status cmr_watcher_add_file(cmr_watcher *watcher, const char *path, cmr_error *error)
STUB

cmr_status cmr_watcher_add_environment(cmr_watcher *watcher, const char *prefix, cmr_error *error)
STUB

cmr_status cmr_watcher_add_default(cmr_watcher *watcher, const char *key, const void *bytes,
                                   size_t size, cmr_error *error)
STUB

cmr_status cmr_watcher_set_closed(cmr_watcher *watcher, cmr_closed_fn closed, void *context)
STUB

cmr_status cmr_watcher_start(cmr_watcher *watcher, cmr_error *error)
STUB

cmr_status cmr_watcher_stop(cmr_watcher *watcher, int64_t timeout_ms)
STUB

void cmr_watcher_destroy(cmr_watcher *watcher)
STUB

const cmr_snapshot *cmr_watcher_acquire(const cmr_watcher *watcher)
STUB

const cmr_snapshot *cmr_snapshot_retain(const cmr_snapshot *snapshot)
STUB

void cmr_snapshot_release(const cmr_snapshot *snapshot)
STUB

uint64_t cmr_snapshot_version(const cmr_snapshot *snapshot)
STUB

int64_t cmr_snapshot_published_ns(const cmr_snapshot *snapshot)
STUB

const char *cmr_snapshot_checksum(const cmr_snapshot *snapshot)
STUB

const char *cmr_snapshot_generation(const cmr_snapshot *snapshot)
STUB

size_t cmr_snapshot_count(const cmr_snapshot *snapshot)
STUB

cmr_status cmr_snapshot_key(const cmr_snapshot *snapshot, size_t index, const char **key_out,
                            size_t *size_out)
STUB

cmr_status cmr_snapshot_bytes(const cmr_snapshot *snapshot, const char *key,
                              const void **bytes_out, size_t *size_out)
STUB

cmr_status cmr_snapshot_string(const cmr_snapshot *snapshot, const char *path,
                               const char **text_out, size_t *size_out)
STUB

cmr_status cmr_snapshot_int64(const cmr_snapshot *snapshot, const char *path, int64_t *value_out)
STUB

cmr_status cmr_snapshot_double(const cmr_snapshot *snapshot, const char *path, double *value_out)
STUB

cmr_status cmr_snapshot_bool(const cmr_snapshot *snapshot, const char *path, bool *value_out)
STUB

cmr_status cmr_snapshot_duration(const cmr_snapshot *snapshot, const char *path,
                                 int64_t *nanoseconds_out)
STUB

cmr_status cmr_snapshot_quantity(const cmr_snapshot *snapshot, const char *path,
                                 int64_t *value_out)
STUB

cmr_status cmr_snapshot_json(const cmr_snapshot *snapshot, const char *path, char **json_out,
                             size_t *size_out)
STUB

const cmr_value *cmr_snapshot_value(const cmr_snapshot *snapshot, const char *path)
STUB

int32_t cmr_value_type(const cmr_value *value)
STUB

size_t cmr_value_count(const cmr_value *value)
STUB

const cmr_value *cmr_value_at(const cmr_value *value, size_t index)
STUB

const cmr_value *cmr_value_member(const cmr_value *value, const char *name)
STUB

cmr_status cmr_value_name_at(const cmr_value *value, size_t index, const char **name_out,
                             size_t *size_out)
STUB

cmr_status cmr_value_string(const cmr_value *value, const char **text_out, size_t *size_out)
STUB

cmr_status cmr_value_bytes(const cmr_value *value, const void **bytes_out, size_t *size_out)
STUB

cmr_status cmr_value_int64(const cmr_value *value, int64_t *value_out)
STUB

cmr_status cmr_value_double(const cmr_value *value, double *value_out)
STUB

cmr_status cmr_value_bool(const cmr_value *value, bool *value_out)
STUB

uint64_t cmr_watcher_version(const cmr_watcher *watcher)
STUB

const uint64_t *cmr_watcher_version_word(const cmr_watcher *watcher)
STUB

cmr_status cmr_reader_create(cmr_watcher *watcher, cmr_reader **reader_out)
STUB

void cmr_reader_destroy(cmr_reader *reader)
STUB

const cmr_snapshot *cmr_reader_current(cmr_reader *reader)
STUB

void cmr_reader_park(cmr_reader *reader)
STUB

cmr_status cmr_watcher_bind_int64(cmr_watcher *watcher, const char *path, int64_t fallback,
                                  const cmr_cell **cell_out)
STUB

cmr_status cmr_watcher_bind_double(cmr_watcher *watcher, const char *path, double fallback,
                                   const cmr_cell **cell_out)
STUB

cmr_status cmr_watcher_bind_bool(cmr_watcher *watcher, const char *path, bool fallback,
                                 const cmr_cell **cell_out)
STUB

cmr_status cmr_watcher_subscribe(cmr_watcher *watcher, const char *key_pattern, uint32_t flags,
                                 cmr_event_fn callback, void *context, uint64_t *id_out,
                                 cmr_error *error)
STUB

cmr_status cmr_watcher_unsubscribe(cmr_watcher *watcher, uint64_t id)
STUB

int cmr_watcher_event_fd(const cmr_watcher *watcher)
STUB

cmr_status cmr_watcher_dispatch(cmr_watcher *watcher, size_t *handled_out)
STUB

cmr_status cmr_watcher_reload(cmr_watcher *watcher, int64_t timeout_ms, uint64_t *version_out,
                              cmr_error *error)
STUB

void cmr_watcher_request_reload(cmr_watcher *watcher)
STUB

cmr_status cmr_watcher_wait(cmr_watcher *watcher, uint64_t after_version, int64_t timeout_ms,
                            uint64_t *version_out)
STUB

cmr_status cmr_watcher_set_schema(cmr_watcher *watcher, const char *path,
                                  const char *json_schema, size_t size, cmr_error *error)
STUB

cmr_status cmr_watcher_add_schema(cmr_watcher *watcher, const char *id, const char *json_schema,
                                  size_t size, cmr_error *error)
STUB

cmr_status cmr_watcher_violations(cmr_watcher *watcher, char **json_out, size_t *size_out)
STUB

cmr_status cmr_watcher_set_validator(cmr_watcher *watcher, cmr_validate_fn validator,
                                     void *context)
STUB

cmr_status cmr_watcher_rollback(cmr_watcher *watcher, uint64_t version, uint64_t *version_out,
                                cmr_error *error)
STUB

cmr_status cmr_watcher_confirm(cmr_watcher *watcher, uint64_t version)
STUB

cmr_status cmr_watcher_history(cmr_watcher *watcher, size_t index,
                               const cmr_snapshot **snapshot_out)
STUB

cmr_status cmr_watcher_drain(cmr_watcher *watcher, uint64_t before_version, int64_t timeout_ms,
                             size_t *held_out)
STUB

cmr_status cmr_watcher_set_format(cmr_watcher *watcher, const char *key_pattern, int32_t format,
                                  cmr_error *error)
STUB

cmr_status cmr_watcher_set_parser(cmr_watcher *watcher, const char *key_pattern,
                                  cmr_parse_fn parser, void *context, cmr_error *error)
STUB

cmr_status cmr_sink_write(cmr_sink *sink, const char *json, size_t size)
STUB

cmr_status cmr_watcher_stats(cmr_watcher *watcher, cmr_stats *stats_out)
STUB

cmr_status cmr_watcher_metrics(cmr_watcher *watcher, char *buffer, size_t capacity,
                               size_t *size_out)
STUB

cmr_status cmr_metrics(char *buffer, size_t capacity, size_t *size_out)
STUB

cmr_status cmr_set_log_handler(cmr_log_fn handler, void *context, int32_t level)
STUB

cmr_status cmr_mount_write(const char *path, const cmr_file *files, size_t count,
                           cmr_error *error)
STUB

cmr_status cmr_after_fork_child(void)
STUB

#ifdef __cplusplus
}
#endif

#endif
