"""The types and functions of cmreload.h for ctypes. Written by generate.py; do not edit.

What they mean, own and block stands in the header, which is the manual. Pointers to what only the
library looks into are void pointers; so is text that comes with its size.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)

CMR_OK = 0
CMR_E_INVALID_ARGUMENT = 1
CMR_E_NOT_FOUND = 2
CMR_E_TYPE = 3
CMR_E_RANGE = 4
CMR_E_IO = 5
CMR_E_PARSE = 6
CMR_E_REJECTED = 7
CMR_E_LIMIT = 8
CMR_E_STATE = 9
CMR_E_TIMEOUT = 10
CMR_E_UNAVAILABLE = 11
CMR_E_DENIED = 12
CMR_E_NO_MEMORY = 13
CMR_TYPE_NONE = -1
CMR_TYPE_NULL = 0
CMR_TYPE_BOOL = 1
CMR_TYPE_INT64 = 2
CMR_TYPE_DOUBLE = 3
CMR_TYPE_STRING = 4
CMR_TYPE_ARRAY = 5
CMR_TYPE_OBJECT = 6
CMR_TYPE_BYTES = 7
CMR_OPTION_SETTLE_MS = 1
CMR_OPTION_RESCAN_MS = 2
CMR_OPTION_POLL_MS = 3
CMR_OPTION_OPTIONAL = 4
CMR_OPTION_DISPATCH = 5
CMR_OPTION_HISTORY = 6
CMR_OPTION_DRAIN_MS = 7
CMR_OPTION_CONFIRM_MS = 8
CMR_OPTION_SENSITIVE = 9
CMR_OPTION_SNIFF_JSON = 10
CMR_OPTION_LENIENT = 11
CMR_OPTION_MAX_VALUE_BYTES = 12
CMR_OPTION_MAX_TOTAL_BYTES = 13
CMR_OPTION_MAX_KEYS = 14
CMR_OPTION_MAX_DEPTH = 15
CMR_OPTION_EXPAND_ENVIRONMENT = 16
CMR_OPTION_ASSERT_FORMAT = 17
CMR_FORMAT_TEXT = 0
CMR_FORMAT_JSON = 1
CMR_FORMAT_YAML = 2
CMR_FORMAT_TOML = 3
CMR_FORMAT_PROPERTIES = 4
CMR_FORMAT_DOTENV = 5
CMR_FORMAT_INI = 6
CMR_DISPATCH_THREAD = 0
CMR_DISPATCH_MANUAL = 1
CMR_SUBSCRIBE_MANUAL = 1
CMR_SUBSCRIBE_DRAINED = 2
CMR_SUBSCRIBE_UPCOMING = 4
CMR_CHANGE_ADDED = 1
CMR_CHANGE_REMOVED = 2
CMR_CHANGE_MODIFIED = 3
CMR_EVENT_PUBLISHED = 1
CMR_EVENT_REJECTED = 2
CMR_EVENT_SOURCE_LOST = 3
CMR_EVENT_SOURCE_RECOVERED = 4
CMR_EVENT_DRAINED = 5
CMR_EVENT_UPCOMING = 6
CMR_CAUSE_START = 1
CMR_CAUSE_CHANGE = 2
CMR_CAUSE_RELOAD = 3
CMR_CAUSE_ROLLBACK = 4
CMR_LOG_ERROR = 1
CMR_LOG_WARN = 2
CMR_LOG_INFO = 3
CMR_LOG_DEBUG = 4


class cmr_error(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("os_errno", c_int32),
        ("line", c_uint32),
        ("column", c_uint32),
        ("reserved", c_uint32),
        ("stage", c_char * 16),
        ("key", c_char * 256),
        ("message", c_char * 512),
    ]


class cmr_cell(ctypes.Structure):
    _fields_ = [
        ("bits", c_uint64),
    ]


class cmr_change(ctypes.Structure):
    _fields_ = [
        ("key", c_char_p),
        ("kind", c_uint32),
        ("reserved", c_uint32),
    ]


class cmr_violation(ctypes.Structure):
    _fields_ = [
        ("key", c_char_p),
        ("instance_path", c_char_p),
        ("schema_path", c_char_p),
        ("keyword", c_char_p),
        ("expected", c_char_p),
        ("line", c_uint32),
        ("column", c_uint32),
    ]


class cmr_stats(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("healthy", c_uint32),
        ("version", c_uint64),
        ("reloads_succeeded", c_uint64),
        ("reloads_rejected", c_uint64),
        ("reloads_unchanged", c_uint64),
        ("source_errors", c_uint64),
        ("overflows", c_uint64),
        ("rescans", c_uint64),
        ("callbacks", c_uint64),
        ("last_success_ns", c_int64),
        ("last_failure_ns", c_int64),
        ("last_duration_ns", c_int64),
        ("polling", c_uint32),
        ("held_snapshots", c_uint32),
    ]


class cmr_file(ctypes.Structure):
    _fields_ = [
        ("key", c_char_p),
        ("bytes", c_void_p),
        ("size", c_size_t),
        ("mode", c_uint32),
        ("reserved", c_uint32),
    ]


class cmr_event(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_uint32),
        ("cause", c_uint32),
        ("reserved", c_uint32),
        ("version", c_uint64),
        ("snapshot", c_void_p),
        ("previous", c_void_p),
        ("changes", POINTER(cmr_change)),
        ("change_count", c_size_t),
        ("error", POINTER(cmr_error)),
        ("violations", POINTER(cmr_violation)),
        ("violation_count", c_size_t),
    ]


cmr_closed_fn = CFUNCTYPE(None, c_void_p)
cmr_event_fn = CFUNCTYPE(None, c_void_p, POINTER(cmr_event))
cmr_validate_fn = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(cmr_error))
cmr_parse_fn = CFUNCTYPE(
    c_int32, c_void_p, c_char_p, c_void_p, c_size_t, c_void_p, POINTER(cmr_error)
)
cmr_log_fn = CFUNCTYPE(None, c_void_p, c_int32, c_char_p, c_size_t)

# Of each function what it returns and what it takes.
FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "cmr_status_name": (c_char_p, [c_int32]),
    "cmr_version": (c_char_p, []),
    "cmr_abi_version": (c_uint32, []),
    "cmr_free": (None, [c_void_p]),
    "cmr_watcher_create": (c_int32, [POINTER(c_void_p)]),
    "cmr_watcher_set_name": (c_int32, [c_void_p, c_char_p, POINTER(cmr_error)]),
    "cmr_watcher_set_option": (c_int32, [c_void_p, c_int32, c_int64]),
    "cmr_watcher_add_mount": (c_int32, [c_void_p, c_char_p, POINTER(cmr_error)]),
    "cmr_watcher_add_file": (c_int32, [c_void_p, c_char_p, POINTER(cmr_error)]),
    "cmr_watcher_add_environment": (c_int32, [c_void_p, c_char_p, POINTER(cmr_error)]),
    "cmr_watcher_add_default": (
        c_int32,
        [
            c_void_p,
            c_char_p,
            c_void_p,
            c_size_t,
            POINTER(cmr_error),
        ],
    ),
    "cmr_watcher_set_closed": (c_int32, [c_void_p, cmr_closed_fn, c_void_p]),
    "cmr_watcher_start": (c_int32, [c_void_p, POINTER(cmr_error)]),
    "cmr_watcher_stop": (c_int32, [c_void_p, c_int64]),
    "cmr_watcher_destroy": (None, [c_void_p]),
    "cmr_watcher_acquire": (c_void_p, [c_void_p]),
    "cmr_snapshot_retain": (c_void_p, [c_void_p]),
    "cmr_snapshot_release": (None, [c_void_p]),
    "cmr_snapshot_version": (c_uint64, [c_void_p]),
    "cmr_snapshot_published_ns": (c_int64, [c_void_p]),
    "cmr_snapshot_checksum": (c_char_p, [c_void_p]),
    "cmr_snapshot_generation": (c_char_p, [c_void_p]),
    "cmr_snapshot_count": (c_size_t, [c_void_p]),
    "cmr_snapshot_key": (c_int32, [c_void_p, c_size_t, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_snapshot_bytes": (c_int32, [c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_snapshot_string": (c_int32, [c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_snapshot_int64": (c_int32, [c_void_p, c_char_p, POINTER(c_int64)]),
    "cmr_snapshot_double": (c_int32, [c_void_p, c_char_p, POINTER(c_double)]),
    "cmr_snapshot_bool": (c_int32, [c_void_p, c_char_p, POINTER(c_bool)]),
    "cmr_snapshot_duration": (c_int32, [c_void_p, c_char_p, POINTER(c_int64)]),
    "cmr_snapshot_quantity": (c_int32, [c_void_p, c_char_p, POINTER(c_int64)]),
    "cmr_snapshot_json": (c_int32, [c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_snapshot_value": (c_void_p, [c_void_p, c_char_p]),
    "cmr_value_type": (c_int32, [c_void_p]),
    "cmr_value_count": (c_size_t, [c_void_p]),
    "cmr_value_at": (c_void_p, [c_void_p, c_size_t]),
    "cmr_value_member": (c_void_p, [c_void_p, c_char_p]),
    "cmr_value_name_at": (c_int32, [c_void_p, c_size_t, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_value_string": (c_int32, [c_void_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_value_bytes": (c_int32, [c_void_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_value_int64": (c_int32, [c_void_p, POINTER(c_int64)]),
    "cmr_value_double": (c_int32, [c_void_p, POINTER(c_double)]),
    "cmr_value_bool": (c_int32, [c_void_p, POINTER(c_bool)]),
    "cmr_watcher_version": (c_uint64, [c_void_p]),
    "cmr_watcher_version_word": (POINTER(c_uint64), [c_void_p]),
    "cmr_reader_create": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "cmr_reader_destroy": (None, [c_void_p]),
    "cmr_reader_current": (c_void_p, [c_void_p]),
    "cmr_reader_park": (None, [c_void_p]),
    "cmr_watcher_bind_int64": (c_int32, [c_void_p, c_char_p, c_int64, POINTER(c_void_p)]),
    "cmr_watcher_bind_double": (c_int32, [c_void_p, c_char_p, c_double, POINTER(c_void_p)]),
    "cmr_watcher_bind_bool": (c_int32, [c_void_p, c_char_p, c_bool, POINTER(c_void_p)]),
    "cmr_watcher_subscribe": (
        c_int32,
        [
            c_void_p,
            c_char_p,
            c_uint32,
            cmr_event_fn,
            c_void_p,
            POINTER(c_uint64),
            POINTER(cmr_error),
        ],
    ),
    "cmr_watcher_unsubscribe": (c_int32, [c_void_p, c_uint64]),
    "cmr_watcher_event_fd": (c_int, [c_void_p]),
    "cmr_watcher_dispatch": (c_int32, [c_void_p, POINTER(c_size_t)]),
    "cmr_watcher_reload": (c_int32, [c_void_p, c_int64, POINTER(c_uint64), POINTER(cmr_error)]),
    "cmr_watcher_request_reload": (None, [c_void_p]),
    "cmr_watcher_wait": (c_int32, [c_void_p, c_uint64, c_int64, POINTER(c_uint64)]),
    "cmr_watcher_set_schema": (
        c_int32,
        [
            c_void_p,
            c_char_p,
            c_char_p,
            c_size_t,
            POINTER(cmr_error),
        ],
    ),
    "cmr_watcher_add_schema": (
        c_int32,
        [
            c_void_p,
            c_char_p,
            c_char_p,
            c_size_t,
            POINTER(cmr_error),
        ],
    ),
    "cmr_watcher_violations": (c_int32, [c_void_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "cmr_watcher_set_validator": (c_int32, [c_void_p, cmr_validate_fn, c_void_p]),
    "cmr_watcher_rollback": (c_int32, [c_void_p, c_uint64, POINTER(c_uint64), POINTER(cmr_error)]),
    "cmr_watcher_confirm": (c_int32, [c_void_p, c_uint64]),
    "cmr_watcher_history": (c_int32, [c_void_p, c_size_t, POINTER(c_void_p)]),
    "cmr_watcher_drain": (c_int32, [c_void_p, c_uint64, c_int64, POINTER(c_size_t)]),
    "cmr_watcher_set_format": (c_int32, [c_void_p, c_char_p, c_int32, POINTER(cmr_error)]),
    "cmr_watcher_set_parser": (
        c_int32,
        [
            c_void_p,
            c_char_p,
            cmr_parse_fn,
            c_void_p,
            POINTER(cmr_error),
        ],
    ),
    "cmr_sink_write": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "cmr_watcher_stats": (c_int32, [c_void_p, POINTER(cmr_stats)]),
    "cmr_watcher_metrics": (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    "cmr_metrics": (c_int32, [c_void_p, c_size_t, POINTER(c_size_t)]),
    "cmr_set_log_handler": (c_int32, [cmr_log_fn, c_void_p, c_int32]),
    "cmr_mount_write": (c_int32, [c_char_p, POINTER(cmr_file), c_size_t, POINTER(cmr_error)]),
    "cmr_after_fork_child": (c_int32, []),
}
