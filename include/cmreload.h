/* libcmreload: Kubernetes ConfigMaps, reloaded while the process runs.
 *
 * A watcher is given sources: mounted ConfigMaps and Secrets, directories, files, environment
 * variables, defaults. It loads them into one snapshot: every key of every source, read from one
 * generation, parsed, immutable. When a source changes, the watcher loads again and publishes a
 * new snapshot with the next version number, and tells its subscribers what changed. What cannot
 * be read or parsed is rejected as a whole, and the last good snapshot stays the current one.
 *
 * Readers take no lock and never wait: they hold a snapshot for as long as they like, and it does
 * not change under them. This header is the manual; there is no other reference.
 *
 * Quick start: print a setting whenever it changes.
 *
 *   #include <cmreload.h>
 *   #include <stdio.h>
 *
 *   static void changed(void *context, const cmr_event *event)
 *   {
 *       int64_t limit = 100;
 *       cmr_snapshot_int64(event->snapshot, "server.json#/limit", &limit);
 *       printf("%s: the limit is %lld\n", (const char *)context, (long long)limit);
 *   }
 *
 *   int main(void)
 *   {
 *       cmr_watcher *watcher = NULL;
 *       cmr_error error = CMR_ERROR_INIT;
 *       if (cmr_watcher_create(&watcher) != CMR_OK
 *           || cmr_watcher_add_mount(watcher, "/etc/config", &error) != CMR_OK
 *           || cmr_watcher_subscribe(watcher, NULL, 0, changed, "demo", NULL, &error) != CMR_OK
 *           || cmr_watcher_start(watcher, &error) != CMR_OK) {
 *           fprintf(stderr, "%s: %s\n", error.key, error.message);
 *           return 1;
 *       }
 *       getchar();
 *       cmr_watcher_destroy(watcher);
 *       return 0;
 *   }
 *
 * Rules that hold everywhere
 *
 * Results    A function that can fail returns a cmr_status. It writes its outputs on CMR_OK only
 *            (held_out of cmr_watcher_drain on CMR_E_TIMEOUT too, size_out of the metrics on
 *            CMR_E_LIMIT too); there is no partial success. Functions without a status answer NULL,
 *            0 or -1 when they are given NULL; those that destroy, release or free then do nothing.
 * NULL       Every pointer is checked: CMR_E_INVALID_ARGUMENT. NULL is allowed for error, id_out,
 *            version_out, handled_out, held_out, size_out (but of the metrics), for a callback's
 *            context, and for bytes of size 0. The inline functions do not check.
 * Errors     A cmr_error is the caller's memory: there is nothing to free. It is written on every
 *            failure and left alone on CMR_OK.
 * Ownership  The words are always the same. retained for the caller: give it back with the
 *            release function. borrowed until X: valid until then, never freed. copied: the
 *            library keeps its own, yours may go. static: never freed. yours: cmr_free.
 * Threads    A watcher and a snapshot may be used by any number of threads at once, a reader by
 *            one at a time. Only cmr_watcher_destroy must be the last call on its watcher.
 * Callbacks  They run on threads of the library's, or inside cmr_watcher_start and
 *            cmr_watcher_dispatch on the caller's. Inside a callback every function may be called
 *            but start, stop, reload, wait, drain and dispatch of any watcher: these answer
 *            CMR_E_STATE there. A callback's context comes first and may be NULL. A callback
 *            returns: no exception, longjmp(3) or pthread_exit(3) leads out of it. A thread that
 *            is cancelled, pthread_cancel(3), in wait, reload or drain returns from it first; in
 *            nothing else that blocks it may be.
 * Signals    All are blocked on the library's threads but those of faults (SIGSEGV, SIGBUS, SIGFPE,
 *            SIGILL, SIGTRAP, SIGSYS): one in a callback is the host's handler's.
 * Text       UTF-8, NUL-terminated as well as counted; sizes leave the NUL out. Raw bytes are
 *            followed by a NUL too. Text cut to fit a cmr_error is cut between characters.
 * Keys       Kubernetes' names of the entries of a ConfigMap: 1 to 4095 bytes of UTF-8.
 * Paths      A path is a key, or KEY#/pointer with an RFC 6901 pointer into the key's parsed
 *            value: "limit", "features.json#/dark_mode", "features.json#/rollout/0". A path that
 *            is itself a key, whole, means that key.
 * Formats    The end of a key says what its value is: .json (RFC 8259), .yaml or .yml (YAML 1.2,
 *            core schema, one document: yes and 0777 are text), .toml (TOML 1.0; dates are text),
 *            .properties (as Java reads them), .env (assignments, quotes; nothing is replaced),
 *            .ini (sections are objects). Any other key is text. Of members with the same name the
 *            last one wins; YAML and TOML refuse them. cmr_watcher_set_format says it of keys
 *            without such an end, cmr_watcher_set_parser brings formats of one's own.
 * Reading    Every string, the text of a key or one inside a parsed value, reads by the same
 *            rules: "100" is an int64, "0.5" a double, "true", "yes", "on" and "1" are true,
 *            "false", "no", "off" and "0" are false, in upper or lower case. An int64 may be
 *            written as a double without fraction; a double may be an int64; a bool is no number.
 * Time       timeout_ms: negative waits for ever, 0 does not wait. Names that end in _ns hold
 *            nanoseconds: Unix time, unless they are durations.
 * States     created: nothing is watched. Everything is legal but reload, rollback, confirm, drain
 *            and dispatch.
 *            started: sources, name and options are fixed; everything else is legal.
 *            stopped: final. Reading, history, statistics, unsubscribe and destroy are legal.
 *            What is not legal in a state answers CMR_E_STATE and changes nothing.
 * Fork       Nothing runs in a forked child by itself. Snapshots, values, cells and the version
 *            word can be read there at once; start, stop, reload, rollback, confirm, wait, drain,
 *            dispatch, set_validator, set_format and set_parser answer CMR_E_STATE until
 *            cmr_after_fork_child. A child that goes on to exec needs nothing of this, nor does one
 *            of a process that had not started a watcher. A file that a thread of the library's
 *            reads just then stays open in the child, until it execs or exits.
 * Guest      The library installs no signal handler, prints nothing, and changes no environment,
 *            locale, umask or working directory. No value of a key reaches an error or a log.
 * Versions   Structs that begin with struct_size grow at the end: set it to sizeof, as the _INIT
 *            macros do. The library writes at most struct_size bytes; a struct smaller than in
 *            1.0 is CMR_E_INVALID_ARGUMENT, and an error struct is then left alone. Structs
 *            without struct_size never change under this SONAME. Numbers are never reused:
 *            ignore the kinds, types and levels that you do not know.
 */
#ifndef CMRELOAD_H
#define CMRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; cmr_version and cmr_abi_version tell that of the loaded library. */
#define CMR_VERSION_MAJOR 1
#define CMR_VERSION_MINOR 0
#define CMR_VERSION_PATCH 0
#define CMR_VERSION "1.0.0"

/* ---- Statuses and errors ------------------------------------------------------------------- */

/* The answer of a function that can fail: one of the numbers below. */
typedef int32_t cmr_status;

/* The statuses. */
enum {
    CMR_OK = 0,
    CMR_E_INVALID_ARGUMENT = 1, /* NULL, a struct that is too small, a value that is not allowed */
    CMR_E_NOT_FOUND = 2,        /* no such key, path or id */
    CMR_E_TYPE = 3,             /* it is there, but cannot be read as that type */
    CMR_E_RANGE = 4,            /* a number that does not fit */
    CMR_E_IO = 5,               /* the operating system said no: os_errno says how */
    CMR_E_PARSE = 6,            /* content that is not what its format demands: line and column */
    CMR_E_REJECTED = 7,         /* content that was parsed, but must not be published */
    CMR_E_LIMIT = 8,            /* a limit of size, depth or count */
    CMR_E_STATE = 9,            /* not now, or not from in here */
    CMR_E_TIMEOUT = 10,         /* the time was up */
    CMR_E_UNAVAILABLE = 11,     /* something outside of the process cannot be reached */
    CMR_E_DENIED = 12,          /* no permission: os_errno says how */
    CMR_E_NO_MEMORY = 13        /* an allocation failed */
};

/* What went wrong, for a program (the numbers) and for a person (the message).
 *
 * Lifetime   the caller's memory; begin with CMR_ERROR_INIT, and use it as often as you like.
 */
typedef struct cmr_error {
    uint32_t struct_size; /* sizeof(cmr_error) */
    cmr_status status;    /* the status that the function returned */
    int32_t os_errno;     /* the errno of CMR_E_IO and CMR_E_DENIED, otherwise 0 */
    uint32_t line;        /* where content does not parse, counted from 1, otherwise 0 */
    uint32_t column;      /* in bytes, counted from 1, otherwise 0 */
    uint32_t reserved;    /* 0 */
    char stage[16];       /* "load", "parse", "publish" and the like, or "" */
    char key[256];        /* the key, path or source that it is about, or "" */
    char message[512];    /* one sentence for a person; holds no value of a key */
} cmr_error;

/* The initial value of a cmr_error. */
#define CMR_ERROR_INIT { (uint32_t)sizeof(cmr_error), 0, 0, 0, 0, 0, "", "", "" }

/* Names a status as this header spells it: "CMR_E_PARSE".
 *
 * Ownership  static; "unknown" for a number that is no status, never NULL.
 * Threads    any; in signal handlers too.
 * Blocks     no.
 */
const char *cmr_status_name(cmr_status status);

/* Tells the version of the loaded library: "1.0.0".
 *
 * Ownership  static.
 * Threads    any; in signal handlers too.
 * Blocks     no.
 */
const char *cmr_version(void);

/* Tells the version of the interface of the loaded library: major << 16 | minor.
 *
 * Threads    any; in signal handlers too.
 * Blocks     no.
 */
uint32_t cmr_abi_version(void);

/* Frees what the library gave as yours, wiped, since it may be a secret; does nothing with NULL.
 *
 * Threads    any.
 * Blocks     no.
 */
void cmr_free(void *memory);

/* ---- Types --------------------------------------------------------------------------------- */

/* Sources in, versions out. */
typedef struct cmr_watcher cmr_watcher;

/* One immutable, consistent version of the configuration.
 *
 * Lifetime   counted: acquired or retained, then released. It outlives its watcher.
 */
typedef struct cmr_snapshot cmr_snapshot;

/* One value inside a snapshot: a scalar, an array, an object.
 *
 * Lifetime   borrowed until its snapshot is released.
 */
typedef struct cmr_value cmr_value;

/* One thread's view of a watcher: it looks for a newer snapshot only when there is one.
 *
 * Lifetime   yours; it outlives its watcher.
 */
typedef struct cmr_reader cmr_reader;

/* One bound value, in the library's memory: read it with cmr_cell_int64, cmr_cell_double or
 * cmr_cell_bool, whichever it was bound for.
 *
 * Lifetime   borrowed until the watcher is destroyed and the last of its snapshots and readers
 *            released.
 */
typedef struct cmr_cell {
    uint64_t bits; /* an int64_t, the bits of a double, or 0 or 1; one aligned atomic load */
} cmr_cell;

/* Where a cmr_parse_fn writes to.
 *
 * Lifetime   the call of that function.
 */
typedef struct cmr_sink cmr_sink;

/* What a cmr_value is. */
enum {
    CMR_TYPE_NONE = -1, /* no value: cmr_value_type was given NULL */
    CMR_TYPE_NULL = 0,
    CMR_TYPE_BOOL = 1,
    CMR_TYPE_INT64 = 2,
    CMR_TYPE_DOUBLE = 3,
    CMR_TYPE_STRING = 4,
    CMR_TYPE_ARRAY = 5,
    CMR_TYPE_OBJECT = 6,
    CMR_TYPE_BYTES = 7 /* the content of a text key that is not UTF-8; !!binary in YAML */
};

/* The options of cmr_watcher_set_option. Milliseconds are 0 to a hundred years, sizes and counts 1
 * to 64 Ti; what is a switch is 0 or 1.
 */
enum {
    CMR_OPTION_SETTLE_MS = 1,        /* 100: plain directories and files load after this quiet time,
                                      * at most ten times as long; a mount never waits */
    CMR_OPTION_RESCAN_MS = 2,        /* 10000: how often all sources are read again, behind the
                                      * kernel's notifications; what is changed in place within a
                                      * generation of a mount shows then, not before; 0 never */
    CMR_OPTION_POLL_MS = 3,          /* 1000, at least 1: the same where the kernel cannot notify */
    CMR_OPTION_OPTIONAL = 4,         /* 0; 1: a source added from now on that is missing at start is
                                      * empty, not an error */
    CMR_OPTION_DISPATCH = 5,         /* CMR_DISPATCH_THREAD, or CMR_DISPATCH_MANUAL; what it is at
                                      * start holds for subscribers that came before */
    CMR_OPTION_HISTORY = 6,          /* 10, at most 1000: how many versions before the current one
                                      * are kept, to look back and to go back */
    CMR_OPTION_DRAIN_MS = 7,         /* 0; how long publishing waits for who holds the current
                                      * version; start and rollback do not wait */
    CMR_OPTION_CONFIRM_MS = 8,       /* 0; else a version that a change or a reload published goes
                                      * away again unless it is confirmed within this time */
    CMR_OPTION_SENSITIVE = 9,        /* 0; 1: values are secrets, and so are the names of members in
                                      * them, but not those of keys: the library's memory is wiped
                                      * before it is freed, the checksum is in no metric, and of a
                                      * violation the place is told with * for each such name; the
                                      * schema_path has those that the schema says itself */
    CMR_OPTION_SNIFF_JSON = 10,      /* 0; 1: keys that no suffix gives a format are parsed as JSON
                                      * when they are JSON */
    CMR_OPTION_LENIENT = 11,         /* 0; 1: what does not parse is kept as text instead of
                                      * rejecting the reload */
    CMR_OPTION_MAX_VALUE_BYTES = 12, /* 4 Mi, at most 1 Gi: of one key */
    CMR_OPTION_MAX_TOTAL_BYTES = 13, /* 32 Mi: of all keys of all sources together */
    CMR_OPTION_MAX_KEYS = 14,        /* 65536: of all sources together */
    CMR_OPTION_MAX_DEPTH = 15,       /* 128, at most 1024: of arrays and objects in each other */
    CMR_OPTION_EXPAND_ENVIRONMENT = 16, /* 0; 1: in the text of keys that are text $(NAME) becomes
                                      * the environment variable's value and $$ a dollar sign, as
                                      * Kubernetes does it when a value is loaded; what names no
                                      * variable stays, and is told at CMR_LOG_WARN. The bytes of
                                      * the key stay as stored */
    CMR_OPTION_ASSERT_FORMAT = 17    /* 0; 1: in schemas that are set from now on the keyword format
                                      * rejects what it names wrong, instead of annotating */
};

/* The formats of cmr_watcher_set_format. */
enum {
    CMR_FORMAT_TEXT = 0,
    CMR_FORMAT_JSON = 1,
    CMR_FORMAT_YAML = 2,
    CMR_FORMAT_TOML = 3,
    CMR_FORMAT_PROPERTIES = 4,
    CMR_FORMAT_DOTENV = 5,
    CMR_FORMAT_INI = 6
};

/* The values of CMR_OPTION_DISPATCH. */
enum {
    CMR_DISPATCH_THREAD = 0, /* subscribers are called on threads of the library's */
    CMR_DISPATCH_MANUAL = 1  /* all subscribers are called in cmr_watcher_dispatch */
};

/* The flags of cmr_watcher_subscribe. */
enum {
    CMR_SUBSCRIBE_MANUAL = 1, /* this subscriber is called in cmr_watcher_dispatch */
    CMR_SUBSCRIBE_DRAINED = 2, /* it hears of CMR_EVENT_DRAINED too */
    CMR_SUBSCRIBE_UPCOMING = 4 /* it hears of CMR_EVENT_UPCOMING too */
};

/* The kinds of a cmr_change. */
enum {
    CMR_CHANGE_ADDED = 1,
    CMR_CHANGE_REMOVED = 2,
    CMR_CHANGE_MODIFIED = 3
};

/* The kinds of a cmr_event. */
enum {
    CMR_EVENT_PUBLISHED = 1,       /* a new version is current */
    CMR_EVENT_REJECTED = 2,        /* new content was not published; current stays what it was */
    CMR_EVENT_SOURCE_LOST = 3,     /* a source is gone or empty; its last good content stays */
    CMR_EVENT_SOURCE_RECOVERED = 4, /* it is back */
    CMR_EVENT_DRAINED = 5,         /* nobody holds a former version any more */
    CMR_EVENT_UPCOMING = 6         /* a mount is being updated: a version may follow in a moment */
};

/* The causes of a cmr_event. */
enum {
    CMR_CAUSE_START = 1,  /* cmr_watcher_start */
    CMR_CAUSE_CHANGE = 2, /* a source changed */
    CMR_CAUSE_RELOAD = 3, /* cmr_watcher_reload or cmr_watcher_request_reload */
    CMR_CAUSE_ROLLBACK = 4 /* cmr_watcher_rollback, or a version that nobody confirmed */
};

/* The levels of the log. */
enum {
    CMR_LOG_ERROR = 1,
    CMR_LOG_WARN = 2,
    CMR_LOG_INFO = 3,
    CMR_LOG_DEBUG = 4
};

/* One key that differs between two snapshots. */
typedef struct cmr_change {
    const char *key;
    uint32_t kind;     /* CMR_CHANGE_ADDED, CMR_CHANGE_REMOVED or CMR_CHANGE_MODIFIED */
    uint32_t reserved; /* 0 */
} cmr_change;

/* One rule that content breaks. */
typedef struct cmr_violation {
    const char *key;           /* the key whose value breaks it; "": the configuration does */
    const char *instance_path; /* the RFC 6901 pointer to the value within the key; with
                                * CMR_OPTION_SENSITIVE each name of a member in it is * */
    const char *schema_path;   /* the RFC 6901 pointer to the rule */
    const char *keyword;       /* the rule's name */
    const char *expected;      /* what would have been right */
    uint32_t line;             /* where the value begins, counted from 1; 0: the configuration as a
                                * whole, or the name of a key, breaks it, which is in no text */
    uint32_t column;           /* in bytes, counted from 1; 0 where line is */
} cmr_violation;

/* What a subscriber is told.
 *
 * Lifetime   it and all that it points to: the call. The snapshots may be retained.
 */
typedef struct cmr_event {
    uint32_t struct_size;            /* the library's */
    uint32_t kind;                   /* CMR_EVENT_PUBLISHED and the like */
    uint32_t cause;                  /* CMR_CAUSE_START and the like */
    uint32_t reserved;               /* 0 */
    uint64_t version;                /* that of snapshot; DRAINED: the highest that nobody holds
                                      * any more */
    const cmr_snapshot *snapshot;    /* PUBLISHED: the new one; otherwise the current one */
    const cmr_snapshot *previous;    /* PUBLISHED: the one of the event before; NULL at START */
    const cmr_change *changes;       /* PUBLISHED: from previous to snapshot, sorted by key */
    size_t change_count;
    const cmr_error *error;          /* REJECTED: why; SOURCE_LOST, SOURCE_RECOVERED: key names
                                      * the source; otherwise NULL */
    const cmr_violation *violations; /* REJECTED by a schema: at most 100; otherwise NULL */
    size_t violation_count;
} cmr_event;

/* What a watcher has done so far. */
typedef struct cmr_stats {
    uint32_t struct_size;        /* sizeof(cmr_stats) */
    uint32_t healthy;            /* 1: there is a current version, the last attempt was not
                                  * rejected, no source is lost; otherwise 0 */
    uint64_t version;            /* the current one; 0 before the first */
    uint64_t reloads_succeeded;  /* versions that were published, the first one and rollbacks
                                  * included */
    uint64_t reloads_rejected;   /* attempts that did not publish for a reason; one for each
                                  * distinct bad content */
    uint64_t reloads_unchanged;  /* attempts that found what is current, rescans left out */
    uint64_t source_errors;      /* reads of a source that failed */
    uint64_t overflows;          /* the kernel dropped notifications; all was looked at again */
    uint64_t rescans;            /* looks at the sources that no notification asked for */
    uint64_t callbacks;          /* calls of subscribers */
    int64_t last_success_ns;     /* when content was last found good; 0 never */
    int64_t last_failure_ns;     /* when content was last rejected or a source lost; 0 never */
    int64_t last_duration_ns;    /* how long the last attempt took */
    uint32_t polling;            /* sources that are polled since the kernel cannot notify */
    uint32_t held_snapshots;     /* snapshots that callers hold */
} cmr_stats;

/* The initial value of a cmr_stats. */
#define CMR_STATS_INIT { (uint32_t)sizeof(cmr_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* One file of a mount, for cmr_mount_write. */
typedef struct cmr_file {
    const char *key;   /* its name; may name directories: "user/labels" */
    const void *bytes; /* NULL when size is 0 */
    size_t size;
    uint32_t mode;     /* permission bits, at most 0777; 0 means 0644 */
    uint32_t reserved; /* 0 */
} cmr_file;

/* Tells the owner of a watcher that its callbacks are over.
 *
 * Threads    the one that destroys the watcher; when the watcher was destroyed inside a callback
 *            while callbacks of its own ran, the thread on which the last of them returns: one of
 *            the library's, or that of cmr_watcher_start or cmr_watcher_dispatch.
 * Blocks     may: cmr_watcher_destroy, or the other function on whose thread it runs, waits for it.
 * Calls      as any callback, but nothing on its own watcher: the handle is dead.
 * Ends       called exactly once, by or after cmr_watcher_destroy, when no other callback of the
 *            watcher runs or will ever run: contexts may be freed here.
 */
typedef void (*cmr_closed_fn)(void *context);

/* Hears what happens to a watcher.
 *
 * Lifetime   the event and all that it points to: the call. The snapshots may be retained.
 * Threads    a thread of the library's, or that of cmr_watcher_dispatch; the first PUBLISHED, of
 *            cause START, comes on the thread of cmr_watcher_start. Calls to the subscribers of one
 *            watcher never overlap, in either of these two kinds, and come in version order.
 * Blocks     may: it then delays the other subscribers of its watcher, not reads, not publishing,
 *            not other watchers. Versions that are published meanwhile come as one event. That
 *            holds for up to 256 callbacks that block at once; while there are so many, further
 *            ones on the library's threads wait for one to return, and all else goes on.
 * Calls      everything but start, stop, reload, wait, drain and dispatch of any watcher. It may
 *            unsubscribe itself and destroy its own watcher.
 * Ends       never called again when cmr_watcher_unsubscribe, a successful cmr_watcher_stop or
 *            cmr_watcher_destroy has returned; from inside a callback, when that callback has.
 */
typedef void (*cmr_event_fn)(void *context, const cmr_event *event);

/* Has the last word on a candidate before it is published: CMR_OK lets it pass, anything else
 * rejects it as CMR_E_REJECTED with the key, message, line and column that were written to error.
 *
 * The candidate passed everything else. It is read like any snapshot; its version is 0 until it is
 * published, as the same pointer. Retained, it stays readable also when it is rejected.
 *
 * Lifetime   candidate and error: the call.
 * Threads    the one that loads: a thread of the library's, or that of cmr_watcher_start,
 *            cmr_watcher_set_validator, cmr_watcher_set_format or cmr_watcher_set_parser. Calls for
 *            one watcher never overlap.
 * Blocks     may: it then delays the reloads of its watcher, nothing else.
 * Calls      functions of snapshots and values, cmr_watcher_acquire and cmr_watcher_request_reload
 *            only.
 * Ends       never called again when cmr_watcher_set_validator has replaced it, or a successful
 *            cmr_watcher_stop or cmr_watcher_destroy has returned; destroyed inside a callback,
 *            when cmr_closed_fn is called.
 */
typedef cmr_status (*cmr_validate_fn)(void *context, const cmr_snapshot *candidate,
                                      cmr_error *error);

/* Parses a value: writes it as JSON to the sink, and that is parsed as any JSON is. Anything but
 * CMR_OK rejects the value as CMR_E_PARSE with the message, line and column written to error.
 *
 * What was written needs to be JSON only once it is complete, and is held to the limits of the
 * watcher. A value is parsed when it is new, not at each load.
 *
 * Lifetime   key, bytes, json and error: the call. A NUL follows the bytes.
 * Threads    the one that loads: a thread of the library's, or that of cmr_watcher_start,
 *            cmr_watcher_set_parser or cmr_watcher_set_format. Calls for one watcher never overlap.
 * Blocks     may: it then delays the reloads of its watcher, nothing else.
 * Calls      cmr_sink_write, cmr_watcher_acquire, cmr_watcher_request_reload and functions of
 *            snapshots and values only.
 * Ends       never called again when a successful cmr_watcher_stop or cmr_watcher_destroy has
 *            returned; destroyed inside a callback, when cmr_closed_fn is called.
 */
typedef cmr_status (*cmr_parse_fn)(void *context, const char *key, const void *bytes, size_t size,
                                   cmr_sink *json, cmr_error *error);

/* Receives one line of the log: UTF-8 without a line feed, NUL-terminated, no value of a key in it.
 *
 * Lifetime   message: the call.
 * Threads    any, several at once; no lock is held.
 * Blocks     should not: it delays the thread that has something to say.
 * Calls      cmr_status_name and cmr_version only.
 * Ends       never called again when cmr_set_log_handler has replaced it.
 */
typedef void (*cmr_log_fn)(void *context, int32_t level, const char *message, size_t size);

/* ---- A watcher: sources in, versions out --------------------------------------------------- */

/* Creates a watcher that has no sources yet.
 *
 * Ownership  yours: give it back with cmr_watcher_destroy.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher_out is NULL
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_create(cmr_watcher **watcher_out);

/* Gives the watcher a name for the log and the metrics.
 *
 * Ownership  name is copied.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or name is NULL; name is not UTF-8; error is too small
 *            CMR_E_LIMIT             name is longer than 253 bytes
 *            CMR_E_STATE             the watcher was started or stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_set_name(cmr_watcher *watcher, const char *name, cmr_error *error);

/* Sets one of the CMR_OPTION_ numbers.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL; there is no such option, or no such value
 *            CMR_E_STATE             the watcher was started or stopped
 */
cmr_status cmr_watcher_set_option(cmr_watcher *watcher, int32_t option, int64_t value);

/* Adds a directory, each file in it being a key: a ConfigMap, Secret or projected volume as the
 * kubelet mounts it, or a plain directory.
 *
 * Sources are layers: one that is added later wins, key by key. In a kubelet's volume all keys are
 * read from the one generation that its ..data link names, and links may not leave it or lead
 * nowhere. In a plain directory links are followed, and one that leads nowhere, as an editor's lock
 * does, is no key. Names that begin with two dots are no keys. A relative path is
 * taken from the working directory of this call. The directory need not exist before start. One
 * that is empty at start has no keys yet; one that goes empty later is lost and keeps its keys.
 *
 * Ownership  path is copied.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or path is NULL; path is empty; error is too small
 *            CMR_E_LIMIT             path is longer than 4095 bytes
 *            CMR_E_IO                path is relative, and the working directory cannot be told
 *            CMR_E_STATE             the watcher was started or stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_add_mount(cmr_watcher *watcher, const char *path, cmr_error *error);

/* Adds one file, whose base name is the key.
 *
 * A file inside a kubelet's volume is that volume restricted to one key. Any other file may be a
 * link, or lie behind links: every link on the way is watched. That a directory on the way was
 * itself renamed shows at the next rescan. Files of one volume are of one generation, as long as
 * none of them is rejected.
 *
 * Ownership  path is copied.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or path is NULL; path is empty or ends in a slash, or
 *                                    its base name is . or ..; error is too small
 *            CMR_E_LIMIT             path is longer than 4095 bytes
 *            CMR_E_IO                path is relative, and the working directory cannot be told
 *            CMR_E_STATE             the watcher was started or stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_add_file(cmr_watcher *watcher, const char *path, cmr_error *error);

/* Adds the environment variables whose names begin with prefix: with "APP_", APP_X gives key X.
 *
 * The environment is read once, in cmr_watcher_start. A variable that is named like the prefix
 * itself gives no key.
 *
 * Ownership  prefix is copied.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or prefix is NULL; prefix is not UTF-8; error is too
 *                                    small
 *            CMR_E_LIMIT             prefix is longer than 4095 bytes
 *            CMR_E_STATE             the watcher was started or stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_add_environment(cmr_watcher *watcher, const char *prefix, cmr_error *error);

/* Adds a key with the content that it has where no source has the key.
 *
 * Defaults lie under all sources. Of two for the same key the later one counts. The content is
 * parsed by cmr_watcher_start, like that of a source.
 *
 * Ownership  key and bytes are copied.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or key is NULL; bytes is NULL and size is not 0; key
 *                                    is empty or not UTF-8; error is too small
 *            CMR_E_LIMIT             key is longer than 4095 bytes, or size than 1 Gi
 *            CMR_E_STATE             the watcher was started or stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_add_default(cmr_watcher *watcher, const char *key, const void *bytes,
                                   size_t size, cmr_error *error);

/* Sets what is called once when no callback of the watcher will ever be called again.
 *
 * Ownership  context stays the caller's, until the call; a later call of this function replaces it.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or closed is NULL
 *            CMR_E_STATE             the watcher was stopped
 */
cmr_status cmr_watcher_set_closed(cmr_watcher *watcher, cmr_closed_fn closed, void *context);

/* Loads and publishes version 1, tells those who subscribed, and goes on watching.
 *
 * When it fails, the watcher is as it was before, nobody was told, and start may be tried again.
 *
 * Threads    any. Subscribers hear of version 1 on this thread, before start returns; MANUAL ones
 *            in the first cmr_watcher_dispatch.
 * Blocks     until the sources are read and the subscribers have returned.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL; error is too small
 *            CMR_E_STATE             the watcher was started or stopped; inside a callback; in a
 *                                    forked child before cmr_after_fork_child
 *            CMR_E_IO                a source cannot be read, or is missing and not optional; there
 *                                    is no descriptor or thread left
 *            CMR_E_DENIED            a source may not be read
 *            CMR_E_PARSE             a key does not parse, or its name is not UTF-8
 *            CMR_E_REJECTED          a schema or the validator rejects it
 *            CMR_E_LIMIT             one of the CMR_OPTION_MAX_ limits
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_start(cmr_watcher *watcher, cmr_error *error);

/* Stops watching, for good: no callback begins any more, events that wait are dropped.
 *
 * Threads    any. Those that wait for the watcher get CMR_E_STATE.
 * Blocks     until a callback that runs has returned, or the time is up.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_STATE             an earlier stop has succeeded; inside a callback; in a forked
 *                                    child before cmr_after_fork_child
 *            CMR_E_TIMEOUT           a callback still runs; the watcher is stopped all the same:
 *                                    stop may be called again to go on waiting
 */
cmr_status cmr_watcher_stop(cmr_watcher *watcher, int64_t timeout_ms);

/* Stops the watcher and gives it back; does nothing with NULL.
 *
 * Ownership  the handle is dead at once, what was borrowed from the watcher too. Snapshots that
 *            are held stay.
 * Threads    any, and inside any callback. No other call on the watcher may be in progress but
 *            cmr_watcher_wait and cmr_watcher_reload: these return CMR_E_STATE.
 * Blocks     outside of callbacks until those of the watcher have returned; inside one, of
 *            whichever watcher, never.
 */
void cmr_watcher_destroy(cmr_watcher *watcher);

/* ---- A snapshot: one immutable, consistent version ----------------------------------------- */

/* Gives the current snapshot: the last one that loaded and parsed.
 *
 * Ownership  retained for the caller; give it back with cmr_snapshot_release. NULL before the
 *            first version.
 * Lifetime   never changes; outlives the watcher.
 * Threads    any.
 * Blocks     no: takes no lock, allocates nothing.
 */
const cmr_snapshot *cmr_watcher_acquire(const cmr_watcher *watcher);

/* Holds a snapshot once more, and returns it.
 *
 * Ownership  retained for the caller; give it back with cmr_snapshot_release. NULL for NULL.
 * Threads    any.
 * Blocks     no: takes no lock, allocates nothing.
 */
const cmr_snapshot *cmr_snapshot_retain(const cmr_snapshot *snapshot);

/* Gives back a snapshot that was acquired or retained; does nothing with NULL.
 *
 * Ownership  what was borrowed from the snapshot is invalid after its last release.
 * Threads    any, not only the one that acquired it.
 * Blocks     no: takes no lock; the last release leaves freeing to a thread of the library's. Only
 *            where no watcher is started, and so no thread is there, it frees by itself.
 */
void cmr_snapshot_release(const cmr_snapshot *snapshot);

/* Tells the version of a snapshot: 1, 2, 3 and so on within its watcher.
 *
 * Threads    any.
 * Blocks     no.
 */
uint64_t cmr_snapshot_version(const cmr_snapshot *snapshot);

/* Tells when a snapshot was published, in nanoseconds of Unix time.
 *
 * Threads    any.
 * Blocks     no.
 */
int64_t cmr_snapshot_published_ns(const cmr_snapshot *snapshot);

/* Tells a checksum of all keys and bytes: 128 bits, as 32 hexadecimal digits.
 *
 * The same content has the same checksum in any process, on any machine. It finds differences; it
 * is no protection against someone who makes collisions.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no: takes no lock; the first call reads all bytes.
 */
const char *cmr_snapshot_checksum(const cmr_snapshot *snapshot);

/* Names the generation of the mount that was added last: the directory that its ..data link named,
 * "..2026_11_22_08_45_04.1839982202" say, or "" where there is none.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 */
const char *cmr_snapshot_generation(const cmr_snapshot *snapshot);

/* Counts the keys of a snapshot.
 *
 * Threads    any.
 * Blocks     no.
 */
size_t cmr_snapshot_count(const cmr_snapshot *snapshot);

/* Gives a key by its index; keys are sorted by their bytes.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot or key_out is NULL
 *            CMR_E_NOT_FOUND         index is not below cmr_snapshot_count
 */
cmr_status cmr_snapshot_key(const cmr_snapshot *snapshot, size_t index, const char **key_out,
                            size_t *size_out);

/* Gives the content of a key exactly as it is stored.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, key or bytes_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key
 */
cmr_status cmr_snapshot_bytes(const cmr_snapshot *snapshot, const char *key,
                              const void **bytes_out, size_t *size_out);

/* Gives a text: that of a text key, without the white space around it, or a string within a value.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or text_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no string, or not UTF-8
 */
cmr_status cmr_snapshot_string(const cmr_snapshot *snapshot, const char *path,
                               const char **text_out, size_t *size_out);

/* Reads an integer.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or value_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no number, or has a fraction
 *            CMR_E_RANGE             it does not fit an int64_t
 */
cmr_status cmr_snapshot_int64(const cmr_snapshot *snapshot, const char *path, int64_t *value_out);

/* Reads a number.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or value_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no number
 *            CMR_E_RANGE             it does not fit a finite double
 */
cmr_status cmr_snapshot_double(const cmr_snapshot *snapshot, const char *path, double *value_out);

/* Reads a truth value.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or value_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no truth value, nor a string that reads as one
 */
cmr_status cmr_snapshot_bool(const cmr_snapshot *snapshot, const char *path, bool *value_out);

/* Reads a duration as Go writes it: "1h30m", "250ms", "-1.5s"; a bare number is seconds.
 *
 * The units are ns, us (or µs), ms, s, m and h.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or nanoseconds_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no duration
 *            CMR_E_RANGE             it does not fit an int64_t
 */
cmr_status cmr_snapshot_duration(const cmr_snapshot *snapshot, const char *path,
                                 int64_t *nanoseconds_out);

/* Reads a quantity as Kubernetes writes it: "64Mi", "1k", "2e3"; fractions are rounded away from
 * zero, so that "100m" is 1.
 *
 * The suffixes are Ki, Mi, Gi, Ti, Pi, Ei, and n, u, m, k, M, G, T, P, E.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or value_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_TYPE              it is no quantity
 *            CMR_E_RANGE             it does not fit an int64_t
 */
cmr_status cmr_snapshot_quantity(const cmr_snapshot *snapshot, const char *path,
                                 int64_t *value_out);

/* Writes a value as JSON; with the path "" everything, as one object with a member for each key.
 *
 * Text stands as cmr_snapshot_string gives it, a parsed value as itself, and content that is not
 * UTF-8 as base64.
 *
 * Ownership  yours: cmr_free.
 * Threads    any.
 * Blocks     no, but takes time and memory as the value has size.
 * Errors     CMR_E_INVALID_ARGUMENT  snapshot, path or json_out is NULL
 *            CMR_E_NOT_FOUND         there is no such key, or nothing where the pointer points
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_snapshot_json(const cmr_snapshot *snapshot, const char *path, char **json_out,
                             size_t *size_out);

/* Gives the value at a path.
 *
 * Lifetime   borrowed until the snapshot is released; NULL when there is none.
 * Threads    any.
 * Blocks     no.
 */
const cmr_value *cmr_snapshot_value(const cmr_snapshot *snapshot, const char *path);

/* Tells what a value is, one of the CMR_TYPE_ numbers; CMR_TYPE_NONE for NULL.
 *
 * Threads    any.
 * Blocks     no.
 */
int32_t cmr_value_type(const cmr_value *value);

/* Counts the elements of an array or the members of an object; 0 for any other value.
 *
 * Threads    any.
 * Blocks     no.
 */
size_t cmr_value_count(const cmr_value *value);

/* Gives an element of an array, or the value of a member of an object, by its index.
 *
 * Members keep the order in which they are written. Walking to index takes time as index has
 * size where the elements are themselves arrays or objects.
 *
 * Lifetime   borrowed until the snapshot is released; NULL when there is none.
 * Threads    any.
 * Blocks     no.
 */
const cmr_value *cmr_value_at(const cmr_value *value, size_t index);

/* Gives the value of the member of an object that has a name.
 *
 * Lifetime   borrowed until the snapshot is released; NULL when there is none, or no object.
 * Threads    any.
 * Blocks     no.
 */
const cmr_value *cmr_value_member(const cmr_value *value, const char *name);

/* Gives the name of a member of an object by its index, as cmr_value_at does its value.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or name_out is NULL
 *            CMR_E_TYPE              value is no object
 *            CMR_E_NOT_FOUND         index is not below cmr_value_count
 */
cmr_status cmr_value_name_at(const cmr_value *value, size_t index, const char **name_out,
                             size_t *size_out);

/* Gives the text of a string; that of a text key is without the white space around it.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or text_out is NULL
 *            CMR_E_TYPE              value is no string
 */
cmr_status cmr_value_string(const cmr_value *value, const char **text_out, size_t *size_out);

/* Gives the bytes of a string, as cmr_value_string does, or of content that is not UTF-8.
 *
 * Lifetime   borrowed until the snapshot is released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or bytes_out is NULL
 *            CMR_E_TYPE              value is neither a string nor bytes
 */
cmr_status cmr_value_bytes(const cmr_value *value, const void **bytes_out, size_t *size_out);

/* Reads a value as an integer.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or value_out is NULL
 *            CMR_E_TYPE              it is no number, or has a fraction
 *            CMR_E_RANGE             it does not fit an int64_t
 */
cmr_status cmr_value_int64(const cmr_value *value, int64_t *value_out);

/* Reads a value as a number.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or value_out is NULL
 *            CMR_E_TYPE              it is no number
 *            CMR_E_RANGE             it does not fit a finite double
 */
cmr_status cmr_value_double(const cmr_value *value, double *value_out);

/* Reads a value as a truth value.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  value or value_out is NULL
 *            CMR_E_TYPE              it is no truth value, nor a string that reads as one
 */
cmr_status cmr_value_bool(const cmr_value *value, bool *value_out);

/* ---- Has anything changed? ----------------------------------------------------------------- */

/* Tells the current version; 0 before the first.
 *
 * Threads    any.
 * Blocks     no.
 */
uint64_t cmr_watcher_version(const cmr_watcher *watcher);

/* Gives the word that holds the current version, for cmr_version_load.
 *
 * Lifetime   borrowed until the watcher is destroyed and the last of its snapshots and readers
 *            released.
 * Threads    any.
 * Blocks     no.
 */
const uint64_t *cmr_watcher_version_word(const cmr_watcher *watcher);

/* Reads the version word: what was stored before that version is visible after it.
 *
 * Threads    any; in signal handlers too.
 * Blocks     no: one load.
 */
__attribute__((unused))
static inline uint64_t cmr_version_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* ---- Readers and cells --------------------------------------------------------------------- */

/* Creates a reader for one thread: cmr_reader_current costs it less than cmr_watcher_acquire, and
 * nothing that other threads notice.
 *
 * Ownership  yours: give it back with cmr_reader_destroy, before or after the watcher.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or reader_out is NULL
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_reader_create(cmr_watcher *watcher, cmr_reader **reader_out);

/* Gives a reader back, and what it holds; does nothing with NULL.
 *
 * Ownership  what cmr_reader_current gave is invalid from now on.
 * Threads    any, while no other call on the reader is in progress.
 * Blocks     no.
 */
void cmr_reader_destroy(cmr_reader *reader);

/* Gives the current snapshot: the one of the call before as long as there is no newer one. NULL
 * before the first version.
 *
 * What a reader holds counts as held until it looks again. After cmr_watcher_destroy it goes on
 * giving what it holds.
 *
 * Lifetime   borrowed until the next call on this reader; cmr_snapshot_retain holds it longer.
 * Threads    one at a time.
 * Blocks     no: takes no lock, allocates nothing; when nothing changed it writes nothing.
 */
const cmr_snapshot *cmr_reader_current(cmr_reader *reader);

/* Lets go of the snapshot that a reader holds, until the next cmr_reader_current: for threads that
 * pause. Does nothing with NULL.
 *
 * Ownership  what cmr_reader_current gave is invalid from now on.
 * Threads    one at a time.
 * Blocks     no, as cmr_snapshot_release.
 */
void cmr_reader_park(cmr_reader *reader);

/* Binds a path to a cell, for cmr_cell_int64: it holds what cmr_snapshot_int64 reads at the path in
 * the current version, or fallback while there is nothing that reads as an integer.
 *
 * Cells change before the version word does: whoever sees a version in the word finds the cells of
 * that version or of a newer one. Two cells are two loads, and may be of two versions. The same
 * path, type and fallback give the same cell. It holds the value at once, or, before the first
 * version, fallback.
 *
 * Ownership  path is copied.
 * Lifetime   the cell is borrowed until the watcher is destroyed and the last of its snapshots and
 *            readers released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher, path or cell_out is NULL; path is empty or not UTF-8
 *            CMR_E_LIMIT             path is longer than 4095 bytes
 *            CMR_E_STATE             the watcher was stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_bind_int64(cmr_watcher *watcher, const char *path, int64_t fallback,
                                  const cmr_cell **cell_out);

/* Binds a path to a cell for cmr_cell_double, as cmr_watcher_bind_int64 does for an integer.
 *
 * Ownership  path is copied.
 * Lifetime   the cell is borrowed until the watcher is destroyed and the last of its snapshots and
 *            readers released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher, path or cell_out is NULL; path is empty or not UTF-8
 *            CMR_E_LIMIT             path is longer than 4095 bytes
 *            CMR_E_STATE             the watcher was stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_bind_double(cmr_watcher *watcher, const char *path, double fallback,
                                   const cmr_cell **cell_out);

/* Binds a path to a cell for cmr_cell_bool, as cmr_watcher_bind_int64 does for an integer.
 *
 * Ownership  path is copied.
 * Lifetime   the cell is borrowed until the watcher is destroyed and the last of its snapshots and
 *            readers released.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher, path or cell_out is NULL; path is empty or not UTF-8
 *            CMR_E_LIMIT             path is longer than 4095 bytes
 *            CMR_E_STATE             the watcher was stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_bind_bool(cmr_watcher *watcher, const char *path, bool fallback,
                                 const cmr_cell **cell_out);

/* Reads a cell that was bound with cmr_watcher_bind_int64.
 *
 * Threads    any; in signal handlers too.
 * Blocks     no: one load.
 */
__attribute__((unused))
static inline int64_t cmr_cell_int64(const cmr_cell *cell)
{
    return (int64_t)__atomic_load_n(&cell->bits, __ATOMIC_RELAXED);
}

/* Reads a cell that was bound with cmr_watcher_bind_double.
 *
 * Threads    any; in signal handlers too.
 * Blocks     no: one load.
 */
__attribute__((unused))
static inline double cmr_cell_double(const cmr_cell *cell)
{
    uint64_t bits = __atomic_load_n(&cell->bits, __ATOMIC_RELAXED);
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

/* Reads a cell that was bound with cmr_watcher_bind_bool.
 *
 * Threads    any; in signal handlers too.
 * Blocks     no: one load.
 */
__attribute__((unused))
static inline bool cmr_cell_bool(const cmr_cell *cell)
{
    return __atomic_load_n(&cell->bits, __ATOMIC_RELAXED) != 0;
}

/* ---- Events -------------------------------------------------------------------------------- */

/* Subscribes to what happens to the watcher.
 *
 * key_pattern NULL means all keys; otherwise it is a glob for the whole key, "features.*" say, as
 * fnmatch(3) reads one without flags: * stands for any characters, / among them, ? for one, [a-z]
 * and [!a-z] for one of a set, \ takes the next one literally. A subscriber with a pattern hears
 * PUBLISHED only when a key that matches changed, and only of those keys; it hears all other
 * events. Who subscribes before start hears of version 1, who does later of newer versions.
 *
 * While a subscriber is busy, versions coalesce: it hears of the newest one, with the changes since
 * the event before. Of rejections that wait only the newest is kept, and PUBLISHED drops it.
 * DRAINED comes for those who asked, once no caller holds a version that is not current any more.
 *
 * UPCOMING comes for those who asked, on a thread of the library's only, when the kubelet makes the
 * directory of a new generation: a version may follow in a moment, or none. It is the time to get
 * ready, since what has not run for a while runs half as fast; a watcher of one source, of up to 64
 * keys and 64 KiB, reads it once more then, for the same reason. Who takes longer than a
 * millisecond holds no version up.
 *
 * Ownership  key_pattern is copied; context stays the caller's.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or callback is NULL; key_pattern is empty, not
 *                                    UTF-8 or malformed; flags has unknown bits; error is too
 *                                    small
 *            CMR_E_LIMIT             key_pattern is longer than 4095 bytes
 *            CMR_E_STATE             the watcher was stopped
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_subscribe(cmr_watcher *watcher, const char *key_pattern, uint32_t flags,
                                 cmr_event_fn callback, void *context, uint64_t *id_out,
                                 cmr_error *error);

/* Ends a subscription: the callback is never called again once this returns.
 *
 * Threads    any.
 * Blocks     until the callback has returned, when it runs; inside a callback of the same watcher
 *            never.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_NOT_FOUND         there is no such subscription
 *            CMR_E_STATE             inside a callback of another watcher
 */
cmr_status cmr_watcher_unsubscribe(cmr_watcher *watcher, uint64_t id);

/* Gives a descriptor that is readable while a MANUAL subscriber has something to hear: for poll,
 * epoll and the like. Never read or close it. Whether a key matches a pattern shows only in
 * cmr_watcher_dispatch, which then calls nobody.
 *
 * Lifetime   borrowed until the watcher is destroyed; always the same number. -1 when the process
 *            has no descriptor left.
 * Threads    any.
 * Blocks     no.
 */
int cmr_watcher_event_fd(const cmr_watcher *watcher);

/* Calls the MANUAL subscribers on this thread with what waited for them at entry.
 *
 * handled_out receives the number of calls.
 *
 * Threads    any; several at once take turns.
 * Blocks     as long as the subscribers do.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_STATE             the watcher was not started, or was stopped; inside a
 *                                    callback; in a forked child before cmr_after_fork_child
 */
cmr_status cmr_watcher_dispatch(cmr_watcher *watcher, size_t *handled_out);

/* ---- Reloading on demand ------------------------------------------------------------------- */

/* Loads all sources in an attempt that begins after this call, and tells how it went.
 *
 * version_out receives the version that is current then; when the content is what it was before,
 * that is the same as before. Subscribers may hear of it later than the caller. Sources are
 * independent: when one is bad and another good, the good one is published and the bad one is the
 * error. Where CMR_OPTION_DRAIN_MS lets a version wait, so does the caller.
 *
 * Threads    any.
 * Blocks     until the attempt has ended, or the time is up.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL; error is too small
 *            CMR_E_STATE             the watcher was not started, or was stopped meanwhile; inside
 *                                    a callback; in a forked child before cmr_after_fork_child
 *            CMR_E_TIMEOUT           the time is up; the attempt goes on
 *            CMR_E_IO                a source cannot be read, or is lost
 *            CMR_E_DENIED            a source may not be read
 *            CMR_E_PARSE             a key does not parse, or its name is not UTF-8
 *            CMR_E_REJECTED          a schema or the validator rejects it
 *            CMR_E_LIMIT             one of the CMR_OPTION_MAX_ limits
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_reload(cmr_watcher *watcher, int64_t timeout_ms, uint64_t *version_out,
                              cmr_error *error);

/* Asks for a reload and returns at once; does nothing unless the watcher is started.
 *
 * Threads    any; async-signal-safe, fit for a SIGHUP handler.
 * Blocks     no.
 */
void cmr_watcher_request_reload(cmr_watcher *watcher);

/* Waits for a version newer than after_version.
 *
 * version_out receives the version that is current then.
 *
 * Threads    any.
 * Blocks     until there is one, or the time is up.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_STATE             the watcher was stopped or destroyed; inside a callback; in a
 *                                    forked child before cmr_after_fork_child
 *            CMR_E_TIMEOUT           the time is up
 */
cmr_status cmr_watcher_wait(cmr_watcher *watcher, uint64_t after_version, int64_t timeout_ms,
                            uint64_t *version_out);

/* ---- Safe change --------------------------------------------------------------------------- */

/* Sets the JSON Schema (draft 2020-12) that a value must satisfy before it is published.
 *
 * path is a key, KEY#/pointer, or "" for the configuration as a whole: one object with a member for
 * each key, a parsed value or text. The text of a key of text format, as a whole, is taken as what
 * it reads as where the schema asks for an integer, number, boolean or null: a key PORT that holds
 * 8080 satisfies {"type": "integer"}. Strings within a parsed value stay strings, and all values of
 * dotenv, INI and properties are strings: PORT=8080 in a.env does not satisfy it. What
 * is absent is not validated; the schema for "" can require it. A path has one schema: this
 * replaces the one before, and NULL with a size of 0 takes it away. Nothing is ever fetched: a $ref
 * leads within the schema, to those of cmr_watcher_add_schema, or to the draft's own metaschema.
 *
 * pattern knows ECMA-262's syntax without look-around and back-references, takes time linear in the
 * text, and is Unicode-aware: \p{...} with general categories. format annotates unless
 * CMR_OPTION_ASSERT_FORMAT was set before; then these are asserted: date-time, date, time,
 * duration, email, hostname, ipv4, ipv6, uri, uuid, regex, json-pointer.
 *
 * On a started watcher the current version must satisfy it first; otherwise it is not set.
 *
 * Ownership  path and json_schema are copied.
 * Threads    any.
 * Blocks     until a load that is under way has ended.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or path is NULL; path is not UTF-8; json_schema is
 *                                    NULL and size is not 0; the schema is wrong: key names the
 *                                    path, line and column the place, message the keyword; error is
 *                                    too small
 *            CMR_E_PARSE             json_schema is not JSON
 *            CMR_E_REJECTED          the current version does not satisfy it
 *            CMR_E_LIMIT             path is longer than 4095 bytes; the schema is too large or too
 *                                    deep, or a pattern in it
 *            CMR_E_STATE             the watcher was stopped; inside a validator; in a forked child
 *                                    before cmr_after_fork_child
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_set_schema(cmr_watcher *watcher, const char *path,
                                  const char *json_schema, size_t size, cmr_error *error);

/* Adds a schema that a $ref may lead to, by the URI id; and by its own $id, if it has one.
 *
 * Ownership  id and json_schema are copied.
 * Threads    any.
 * Blocks     until a load that is under way has ended.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher, id or json_schema is NULL; id is no URI, has a
 *                                    fragment or was added before; the schema is wrong; error is
 *                                    too small
 *            CMR_E_PARSE             json_schema is not JSON
 *            CMR_E_LIMIT             id is longer than 4095 bytes; the schema is too large
 *            CMR_E_STATE             the watcher was stopped; inside a validator; in a forked child
 *                                    before cmr_after_fork_child
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_add_schema(cmr_watcher *watcher, const char *id, const char *json_schema,
                                  size_t size, cmr_error *error);

/* Tells what the newest rejection found, the first hundred violations if there are more: a JSON
 * array of objects with the members of cmr_violation. It is empty when it was no schema that
 * rejected. The message of the rejection tells how many there are in all.
 *
 * Ownership  yours: cmr_free.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or json_out is NULL
 *            CMR_E_NOT_FOUND         nothing is rejected
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_violations(cmr_watcher *watcher, char **json_out, size_t *size_out);

/* Sets who has the last word before a version is published; NULL: nobody, as at first.
 *
 * On a started watcher the current version is shown to it first; when it says no, the validator is
 * not set.
 *
 * Ownership  context stays the caller's, until the validator is replaced.
 * Threads    any.
 * Blocks     until a load that is under way has ended, and the new validator has returned.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_REJECTED          the validator rejects the current version
 *            CMR_E_STATE             the watcher was stopped; inside a validator; in a forked child
 *                                    before cmr_after_fork_child
 */
cmr_status cmr_watcher_set_validator(cmr_watcher *watcher, cmr_validate_fn validator,
                                     void *context);

/* Publishes the content of a former version as a new version.
 *
 * version 0 means the newest content that is neither current nor was left before. The content that
 * the sources hold now is left: until a source has offered something else, it may offer the same
 * again without effect. Other sources go on. What was published once is not validated again. A
 * version with the current content publishes nothing.
 *
 * version_out receives the version that is current then.
 *
 * Threads    any, inside callbacks too.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL; error is too small
 *            CMR_E_NOT_FOUND         the history does not have the version, or no such content
 *            CMR_E_STATE             the watcher was not started, or was stopped; inside a
 *                                    validator; in a forked child before cmr_after_fork_child
 */
cmr_status cmr_watcher_rollback(cmr_watcher *watcher, uint64_t version, uint64_t *version_out,
                                cmr_error *error);

/* Declares that a version works, where CMR_OPTION_CONFIRM_MS asks for that; otherwise every version
 * counts as confirmed.
 *
 * Unless the current version is confirmed in time, the watcher goes back to the content that was
 * confirmed last, and leaves all content since as cmr_watcher_rollback does. Each further change
 * begins the time anew. The first version and those of a rollback need no confirmation.
 *
 * Threads    any, inside callbacks too.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_NOT_FOUND         there is no such version, or it is gone already
 *            CMR_E_STATE             the watcher was not started, or was stopped; inside a
 *                                    validator; in a forked child before cmr_after_fork_child
 */
cmr_status cmr_watcher_confirm(cmr_watcher *watcher, uint64_t version);

/* Gives a version by its age: 0 is the current one, 1 the one before it.
 *
 * The history holds as many former versions as CMR_OPTION_HISTORY says. They share what they have
 * in common.
 *
 * Ownership  retained for the caller; give it back with cmr_snapshot_release.
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or snapshot_out is NULL
 *            CMR_E_NOT_FOUND         the history does not go back as far
 */
cmr_status cmr_watcher_history(cmr_watcher *watcher, size_t index,
                               const cmr_snapshot **snapshot_out);

/* Waits until nobody holds a version older than before_version.
 *
 * Held are the references that callers got by acquire, retain and history, and what their readers
 * stand at.
 *
 * held_out receives how many versions are held: 0 on CMR_OK; it is written on CMR_E_TIMEOUT too.
 *
 * Threads    any.
 * Blocks     until the last of them is released, or the time is up.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher is NULL
 *            CMR_E_STATE             the watcher was not started, or was stopped meanwhile; inside
 *                                    a callback; in a forked child before cmr_after_fork_child
 *            CMR_E_TIMEOUT           the time is up
 */
cmr_status cmr_watcher_drain(cmr_watcher *watcher, uint64_t before_version, int64_t timeout_ms,
                             size_t *held_out);

/* ---- Formats of one's own ------------------------------------------------------------------ */

/* Says that the values of keys are of a format, whatever the end of their names says.
 *
 * key_pattern is a glob for the whole key, as that of cmr_watcher_subscribe: "*.conf". Of several
 * that match a key the one that was set last counts. On a started watcher what there is is parsed
 * again at once: all of it has to parse, and pass what validates, or nothing is set. If that made a
 * difference a new version is published, of cause RELOAD.
 *
 * Ownership  key_pattern is copied.
 * Threads    any.
 * Blocks     until an attempt that runs has ended; on a started watcher while values are parsed.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or key_pattern is NULL; key_pattern is empty, not
 *                                    UTF-8 or malformed; format is none of the CMR_FORMAT_
 *                                    numbers; error is too small
 *            CMR_E_LIMIT             key_pattern is longer than 4095 bytes; a limit of a value
 *            CMR_E_PARSE             a value is not what its format demands, or its parser refused
 *                                    it
 *            CMR_E_REJECTED          the validator refused what came of it
 *            CMR_E_STATE             the watcher was stopped; inside a validator or a parser; in a
 *                                    forked child before cmr_after_fork_child
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_set_format(cmr_watcher *watcher, const char *key_pattern, int32_t format,
                                  cmr_error *error);

/* Gives the values of keys to a parser of the application's, as cmr_watcher_set_format gives them a
 * format.
 *
 * Ownership  key_pattern is copied; context stays the caller's, until the parser is never called
 *            again.
 * Threads    any.
 * Blocks     until an attempt that runs has ended; on a started watcher while values are parsed.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher, key_pattern or parser is NULL; key_pattern is empty,
 *                                    not UTF-8 or malformed; error is too small
 *            CMR_E_LIMIT             key_pattern is longer than 4095 bytes; a limit of a value
 *            CMR_E_PARSE             the parser refused a value, or what it wrote is not JSON; a
 *                                    value is not what its format demands
 *            CMR_E_REJECTED          the validator refused what came of it
 *            CMR_E_STATE             the watcher was stopped; inside a validator or a parser; in a
 *                                    forked child before cmr_after_fork_child
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_watcher_set_parser(cmr_watcher *watcher, const char *key_pattern,
                                  cmr_parse_fn parser, void *context, cmr_error *error);

/* Appends to the JSON that a parser writes.
 *
 * After a failure nothing more is taken, and the value is rejected for it.
 *
 * Ownership  json is copied.
 * Threads    that of the parser.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  sink is NULL; json is NULL and size is not 0
 *            CMR_E_LIMIT             there is more than CMR_OPTION_MAX_VALUE_BYTES
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_sink_write(cmr_sink *sink, const char *json, size_t size);

/* ---- Observing ----------------------------------------------------------------------------- */

/* Tells what a watcher has done so far.
 *
 * Threads    any.
 * Blocks     no.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or stats_out is NULL; struct_size is too small
 */
cmr_status cmr_watcher_stats(cmr_watcher *watcher, cmr_stats *stats_out);

/* Writes what a watcher has done as Prometheus reads it: its text exposition format 0.0.4, UTF-8,
 * followed by a NUL. size_out receives its size without the NUL.
 *
 *   config_reload_total{status="success"}          loads that published a version
 *   config_reload_total{status="rejected"}         and that did not, once for each bad content
 *   config_reload_total{status="unchanged"}        and that found what is current
 *   config_reload_duration_seconds                 a histogram from 50 µs to 10 s of the loads
 *                                                  that read a source
 *   config_version                                 the current version; 0 before the first
 *   config_last_reload_successful                  1 while the watcher is healthy, see cmr_stats
 *   config_last_reload_success_timestamp_seconds   when content was last found good; 0 never
 *   config_info{checksum,generation}               1, from the first version on; without checksum
 *                                                  with CMR_OPTION_SENSITIVE
 *   config_source_errors_total                     reads of a source that failed
 *   config_watch_mode{mode="inotify|polling"}      1 for what holds: polling when any source is
 *                                                  polled
 *
 * A watcher with a name has it in a label on each series, watcher="settings".
 *
 * Ownership  buffer is the caller's; it may be NULL when capacity is 0.
 * Threads    any.
 * Blocks     no; the first call after a new version reads all its bytes, for the checksum.
 * Errors     CMR_E_INVALID_ARGUMENT  watcher or size_out is NULL; buffer is NULL and capacity is
 *                                    not 0
 *            CMR_E_LIMIT             buffer is too small and stays as it is; size_out receives the
 *                                    capacity that would do. Numbers grow: allow for more
 */
cmr_status cmr_watcher_metrics(cmr_watcher *watcher, char *buffer, size_t capacity,
                               size_t *size_out);

/* Writes the metrics of all watchers of the process as one exposition, as cmr_watcher_metrics does
 * of one; nothing but the NUL where there is no watcher.
 *
 * Of several watchers with the same name, or without one, all but the first have a label
 * number="2", number="3" and so on, which they keep while they live: no two series are the same.
 *
 * Ownership  buffer is the caller's; it may be NULL when capacity is 0.
 * Threads    any.
 * Blocks     no; the first call after a new version reads all its bytes, for the checksum.
 * Errors     CMR_E_INVALID_ARGUMENT  size_out is NULL; buffer is NULL and capacity is not 0
 *            CMR_E_LIMIT             buffer is too small and stays as it is; size_out receives the
 *                                    capacity that would do. Numbers grow: allow for more
 */
cmr_status cmr_metrics(char *buffer, size_t capacity, size_t *size_out);

/* Sets who receives the log of the whole process, up to a level; NULL, as at first: nobody.
 *
 * Ownership  context stays the caller's, until the handler is replaced.
 * Threads    any.
 * Blocks     until calls of the handler before it have returned.
 * Errors     CMR_E_INVALID_ARGUMENT  level is not one of the CMR_LOG_ numbers; NULL ignores it
 *            CMR_E_STATE             inside the log handler
 */
cmr_status cmr_set_log_handler(cmr_log_fn handler, void *context, int32_t level);

/* ---- Writing a mount ----------------------------------------------------------------------- */

/* Publishes files in a directory exactly as the kubelet does: a new timestamped directory, the
 * ..data link replaced by a rename, links for the user added and removed, the old one removed.
 *
 * The directory must exist. Content and modes that are already there write nothing. For tests,
 * demonstrations and tools; one writer at a time for a directory.
 *
 * Ownership  nothing is kept.
 * Threads    any.
 * Blocks     on the file system.
 * Errors     CMR_E_INVALID_ARGUMENT  path is NULL or empty; files is NULL and count is not 0; a key
 *                                    is NULL, empty, absolute, not UTF-8, there twice or below
 *                                    another, names no file, begins with two dots or has .. in it;
 *                                    bytes is NULL and size is not 0; a mode above 0777; error is
 *                                    too small
 *            CMR_E_LIMIT             a path that is too long
 *            CMR_E_IO                the directory cannot be written
 *            CMR_E_DENIED            the directory may not be written
 *            CMR_E_NO_MEMORY         an allocation failed
 */
cmr_status cmr_mount_write(const char *path, const cmr_file *files, size_t count,
                           cmr_error *error);

/* ---- Fork ---------------------------------------------------------------------------------- */

/* Makes the watchers go on in a forked child: with threads, notifications and event descriptors of
 * its own, from the current version on. Does nothing a second time, or where nothing was forked.
 *
 * The number of an event descriptor stays; add it again to an epoll of the child's. References held
 * by threads of the parent stay counted.
 *
 * Threads    the one that forked, in the child.
 * Blocks     no.
 * Errors     CMR_E_STATE      inside a callback
 *            CMR_E_IO         there is no descriptor or thread left
 *            CMR_E_NO_MEMORY  an allocation failed
 */
cmr_status cmr_after_fork_child(void);

#ifdef __cplusplus
}
#endif

#endif
