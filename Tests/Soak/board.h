/* The board on which the processes of a soak tell each other how far they are: a mapped file of
 * 64-bit words, each written by one process alone. host.py and go/host.go know the same numbers.
 *
 *     HEADER words   what the observer says to all, and the writer to the observer
 *     HEADER words   for each host: what it counts over all mounts
 *     MOUNT words    for each mount: what the writer wants of the hosts
 *     MOUNT words    for each host and each mount: what the host has heard of it
 */
#ifndef BOARD_H
#define BOARD_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HOSTS = 3, HEADER = 16, MOUNT = 8 };

/* Every twentieth mount is written without waiting for anybody: a storm. The others are written
 * step by step: the next step comes once all hosts have heard of the last one. */
enum { STORM = 20 };

/* Words of the header. */
enum { STOP_WRITING, LEAVE };

/* Words of a mount, by the writer. */
enum { GENERATION, ROLLBACKS };

/* Words of a host. */
enum { READY, EVENTS, HEAP, OBJECTS, HELD_SNAPSHOTS, READS, VISITORS, FAILURES };

/* Words of a host for a mount: the first is GENERATION, too. */
enum { PUBLISHED = 1, REJECTED, LOST, RECOVERED, ROLLED_BACK, VERSION };

typedef _Atomic uint64_t word;

typedef struct board {
    word *words;
    uint64_t mounts;
} board;

static inline int board_open(board *opened, const char *path, uint64_t mounts) {
    size_t size = (size_t)(HEADER + MOUNT * mounts) * (HOSTS + 1) * sizeof(word);
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *words = file < 0 ? MAP_FAILED
                           : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    *opened = (board){ words, mounts };
    return words == MAP_FAILED ? -1 : 0;
}

static inline word *board_host(const board *opened, uint64_t host) {
    return opened->words + HEADER * (1 + host);
}

static inline word *board_mount(const board *opened, uint64_t mount) {
    return opened->words + HEADER * (1 + HOSTS) + MOUNT * mount;
}

static inline word *board_heard(const board *opened, uint64_t host, uint64_t mount) {
    return board_mount(opened, opened->mounts * (1 + host) + mount);
}

#endif
