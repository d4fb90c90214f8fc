"""A mapping that is always the newest version: what readers see, and how it comes to be.

The library tells of each version on a thread of its own. What changed is copied into native objects
there, then the readers are shown the version, then whoever asked is told. Readers take no part in
that: no lock, no call.
"""

from __future__ import annotations

import itertools
import json
import threading
import warnings
import weakref
from ctypes import byref, c_size_t, c_void_p
from typing import TYPE_CHECKING, Any

from . import _declarations as c
from . import _watcher
from ._library import library, new_error, taken
from ._watcher import CallsBack, Watcher, configs
from .errors import (
    Error,
    ParseError,
    RejectedError,
    Violation,
    from_struct,
    to_struct,
    violation_from_struct,
)
from .events import CAUSES, CHANGES, KINDS, Changes, Event, Interest, tell
from .snapshot import Reader, Snapshot, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

    from .binding import Binding

_serials = itertools.count(1)

_REHEARSED_KEYS, _REHEARSED_SIZE = 8, 4096  # more would take longer than it saves


def _rejection(problem: Exception) -> RejectedError:
    from .validation import rejection  # of use to who validates only

    return rejection(problem)


class Round:
    """One of the ways to be told: whom, the version that was told last, and the last version
    that all were told of."""

    def __init__(self, function: Any, flags: int) -> None:
        self.function = function
        self.flags = flags
        self.handlers: list[tuple[Callable[[Event], Any], Interest]] = []
        self.newest: Snapshot | None = None
        self.finished = 0


class Live(Reader):
    """The current version of a watcher of the library's.

    Attributes:
        snapshot: the current version; one that is kept does not change.
    """

    __slots__ = (
        "__weakref__",
        "_bindings",
        "_by_drain",
        "_by_hand",
        "_by_thread",
        "_candidate",
        "_checks",
        "_listeners",
        "_lock",
        "_news",
        "_parsers",
        "_serial",
        "_started",
        "_veto",
        "_watcher",
        "snapshot",
    )

    snapshot: Snapshot

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = Snapshot()
        self._started = False
        self._by_thread = Round(_watcher.told, c.CMR_SUBSCRIBE_UPCOMING)
        self._by_hand: Round | None = None
        self._by_drain: Round | None = None
        self._listeners: tuple[weakref.ref[Changes], ...] = ()
        self._checks: list[Callable[[Snapshot], None]] = []
        self._bindings: list[Binding[Any]] = []
        self._parsers: list[tuple[Interest, Callable[[str, bytes], Any]]] = []
        self._candidate: tuple[int, Snapshot] | None = None
        self._veto: RejectedError | None = None
        self._renew_lock()
        self._watcher = Watcher()
        self._serial = next(_serials)
        configs[self._serial] = self
        _watcher.log_to_logging()
        self._subscribe(self._by_thread)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()  # whoever changes what readers see; never held by readers
        self._news = threading.Condition(self._lock)

    # ---- its life ----

    def start(self) -> Self:
        """Loads the sources and publishes version 1, tells handlers of it, and goes on watching.

        When it fails nobody was told, and it may be tried again.

        Raises:
            SourceError, DeniedError: a source cannot be read, or is missing and not optional.
            ParseError, LimitError: content that does not parse, or is too large.
            RejectedError: a schema, a validator or a bound settings class said no.
            StateError: started already, closed, or inside a callback.
        """
        error = new_error()
        with self._watcher as watcher, CallsBack():
            failed = library.cmr_watcher_start(watcher, byref(error))
        if failed:
            raise self._failure(error)
        self._started = True
        return self

    def close(self, timeout: float | None = None) -> None:
        """Stops watching; waits for a handler that runs, at most ``timeout`` seconds.

        Inside a handler it does not wait. What was read stays readable. Closing twice is allowed.
        """
        self._watcher.close(timeout)
        with self._lock:
            self._drop_candidate()
            self._news.notify_all()
        for listener in self._all_listeners():
            listener.end()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._watcher.closed

    def __enter__(self) -> Self:
        return self if self._started and not self.closed else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        watcher = getattr(self, "_watcher", None)
        if watcher is not None and not watcher.closed:
            if self._started:
                warnings.warn(f"{self!r} was not closed", ResourceWarning, 2)
            self.close()

    def _after_fork_in_child(self) -> None:
        self._watcher.after_fork_in_child()
        self._renew_lock()
        for listener in self._all_listeners():
            listener.after_fork_in_child()
        self._listeners = ()
        self._show(self.snapshot)  # the fork may have come in the middle of it

    # ---- what readers see ----

    def _now(self) -> Snapshot:
        return self.snapshot

    @property
    def version(self) -> int:
        """The current version: 1, 2, 3 and so on; 0 before the first."""
        return self.snapshot.version

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.snapshot)

    def __len__(self) -> int:
        return len(self.snapshot)

    def __contains__(self, key: object) -> bool:
        return key in self.snapshot

    def __eq__(self, other: object) -> bool:
        return self.snapshot == (other.snapshot if isinstance(other, Live) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __or__(self, other: Any) -> Any:
        return dict(self.snapshot) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self.snapshot)

    def keys(self) -> Any:
        return self.snapshot.keys()

    def values(self) -> Any:
        return self.snapshot.values()

    def items(self) -> Any:
        return self.snapshot.items()

    def copy(self) -> dict[str, Any]:
        """The current version as a dict of its own."""
        return dict(self.snapshot)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at version {self.version}, {len(self)} keys>"

    def __reduce__(self) -> Any:
        raise TypeError("a Config belongs to its process: send its snapshot instead")

    # ---- how a version gets there ----

    def _show(self, snapshot: Snapshot) -> None:
        # Each look-up sees the version before or this one, and no key is missing in between.
        self.snapshot = snapshot
        dict.update(self, snapshot)
        if dict.__len__(self) > len(snapshot):
            for key in dict.keys(self) - snapshot.keys():
                dict.pop(self, key, None)

    def _native(
        self, pointer: int, base: Snapshot | None = None, changed: Iterable[str] = ()
    ) -> Snapshot:
        """The native snapshot of the library's, shown to the readers when it is the newest."""
        version = library.cmr_snapshot_version(pointer)
        with self._lock:
            if self.snapshot.version == version:
                return self.snapshot
            if self._candidate is not None and self._candidate[0] == pointer:
                snapshot = self._candidate[1]
                snapshot.version = version
                snapshot.published_ns = library.cmr_snapshot_published_ns(pointer)
                self._drop_candidate()
            else:
                snapshot = copied(pointer, base, changed)
            if version > self.snapshot.version:
                for binding in self._bindings:
                    binding._follow(snapshot)
                self._show(snapshot)
                self._news.notify_all()
            return snapshot

    def _caught_up(self, pointer: int) -> Snapshot:
        """The newest version, which is not older than the library's snapshot."""
        if self.snapshot.version < library.cmr_snapshot_version(pointer):
            self._native(pointer)
        return self.snapshot

    def _catch_up(self) -> None:
        """Shows what the library has published, when its thread has not told of it yet."""
        with self._watcher as watcher:
            pointer = library.cmr_watcher_acquire(watcher)
        try:
            if pointer:
                self._caught_up(pointer)
        finally:
            library.cmr_snapshot_release(pointer)

    # ---- what the library calls ----

    def _subscribe(self, told: Round) -> None:
        error = new_error()
        with self._watcher as watcher:
            if library.cmr_watcher_subscribe(
                watcher, None, told.flags, told.function, self._serial, None, byref(error)
            ):
                raise from_struct(error)

    def _told(self, event: c.cmr_event, told: Round) -> None:
        """Takes an event in, shows its version to the readers, and tells the handlers."""
        kind = KINDS.get(event.kind)
        if kind is None:
            return  # of a newer library
        if kind == "upcoming":
            self._rehearse(event)
            return
        changes = {
            change.key.decode(): CHANGES.get(change.kind, "modified")
            for change in event.changes[: event.change_count]
        }
        snapshot, previous = self.snapshot, None
        if kind == "published":
            previous = self._known(event.previous, told) if event.previous else None
            snapshot = told.newest = self._native(event.snapshot, previous, changes)
        happened = Event(
            kind,
            CAUSES.get(event.cause, ""),
            event.version,
            snapshot,
            previous,
            changes,
            self._reason(event) if event.error else None,
        )
        if told is self._by_thread:
            for listener in self._all_listeners():
                listener.offer(happened)
        try:
            tell(told.handlers, happened)
        finally:
            if kind == "published":
                with self._news:
                    told.finished = snapshot.version
                    self._news.notify_all()

    def _rehearse(self, event: c.cmr_event) -> None:
        """Copies some keys for nothing, while a version is being written: it takes half the time
        when what runs is in the processor's caches already."""
        version = self.snapshot
        few = itertools.islice(version, _REHEARSED_KEYS)
        sizes = {key: len(version._raw.get(key, version[key])) for key in few}
        short = [key for key, size in sizes.items() if size <= _REHEARSED_SIZE]
        copied(event.snapshot, Snapshot(), short)

    def _told_of_drain(self, event: c.cmr_event) -> None:
        if event.kind == c.CMR_EVENT_DRAINED and self._by_drain is not None:
            happened = Event("drained", "", event.version, self.snapshot, None, {})
            tell(self._by_drain.handlers, happened)

    def _known(self, pointer: int, told: Round) -> Snapshot:
        """The native snapshot of a version that may have been told of before."""
        version = library.cmr_snapshot_version(pointer)
        for known in (told.newest, self.snapshot):
            if known is not None and known.version == version:
                return known
        return copied(pointer)

    def _reason(self, event: c.cmr_event) -> Error:
        error = from_struct(event.error.contents)
        if isinstance(error, RejectedError):
            found = event.violations[: event.violation_count]
            self._explain(error, tuple(map(violation_from_struct, found)))
        return error

    def _validate(self, pointer: int, error: c.cmr_error) -> int:
        """Shows a candidate to the validators; the copy is kept until it is told of."""
        self._veto = None
        version = library.cmr_snapshot_version(pointer)
        is_current = version and version == self.snapshot.version
        candidate = self.snapshot if is_current else copied(pointer)
        try:
            for check_candidate in tuple(self._checks):
                check_candidate(candidate)
        except Exception as problem:
            self._veto = _rejection(problem)
            return to_struct(self._veto, error)
        if not version:
            with self._lock:
                self._drop_candidate()
                # Held, so that nothing else can come to lie where it lies.
                self._candidate = library.cmr_snapshot_retain(pointer), candidate
        return c.CMR_OK

    def _drop_candidate(self) -> None:
        if self._candidate is not None:
            library.cmr_snapshot_release(self._candidate[0])
            self._candidate = None

    def _parse(self, key: str, content: bytes, sink: int, error: c.cmr_error) -> int:
        """Parses a key in a format of the application's own."""
        parser = next(parser for keys, parser in reversed(self._parsers) if keys.matches(key))
        try:
            text = json.dumps(parser(key, content), allow_nan=False).encode()
        except Error as problem:
            return to_struct(problem, error)
        except Exception as problem:  # whose message may quote what it could not parse
            line, column = getattr(problem, "lineno", 0), getattr(problem, "colno", 0)
            said = f"the parser raised {type(problem).__name__}"
            return to_struct(ParseError(said, line=line, column=column), error)
        return library.cmr_sink_write(sink, text, len(text))  # type: ignore[no-any-return]

    def _all_listeners(self) -> list[Changes]:
        found = [reference() for reference in self._listeners]
        return [listener for listener in found if listener is not None]

    # ---- why a version was refused ----

    def _violations(self) -> tuple[Violation, ...]:
        """The rules that the newest rejection broke."""
        text, size = c_void_p(), c_size_t()
        with self._watcher as watcher:
            if library.cmr_watcher_violations(watcher, byref(text), byref(size)):
                return ()
        return tuple(Violation(**found) for found in json.loads(taken(text, size)))

    def _explain(self, rejected: RejectedError, violations: tuple[Violation, ...]) -> None:
        """Adds what a schema found, or else the exception that a validator raised."""
        rejected.violations = violations
        if not violations and self._veto is not None:
            rejected.__cause__ = self._veto.__cause__

    def _failure(self, error: c.cmr_error) -> Error:
        """The exception of an attempt that failed."""
        raised = from_struct(error)
        if isinstance(raised, RejectedError):
            self._explain(raised, self._violations())
        return raised
