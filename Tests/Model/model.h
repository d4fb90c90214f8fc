/* The watcher as the header promises it, small enough to be read: what two sources hold, what the
 * layers made of it, which versions there were, who is to be told what. A step goes in, what must
 * be observed comes out. Pure: it makes no call of the library's, reads no clock and no file.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SOURCES = 2,    /* layers that may change, the later one on top; a default lies under both */
    SLOTS = 3,      /* snapshots that the application may hold at once */
    VERSIONS = 512, /* more than one life publishes */
    MOST_HISTORY = 10,
    MOST_EVENTS = 32,   /* more than one step tells */
    MOST_CONTENTS = 64, /* of a quarantine, and of versions that wait to be confirmed */
    /* Primes, so that no two of them fall together where nothing says which comes first. */
    SETTLE_MS = 101,
    DRAIN_MS = 307,
    CONFIRM_MS = 701,
    POLL_MS = 1009
};

/* ---- What sources hold ---- */

/* What the key that only one source has may say. */
enum { NONE = -1, GOOD_MOST = 3, BROKEN, REFUSED, OVERSIZED, OWN_COUNT };

/* One payload of a source: the key that both sources have, and its own. Both say what the other
 * one says, so that a reader can tell whether they belong together. */
typedef struct content {
    int8_t level; /* NONE, 0 to 3 */
    int8_t own;   /* NONE, 0 to GOOD_MOST, or one of the bad ones */
} content;

typedef enum source_kind { MOUNT, DIRECTORY, SINGLE, SOURCE_KINDS } source_kind;

/* What a life is lived with. */
typedef struct config {
    source_kind kinds[SOURCES];
    int history;
    bool watches;  /* the kernel tells of changes; otherwise it has no watch left to give */
    bool optional; /* a source that is missing at start is empty */
    bool confirms, drains;
    bool readers; /* threads read all the while, and hold what nobody can foretell */
} config;

/* ---- Steps ---- */

typedef enum verb {
    WRITE,      /* SOURCE LEVEL OWN: new content, or the same again */
    TAKE_AWAY,  /* SOURCE: it is not there any more */
    BRING_BACK, /* SOURCE */
    DENY,       /* SOURCE: its own key cannot be opened */
    ALLOW,      /* SOURCE */
    RELOAD,
    REQUEST,   /* a reload that nobody waits for */
    PASS_TIME, /* MOST: until the next thing that time asks for; at most that long unless 0 */
    ROLLBACK,  /* AGO: to so many versions before the current one; 0: to the newest other content */
    CONFIRM,   /* AGO */
    DRAIN,     /* AGO: are versions held that are older than that? */
    WAIT,      /* AGO: is there a version newer than that? */
    HOLD,      /* SLOT INDEX: a version by its age, 0 the current one */
    LET_GO,    /* SLOT */
    LOOK,      /* with a reader */
    PARK,      /* the reader */
    DISPATCH,
    RESTART, /* destroys the watcher and starts another one on what the sources hold */
    FORK,    /* SEED: a child goes on by itself */
    VERBS
} verb;

typedef struct step {
    verb verb;
    int a, b, c;
} step;

/* ---- What is observed ---- */

/* Whom a failure or a change is about. */
enum { ABOUT_NOTHING, ABOUT_LEVEL, ABOUT_OWN, ABOUT_SOURCE = ABOUT_OWN + SOURCES, ABOUT_ELSE = 9 };
enum { KEYS = 1 + SOURCES };

typedef enum subscriber { ON_THREAD, MANUAL, MANUAL_LEVEL, SUBSCRIBERS } subscriber;

/* One call of one subscriber. */
typedef struct told {
    uint8_t subscriber, kind, cause, changes[KEYS];
    uint8_t status, about; /* of the error; 0 without one */
    uint32_t version, previous;
} told;

/* The keys of a version: a number for each text that a key may have, NONE without the key. */
typedef struct merged {
    int16_t level, own[SOURCES];
} merged;

/* What can be seen after a step. The same bytes mean the same, so no byte is left unset. */
typedef struct view {
    int32_t status; /* of the call that the step made, CMR_OK when it made none */
    int32_t about;  /* the key of its error */
    int64_t answer; /* what it gave: a version, how many are held or were called */
    uint64_t version, generation;
    merged now;
    int64_t cells[SOURCES];
    int32_t violations; /* NONE when healthy, otherwise whether there are any */
    uint32_t is_healthy, polled, held;
    uint64_t succeeded, rejected, unchanged, source_errors, rescans, callbacks;
    struct {
        uint64_t version;
        merged keys;
    } history[MOST_HISTORY + 1];
    uint32_t history_count, event_count;
    told events[MOST_EVENTS];
} view;

/* ---- The model ---- */

/* What a layer holds. */
typedef struct holding {
    bool is_there;
    content content;
    uint32_t generation; /* of a mount; otherwise 0 */
} holding;

typedef struct composition {
    holding layers[SOURCES];
    merged keys;
} composition;

/* Why content was not taken. Equal ones are told once. */
typedef struct rejection {
    int status, about;
    bool passes; /* the same content may be taken at the next look */
    content content;
    merged keys;
} rejection;

typedef struct layer {
    holding content; /* the last good one */
    enum { GOOD, LOST, BAD } health;
    rejection why;     /* of BAD */
    bool is_held_back;   /* good by itself, but not with the others */
    bool is_known_mount; /* it was seen to be one, and stays one */
    bool is_watched;     /* the kernel tells of what is written to it */
    bool is_examined;    /* the generation that is there was read, and is not read again */
    bool is_due_by_time; /* nothing but time asks for the next look at it */
    content left[MOST_CONTENTS]; /* what it offered and was gone back from */
    int left_count;
    int64_t next_check, settles_at, settles_at_most;
} layer;

typedef struct version {
    composition what;
    int holders;
    bool is_drained; /* it was said that nobody holds it */
    bool is_gone;    /* it was gone back from before anybody confirmed it */
} version;

/* Subscribers that are told together, and what they have yet to hear. */
typedef struct round {
    int published, rejected; /* the cause, or 0 */
    rejection why;
    struct {
        int kind, source, cause;
    } sources[SOURCES];
    int source_count;
    uint64_t drained, told;
} round;

typedef struct model {
    config config;
    /* The disk. */
    struct {
        bool is_away, is_denied;
        content content;
        uint32_t generation;
    } disk[SOURCES];
    uint32_t generations;
    int64_t now_ms;
    /* The watcher. */
    bool is_started;
    layer layers[SOURCES];
    version versions[VERSIONS];
    uint64_t current;
    uint64_t history[MOST_HISTORY];
    int history_count;
    uint64_t confirmed, unconfirmed[MOST_CONTENTS];
    int unconfirmed_count;
    int64_t reverts_at;
    bool is_waiting; /* a version waits for the holders of the current one */
    composition waiting;
    int waiting_cause;
    int64_t waits_until;
    rejection together; /* why good layers were not taken together; status 0: they were */
    int newest_rejection; /* its status, 0 when an attempt found nothing wrong since */
    bool has_violations;
    round on_thread, manual;
    uint64_t succeeded, rejected, unchanged, source_errors, rescans, callbacks;
    /* The application. */
    uint64_t slots[SLOTS], reader;
} model;

void model_begin(model *model, const config *config);
/* What must be observed after the step. Time passes as long as it says, not beyond
 * model_next_ms. */
void model_step(model *model, step step, view *expected);
/* What must be observed in a forked child that asked to go on. */
void model_resume(model *model, view *expected);
/* When time next asks for something; INT64_MAX: never. */
int64_t model_next_ms(const model *model);
/* The numbers of the texts that a source gives its keys. */
int16_t level_number(content content);
int16_t own_number(content content);
enum { DEFAULT_LEVEL = 999 };

#endif
