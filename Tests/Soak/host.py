"""A host in Python: what host.c does, through the client for Python.

    host.py DIRECTORY BOARD HOST MOUNTS [FAULTS]

On every fifth mount a handler raises, on every tenth one is slow; validators raise at what is
marked. FAULTS, of which "threads" is one: threads that never end.
"""

from __future__ import annotations

import ctypes
import logging
import mmap
import os
import random
import signal
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import cmreload

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTS, HEADER, MOUNT = 3, 16, 8
LEAVE = 1
ROLLBACKS = 1
READY, EVENTS, HEAP, OBJECTS, HELD_SNAPSHOTS, READS, VISITORS, FAILURES = range(8)
GENERATION, PUBLISHED, REJECTED, LOST, RECOVERED, ROLLED_BACK, VERSION = range(7)

SLOW, LOOK = 0.02, 0.002  # seconds
HELD = 64
SMALLEST_BLOCK = 16  # bytes, of what Python allocates for an object

directory, board_path, host, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
faults = " ".join(sys.argv[5:])

with open(board_path, "r+b") as file:
    board = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
mine = board[HEADER * (1 + host) :]
mounts = board[HEADER * (1 + HOSTS) :]
counting = threading.Lock()
leave = threading.Event()


def add(words: memoryview, word: int) -> int:
    """Counts one more, whichever thread counts."""
    with counting:
        words[word] += 1
        return words[word]


def holds(statement: bool, what: str, index: int) -> bool:
    if not statement and add(mine, FAILURES) <= 20:
        print(f"failed: {what}: Python, mount {index}", flush=True)
    return statement


def generation_of(snapshot: cmreload.Snapshot, keys: int) -> int:
    """The generation that all values carry, -1 when they do not agree or some are missing."""
    found = set()
    for value in snapshot.values():
        if isinstance(value, dict):
            found |= {value["gen"], value["gen_end"]}
        elif value[:1].isdigit():
            found.add(int(value))
        else:
            found.add(int(value[value.index("gen=") + 4 : value.index(";")]))
    return found.pop() if len(snapshot) == keys and len(found) == 1 else -1


def is_marked(snapshot: cmreload.Snapshot) -> bool:
    return bool(snapshot["LOG_LEVEL"].endswith("!"))


class Marked(Exception):
    pass


def refuse_marked(candidate: cmreload.Snapshot) -> None:
    if is_marked(candidate):
        raise Marked


class Raised(Exception):
    pass


class Follow:
    """One mount, and the configuration that follows it."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.keys = 4 if index % 10 else 20
        self.path = directory / str(index)
        self.wanted = mounts[MOUNT * index :]
        self.heard = mounts[MOUNT * (count * (1 + host) + index) :]
        self.version = self.generation = self.calls = self.raised = self.rolled_back = 0
        # Behind half of the mounts stands nothing that finds what a notification missed.
        self.config = cmreload.Config(self.path, rescan=1 if index % 2 else 0)
        self.config.validator(refuse_marked)
        if index % 5 == 1:
            self.config.on_event(self.fail)
        self.config.on_event(self.hear)
        if index % 10 == 3:
            self.config.on_event(lambda event: time.sleep(SLOW))
        self.config.start()

    def fail(self, event: cmreload.Event) -> None:
        self.raised += 1
        raise Raised

    def hear(self, event: cmreload.Event) -> None:
        self.calls += 1
        add(mine, EVENTS)
        if event.kind == "published":
            self.hear_published(event)
        else:
            word = {"rejected": REJECTED, "source_lost": LOST, "source_recovered": RECOVERED}
            add(self.heard, word[event.kind])

    def hear_published(self, event: cmreload.Event) -> None:
        generation = generation_of(event.snapshot, self.keys)
        back = event.cause == "rollback"
        if not holds(generation > 0, "torn: an event", self.index):
            return
        before = event.previous.version if event.previous else 0
        holds(event.version > self.version, "out of order: a version", self.index)
        holds(
            generation < self.generation if back else generation > self.generation,
            "out of order: a generation",
            self.index,
        )
        holds(before == self.version, "out of order: the version before", self.index)
        holds(self.config.version >= event.version, "stale: what readers see", self.index)
        self.version, self.generation = event.version, generation
        self.heard[VERSION] = event.version
        self.heard[GENERATION] = generation
        add(self.heard, PUBLISHED)
        if back:
            add(self.heard, ROLLED_BACK)

    def look(self, snapshot: cmreload.Snapshot, told: int) -> int:
        """Looks at a snapshot that is at least as new as ``told``; returns its generation."""
        add(mine, READS)
        generation = generation_of(snapshot, self.keys)
        whole = generation > 0 and not is_marked(snapshot)
        holds(whole, "torn: a snapshot", self.index)
        holds(snapshot.version >= told, "stale: a snapshot", self.index)
        return generation

    def roll_back_as_told(self) -> None:
        asked = self.wanted[ROLLBACKS]
        if asked != self.rolled_back:
            self.rolled_back = asked
            self.config.rollback()

    def visit(self) -> None:
        """Watches for a moment. That cannot start while the mount is broken or gone."""
        try:
            with cmreload.watch(self.path) as config:
                first = config.snapshot
                if first.version == 1 and first and not is_marked(first):
                    self.look(first, 1)
        except (cmreload.ParseError, cmreload.SourceError):
            pass
        except Exception as problem:
            holds(False, f"a watcher cannot start: {problem!r}", self.index)
        add(mine, VISITORS)

    def print_stats(self) -> None:
        stats = self.config.stats
        print(
            "mount",
            self.index,
            stats.version,
            stats.reloads_succeeded,
            stats.reloads_rejected,
            stats.source_errors,
            stats.callbacks,
            self.calls,
            stats.held_snapshots,
            int(stats.healthy),
        )


def hold_snapshots() -> None:
    """Reads the newest versions, and holds each for a while."""
    held: deque[tuple[Follow, cmreload.Pin, int]] = deque()
    choose = random.Random(1).choice
    while not leave.wait(LOOK):
        where = choose(follows)
        told = where.heard[VERSION]
        pin = where.config.pin()
        held.append((where, pin, where.look(pin.snapshot, told)))
        if len(held) > HELD:
            where, pin, generation = held.popleft()
            same = where.look(pin.snapshot, 0) == generation
            holds(same, "torn: a snapshot that was held", where.index)
            pin.release()
    for _, pin, _ in held:
        pin.release()


class Raises(logging.Handler):
    """Counts the handlers that raised, as the log tells it."""

    told = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is Raised:
            self.told += 1
        elif record.exc_info:
            holds(False, f"{record.getMessage()}: {record.exc_info[1]!r}", 0)


class MallInfo(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]


libc = ctypes.CDLL(None)
mallinfo: Callable[[], MallInfo] = libc.mallinfo2
mallinfo.restype = MallInfo  # type: ignore[attr-defined]


def report() -> None:
    mine[HELD_SNAPSHOTS] = sum(each.config.stats.held_snapshots for each in follows)
    libc.malloc_trim(0)
    used = mallinfo()
    mine[HEAP] = used.uordblks + used.hblkhd
    mine[OBJECTS] = sys.getallocatedblocks() * SMALLEST_BLOCK


def never_ends() -> None:
    threading.Event().wait()


raises = Raises()
logging.getLogger("cmreload").addHandler(raises)
logging.getLogger("cmreload").propagate = False
libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

follows = [Follow(index) for index in range(count)]
reader = threading.Thread(target=hold_snapshots)
reader.start()
mine[READY] = 1
choose_round = random.Random(2).choice
rounds = 0
while not board[LEAVE]:
    rounds += 1
    for each in follows:
        each.roll_back_as_told()
    if rounds % 10 == 0:
        choose_round(follows).visit()
    if rounds % 50 == 0:
        report()
        if "threads" in faults:
            threading.Thread(target=never_ends, daemon=True).start()
    time.sleep(LOOK)
leave.set()
reader.join()
for each in follows:
    each.print_stats()
raised = sum(each.raised for each in follows)
for each in follows:
    each.config.close()
holds(raises.told == raised, f"{raised} handlers raised, the log tells of {raises.told}", 0)
sys.stdout.flush()
os._exit(0)
