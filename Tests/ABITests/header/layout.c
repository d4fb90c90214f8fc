/* The layout that bindings rely on: sizes, offsets, no hole between members, no padding behind
 * them, and the numbers of the enums. Compiled with -Wpadded; nothing here runs.
 */
#include <cmreload.h>

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#define AT(type, member, offset) \
    _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member)
#define END(type, member) \
    _Static_assert(offsetof(type, member) + sizeof(((type *)0)->member) == sizeof(type), \
                   "end of " #type)
#define NUMBER(name, value) _Static_assert((name) == (value), #name)

SIZE(void *, 8);
SIZE(size_t, 8);
SIZE(cmr_status, 4);

SIZE(cmr_error, 808);
AT(cmr_error, struct_size, 0);
AT(cmr_error, status, 4);
AT(cmr_error, os_errno, 8);
AT(cmr_error, line, 12);
AT(cmr_error, column, 16);
AT(cmr_error, reserved, 20);
AT(cmr_error, stage, 24);
AT(cmr_error, key, 40);
AT(cmr_error, message, 296);
END(cmr_error, message);

SIZE(cmr_change, 16);
AT(cmr_change, key, 0);
AT(cmr_change, kind, 8);
AT(cmr_change, reserved, 12);
END(cmr_change, reserved);

SIZE(cmr_violation, 48);
AT(cmr_violation, key, 0);
AT(cmr_violation, instance_path, 8);
AT(cmr_violation, schema_path, 16);
AT(cmr_violation, keyword, 24);
AT(cmr_violation, expected, 32);
AT(cmr_violation, line, 40);
AT(cmr_violation, column, 44);
END(cmr_violation, column);

SIZE(cmr_event, 80);
AT(cmr_event, struct_size, 0);
AT(cmr_event, kind, 4);
AT(cmr_event, cause, 8);
AT(cmr_event, reserved, 12);
AT(cmr_event, version, 16);
AT(cmr_event, snapshot, 24);
AT(cmr_event, previous, 32);
AT(cmr_event, changes, 40);
AT(cmr_event, change_count, 48);
AT(cmr_event, error, 56);
AT(cmr_event, violations, 64);
AT(cmr_event, violation_count, 72);
END(cmr_event, violation_count);

SIZE(cmr_stats, 104);
AT(cmr_stats, struct_size, 0);
AT(cmr_stats, healthy, 4);
AT(cmr_stats, version, 8);
AT(cmr_stats, reloads_succeeded, 16);
AT(cmr_stats, reloads_rejected, 24);
AT(cmr_stats, reloads_unchanged, 32);
AT(cmr_stats, source_errors, 40);
AT(cmr_stats, overflows, 48);
AT(cmr_stats, rescans, 56);
AT(cmr_stats, callbacks, 64);
AT(cmr_stats, last_success_ns, 72);
AT(cmr_stats, last_failure_ns, 80);
AT(cmr_stats, last_duration_ns, 88);
AT(cmr_stats, polling, 96);
AT(cmr_stats, held_snapshots, 100);
END(cmr_stats, held_snapshots);

SIZE(cmr_file, 32);
AT(cmr_file, key, 0);
AT(cmr_file, bytes, 8);
AT(cmr_file, size, 16);
AT(cmr_file, mode, 24);
AT(cmr_file, reserved, 28);
END(cmr_file, reserved);

SIZE(cmr_cell, 8);
AT(cmr_cell, bits, 0);
END(cmr_cell, bits);

NUMBER(CMR_OK, 0);
NUMBER(CMR_E_INVALID_ARGUMENT, 1);
NUMBER(CMR_E_NOT_FOUND, 2);
NUMBER(CMR_E_TYPE, 3);
NUMBER(CMR_E_RANGE, 4);
NUMBER(CMR_E_IO, 5);
NUMBER(CMR_E_PARSE, 6);
NUMBER(CMR_E_REJECTED, 7);
NUMBER(CMR_E_LIMIT, 8);
NUMBER(CMR_E_STATE, 9);
NUMBER(CMR_E_TIMEOUT, 10);
NUMBER(CMR_E_UNAVAILABLE, 11);
NUMBER(CMR_E_DENIED, 12);
NUMBER(CMR_E_NO_MEMORY, 13);

NUMBER(CMR_TYPE_NONE, -1);
NUMBER(CMR_TYPE_NULL, 0);
NUMBER(CMR_TYPE_BOOL, 1);
NUMBER(CMR_TYPE_INT64, 2);
NUMBER(CMR_TYPE_DOUBLE, 3);
NUMBER(CMR_TYPE_STRING, 4);
NUMBER(CMR_TYPE_ARRAY, 5);
NUMBER(CMR_TYPE_OBJECT, 6);
NUMBER(CMR_TYPE_BYTES, 7);

NUMBER(CMR_OPTION_SETTLE_MS, 1);
NUMBER(CMR_OPTION_RESCAN_MS, 2);
NUMBER(CMR_OPTION_POLL_MS, 3);
NUMBER(CMR_OPTION_OPTIONAL, 4);
NUMBER(CMR_OPTION_DISPATCH, 5);
NUMBER(CMR_OPTION_SENSITIVE, 9);
NUMBER(CMR_OPTION_SNIFF_JSON, 10);
NUMBER(CMR_OPTION_LENIENT, 11);
NUMBER(CMR_OPTION_MAX_VALUE_BYTES, 12);
NUMBER(CMR_OPTION_MAX_TOTAL_BYTES, 13);
NUMBER(CMR_OPTION_MAX_KEYS, 14);
NUMBER(CMR_OPTION_MAX_DEPTH, 15);

NUMBER(CMR_DISPATCH_THREAD, 0);
NUMBER(CMR_DISPATCH_MANUAL, 1);
NUMBER(CMR_SUBSCRIBE_MANUAL, 1);
NUMBER(CMR_SUBSCRIBE_DRAINED, 2);
NUMBER(CMR_SUBSCRIBE_UPCOMING, 4);

NUMBER(CMR_CHANGE_ADDED, 1);
NUMBER(CMR_CHANGE_REMOVED, 2);
NUMBER(CMR_CHANGE_MODIFIED, 3);

NUMBER(CMR_EVENT_PUBLISHED, 1);
NUMBER(CMR_EVENT_REJECTED, 2);
NUMBER(CMR_EVENT_SOURCE_LOST, 3);
NUMBER(CMR_EVENT_SOURCE_RECOVERED, 4);
NUMBER(CMR_EVENT_DRAINED, 5);
NUMBER(CMR_EVENT_UPCOMING, 6);

NUMBER(CMR_CAUSE_START, 1);
NUMBER(CMR_CAUSE_CHANGE, 2);
NUMBER(CMR_CAUSE_RELOAD, 3);

NUMBER(CMR_LOG_ERROR, 1);
NUMBER(CMR_LOG_WARN, 2);
NUMBER(CMR_LOG_INFO, 3);
NUMBER(CMR_LOG_DEBUG, 4);
