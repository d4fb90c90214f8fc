"""What happened to a configuration, whom to tell, and how it reaches an asyncio loop."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from . import _declarations as c
from .errors import Error, InvalidArgumentError, StateError
from .snapshot import Snapshot, difference

if TYPE_CHECKING:
    import asyncio
    import re
    from collections.abc import Callable

log = logging.getLogger("cmreload")


def _names(prefix: str) -> dict[int, str]:
    return {
        value: name[len(prefix) :].lower()
        for name, value in vars(c).items()
        if name.startswith(prefix)
    }


KINDS = _names("CMR_EVENT_")
CAUSES = _names("CMR_CAUSE_")
CHANGES = _names("CMR_CHANGE_")


class Event:
    """What a handler is told.

    Attributes:
        kind: "published", "rejected", "source_lost", "source_recovered" or "drained".
        cause: "start", "change", "reload" or "rollback".
        version: that of ``snapshot``; when drained, the one that nobody holds any more.
        snapshot: the new version when published, otherwise the current one.
        previous: when published, the version of the event before; None at the start.
        changes: when published, of each key that differs "added", "removed" or "modified"; only
            of the keys that the handler asked for.
        error: when rejected, why; when a source is lost or recovered, its ``key`` names it.
        failures: the exceptions of handlers that this event was told to so far.
    """

    __slots__ = (
        "cause",
        "changes",
        "error",
        "failures",
        "kind",
        "previous",
        "snapshot",
        "version",
    )

    def __init__(
        self,
        kind: str,
        cause: str,
        version: int,
        snapshot: Snapshot,
        previous: Snapshot | None,
        changes: dict[str, str],
        error: Error | None = None,
        failures: list[Exception] | None = None,
    ) -> None:
        self.kind = kind
        self.cause = cause
        self.version = version
        self.snapshot = snapshot
        self.previous = previous
        self.changes = changes
        self.error = error
        self.failures = [] if failures is None else failures

    @property
    def failed(self) -> int:
        """How many handlers raised an exception when they were told."""
        return len(self.failures)

    def __repr__(self) -> str:
        told = self.changes or self.error or ""
        return f"<Event {self.kind} of version {self.version}: {told}>"

    def _with(self, previous: Snapshot | None, changes: dict[str, str]) -> Event:
        """The same event, told as another difference."""
        return Event(
            self.kind,
            self.cause,
            self.version,
            self.snapshot,
            previous,
            changes,
            self.error,
            self.failures,
        )

    def _of_keys(self, keys: list[str]) -> Event:
        if len(keys) == len(self.changes):
            return self
        return self._with(self.previous, {key: self.changes[key] for key in keys})

    def _followed_by(self, newer: Event) -> Event:
        """This event and a newer one of its kind as one."""
        if self.kind != "published":
            return newer
        keys = sorted(self.changes.keys() | newer.changes.keys())
        changes = difference(self.previous or Snapshot(), newer.snapshot, keys)
        return newer._with(self.previous, changes)


class Interest:
    """Which events somebody wants to hear of: changes of keys that match, or everything."""

    def __init__(self, patterns: tuple[str, ...], everything: bool = False) -> None:
        self._patterns: list[re.Pattern[str]] = []
        self._everything = everything
        if patterns:
            from .patterns import compile_pattern

            try:
                self._patterns = [compile_pattern(text) for text in patterns]
            except ValueError as problem:
                raise InvalidArgumentError(str(problem)) from None

    def matches(self, key: str) -> bool:
        """Whether a change of this key is of interest."""
        return not self._patterns or any(each.fullmatch(key) for each in self._patterns)

    def part_of(self, event: Event) -> Event | None:
        """What of an event is of interest, if anything."""
        if event.kind != "published":
            return event if self._everything else None
        if not self._patterns:
            return event
        keys = [key for key in event.changes if self.matches(key)]
        return event._of_keys(keys) if keys else None


def tell(handlers: list[tuple[Callable[[Event], Any], Interest]], event: Event) -> None:
    """Tells each handler; one that raises is logged and counted, and stops nothing. What is no
    Exception, SystemExit say, is for who called the library, when all have been told."""
    ended: BaseException | None = None
    for function, interest in tuple(handlers):
        part = interest.part_of(event)
        if part is None:
            continue
        try:
            function(part)
        except Exception as problem:
            event.failures.append(problem)
            log.exception("a handler of version %d failed", event.version)
        except BaseException as problem:
            ended = ended or problem
    if ended is not None:
        raise ended


def _eventfd() -> int:
    if sys.version_info >= (3, 10):
        return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.eventfd(0, os.O_CLOEXEC | os.O_NONBLOCK)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


def _awake(waiters: set[asyncio.Future[None]]) -> None:
    """Lets all go on that wait; each looks for itself whether there is something for it."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


_ONE = (1).to_bytes(8, sys.byteorder)


class Changes:
    """Events for the running asyncio loop, one after the other: ``async for event in …``.

    Offered on the library's thread, with all values native already, and told to the loop through an
    eventfd. While the loop is busy, newer versions make one event with those that wait.
    """

    def __init__(self, interest: Interest) -> None:
        import asyncio

        self._interest = interest
        self._lock = threading.Lock()
        self._waiting: dict[str, Event] = {}  # by kind, the oldest first
        self._waiters: set[asyncio.Future[None]] = set()  # of the loop's thread only
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._descriptor = _eventfd()
        self._loop.add_reader(self._descriptor, Changes._wake, weakref.ref(self))

    def offer(self, event: Event) -> None:
        """Takes an event in; called on any thread."""
        part = self._interest.part_of(event)
        if part is None:
            return
        with self._lock:
            if part.kind == "published":
                self._waiting.pop("rejected", None)
            older = self._waiting.pop(part.kind, None)
            if older is not None:
                part = self._interest.part_of(older._followed_by(part))
            if part is None:  # the keys of interest are what they were
                return
            self._waiting[part.kind] = part
            self._signal()

    def end(self) -> None:
        """No event will follow those that wait; called on any thread."""
        with self._lock:
            self._ended = True
            self._signal()

    def _signal(self) -> None:
        if self._descriptor >= 0:
            os.write(self._descriptor, _ONE)

    @staticmethod
    def _wake(reference: weakref.ref[Changes]) -> None:
        self = reference()
        if self is not None and self._descriptor >= 0:
            os.read(self._descriptor, 8)
            _awake(self._waiters)

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Event:
        while True:
            with self._lock:
                if self._waiting:
                    return self._waiting.pop(next(iter(self._waiting)))
                if self._ended or self._descriptor < 0:
                    raise StopAsyncIteration
            waiter = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    async def next(self) -> Event:
        """The next event.

        Raises:
            StateError: the configuration was closed.
        """
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise StateError("the configuration was closed") from None

    def close(self) -> None:
        """Ends the iteration and gives the eventfd back; called on any thread."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            if self._thread == threading.get_ident():
                self._remove(self._loop, descriptor, self._waiters)
            else:
                self._loop.call_soon_threadsafe(self._remove, self._loop, descriptor, self._waiters)
        except RuntimeError:  # the loop was closed, and with it its interest in the descriptor
            os.close(descriptor)

    @staticmethod
    def _remove(
        loop: asyncio.AbstractEventLoop, descriptor: int, waiters: set[asyncio.Future[None]]
    ) -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        _awake(waiters)

    def after_fork_in_child(self) -> None:
        """Lets go of what belongs to the parent's loop."""
        self._lock = threading.Lock()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.close()
