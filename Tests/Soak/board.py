"""The board of board.h, as the observer sees it."""

from __future__ import annotations

import mmap
import pathlib

HOSTS = ["C", "Python", "Go"]
HEADER, MOUNT, STORM = 16, 8, 20
STOP_WRITING, LEAVE = range(2)
READY, EVENTS, HEAP, OBJECTS, HELD_SNAPSHOTS, READS, VISITORS, FAILURES = range(8)
GENERATION, PUBLISHED, REJECTED, LOST, RECOVERED, ROLLED_BACK, VERSION = range(7)


class Board:
    def __init__(self, path: pathlib.Path, mounts: int) -> None:
        path.write_bytes(bytes(8 * (HEADER + MOUNT * mounts) * (len(HOSTS) + 1)))
        with path.open("r+b") as file:
            self.words = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
        self.mounts = mounts

    def host(self, host: int) -> memoryview:
        return self.words[HEADER * (1 + host) :][:HEADER]

    def heard(self, host: int, mount: int) -> memoryview:
        first = HEADER * (1 + len(HOSTS)) + MOUNT * (self.mounts * (1 + host) + mount)
        return self.words[first:][:MOUNT]
