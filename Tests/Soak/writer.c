/* Writes all mounts of a soak, as the kubelet does, until it is told to stop; then prints what it
 * wrote of each, in numbers that the hosts must have counted too.
 *
 *     writer DIRECTORY BOARD MOUNTS PATIENCE [FAULTS]
 *
 * A step of a mount is: good content; content that does not parse; content that the validators of
 * hosts refuse; it vanishes, or comes back; it goes empty, or is filled again; hosts are told to go
 * back. The next step of a mount comes once every host has heard of this one, and so each is
 * counted exactly. Storms have no such manners: of them only the end is known.
 *
 * PATIENCE is how many milliseconds, each of them slept here, a host may take to hear of a step: a
 * machine that stood still makes nobody late. FAULTS, "torn" and "lost", break mounts 1 and 2.
 */
#define _GNU_SOURCE
#include "board.h"
#include "kubelet.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* Rests are in milliseconds, and random up to these. */
enum { STORM_REST = 60, STEP_REST = 400, PATH_SIZE = 256 };

typedef enum state { HEALTHY, BAD, GONE, EMPTY, LEFT } state;

typedef struct mount {
    uint64_t index;
    char path[PATH_SIZE], away[PATH_SIZE];
    shape content;
    bool storms, given_up;
    state state;
    uint64_t written;         /* the number of the last content, good or bad */
    uint64_t current, before; /* generations: what hosts show, and what they would go back to */
    uint64_t published, unparsed, refused, lost, recovered, rolled_back;
    uint64_t waited, rest;
} mount;

static board shared;
static const char *faults = "";
static uint64_t random_state = 88172645463325252u;

static uint64_t below(uint64_t bound) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static void require(bool holds, const mount *where, const char *what) {
    if (holds) return;
    printf("failed: the writer cannot %s %s\n", what, where->path);
    exit(1);
}

static char *last_byte(mount *where, const char *key) {
    shape_value *value = where->content.values;
    while (strcmp(value->key, key)) value++;
    return value->bytes + value->size - 1;
}

static void put(mount *where) {
    require(!kubelet_write(where->path, &where->content, NULL), where, "write");
}

static void write_good(mount *where) {
    shape_stamp(&where->content, ++where->written);
    where->before = where->current;
    where->current = where->written;
    where->published++;
    where->state = HEALTHY;
    if (where->index == 2 && strstr(faults, "lost")) return;
    if (where->index == 1 && strstr(faults, "torn")) where->content.values[0].bytes[0] ^= 1;
    put(where);
}

/* Content that never becomes current: `end` instead of the last byte of a key. */
static void write_bad(mount *where, const char *key, char end) {
    shape_stamp(&where->content, ++where->written);
    char *last = last_byte(where, key), good = *last;
    *last = end;
    put(where);
    *last = good;
    where->state = BAD;
}

static void break_it(mount *where) {
    if (below(2)) {
        where->unparsed++;
        write_bad(where, "features.json", ']');
    } else {
        where->refused++;
        write_bad(where, "LOG_LEVEL", '!');
    }
}

static void lose(mount *where) {
    where->lost++;
    if (below(2)) {
        require(!rename(where->path, where->away), where, "take away");
        where->state = GONE;
        return;
    }
    shape nothing = { 0 };
    require(!kubelet_write(where->path, &nothing, NULL), where, "empty");
    where->state = EMPTY;
}

static void roll_back(mount *where) {
    where->rolled_back++;
    where->published++;
    where->current = where->before;
    where->before = 0;
    where->state = LEFT;
}

static void step(mount *where) {
    switch (where->state) {
    case HEALTHY: {
        uint64_t chance = below(100);
        if (chance < 10) break_it(where);
        else if (chance < 18) lose(where);
        else if (chance < 26 && where->before) roll_back(where);
        else write_good(where);
        break;
    }
    case GONE:
        require(!rename(where->away, where->path), where, "bring back");
        where->recovered++;
        where->state = HEALTHY;
        break;
    case EMPTY:
        where->recovered++;
        write_good(where);
        break;
    case BAD:
    case LEFT:
        write_good(where);
        break;
    }
}

/* Whether all hosts have heard of all that happened to a mount, of a storm of its end; says who has
 * not, if asked. */
static bool is_heard(const mount *where, bool tell) {
    const uint64_t wanted[] = { where->current, where->published,
                                where->unparsed + where->refused, where->lost,
                                where->recovered, where->rolled_back };
    static const char *const names[] = { "generation", "publications", "rejections", "losses",
                                         "recoveries", "rollbacks" };
    bool heard = true;
    for (uint64_t host = 0; host < HOSTS; host++) {
        word *words = board_heard(&shared, host, where->index);
        for (size_t which = 0; which < (where->storms ? 1 : 6); which++) {
            uint64_t told = atomic_load(&words[which]);
            if (told == wanted[which]) continue;
            heard = false;
            if (tell)
                printf("failed: lost: host %" PRIu64 " of mount %" PRIu64 ": %s %" PRIu64
                       " instead of %" PRIu64 "\n", host, where->index, names[which], told, wanted[which]);
        }
    }
    return heard;
}

static void tell_hosts(const mount *where) {
    word *words = board_mount(&shared, where->index);
    atomic_store(&words[GENERATION], where->current);
    atomic_store(&words[ROLLBACKS], where->rolled_back);
}

/* Goes on with a mount when it is time to; `last` means to leave it as good as it was at first. */
static bool go_on(mount *where, uint64_t patience, bool last) {
    if (where->given_up) return true;
    if (where->storms && !last) {
        if (where->rest) {
            where->rest--;
            return false;
        }
        where->rest = below(STORM_REST);
        if (below(8)) write_good(where);
        else break_it(where);
        tell_hosts(where);
        return false;
    }
    if (where->storms && where->state != HEALTHY) {
        write_good(where);
        tell_hosts(where);
    }
    if (!is_heard(where, false)) {
        if (++where->waited < patience) return false;
        is_heard(where, true);
        where->given_up = true;
        return true;
    }
    where->waited = 0;
    if (last && where->state == HEALTHY) return true;
    if (where->rest && !last) {
        where->rest--;
        return false;
    }
    where->rest = below(STEP_REST);
    step(where);
    tell_hosts(where);
    return false;
}

int main(int count, char **arguments) {
    if (count < 5) return 2;
    uint64_t mounts = strtoull(arguments[3], NULL, 10), patience = strtoull(arguments[4], NULL, 10);
    mount *all = calloc(mounts, sizeof *all);
    if (!all || board_open(&shared, arguments[2], mounts)) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint64_t index = 0; index < mounts; index++) {
        mount *where = &all[index];
        where->index = index;
        snprintf(where->path, PATH_SIZE, "%s/%llu", arguments[1], (unsigned long long)index);
        snprintf(where->away, PATH_SIZE, "%s/%llu.away", arguments[1], (unsigned long long)index);
        where->storms = index % STORM == STORM - 1;
        require(!shape_make(&where->content, index % 10 ? "small" : "medium", index + 1), where,
                "fill");
        write_good(where);
        tell_hosts(where);
    }
    printf("ready\n");
    fflush(stdout);
    faults = count > 5 ? arguments[5] : "";
    if (getchar() != '\n') return 2; /* all hosts have started */

    for (bool stop = false, done = false; !done;) {
        stop = stop || atomic_load(&shared.words[STOP_WRITING]);
        done = stop;
        for (uint64_t index = 0; index < mounts; index++)
            done &= go_on(&all[index], patience, stop);
        usleep(1000);
    }
    for (uint64_t index = 0; index < mounts; index++) {
        const mount *where = &all[index];
        printf("mount %" PRIu64 " %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
               " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", index, where->storms, where->written,
               where->current, where->published, where->unparsed, where->refused, where->lost,
               where->recovered, where->rolled_back);
    }
    return 0;
}
