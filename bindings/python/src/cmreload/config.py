"""The configuration that an application holds: what it is made of, and what can be asked of it."""

from __future__ import annotations

import os
import weakref
from ctypes import byref, c_size_t, c_uint64, c_void_p, sizeof
from datetime import datetime, timedelta, timezone
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, overload

from . import _declarations as c
from . import _watcher
from ._library import call, check, exposition, library, milliseconds, new_error
from ._watcher import CallsBack, inside_callback
from .errors import InvalidArgumentError, StateError, TimedOutError, Violation
from .events import Changes, Event, Interest
from .live import Live, Round
from .snapshot import Snapshot, copied
from .sources import Environment, File, Mount, content_of, schema_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypedDict, TypeVar, Union

    from typing_extensions import Unpack

    from .binding import Binding
    from .sources import Schema, Source

    F = TypeVar("F", bound=Callable[..., Any])
    T = TypeVar("T")
    Seconds = Union[float, timedelta]

    class Options(TypedDict, total=False):
        """What :class:`Config` takes beside its sources."""

        name: str
        defaults: Mapping[str, Any]
        optional: bool
        schema: Schema
        schemas: Mapping[str, Schema]
        definitions: Mapping[str, Schema]
        formats: Mapping[str, str]
        parsers: Mapping[str, Callable[[str, bytes], Any]]
        settle: Seconds
        rescan: Seconds
        poll: Seconds
        drain: Seconds
        confirm: Seconds
        history: int
        sensitive: bool
        sniff_json: bool
        lenient: bool
        expand_environment: bool
        assert_format: bool
        max_value_bytes: int
        max_total_bytes: int
        max_keys: int
        max_depth: int


_SECONDS = {"settle", "rescan", "poll", "drain", "confirm"}
_NUMBERS = {"history", "max_value_bytes", "max_total_bytes", "max_keys", "max_depth"}
_SWITCHES = {"sensitive", "sniff_json", "lenient", "expand_environment", "assert_format"}

_NONE: Mapping[str, Any] = MappingProxyType({})

DEEPEST = 512
"""The most that ``max_depth`` may be: the standard library reads JSON by recursion."""


class Stats(SimpleNamespace):
    """What a configuration's watcher has done so far.

    Moments are aware datetimes, None for never; ``last_duration`` is what the last attempt took.
    """

    healthy: bool
    version: int
    reloads_succeeded: int
    reloads_rejected: int
    reloads_unchanged: int
    source_errors: int
    overflows: int
    rescans: int
    callbacks: int
    last_success: datetime | None
    last_failure: datetime | None
    last_duration: timedelta
    polling: int
    held_snapshots: int


class Pin:
    """Holds one version: as long as it is held, :meth:`Config.drain` waits for it.

    ``with config.pin() as snapshot: …``
    """

    __slots__ = ("_pointer", "snapshot")

    def __init__(self, snapshot: Snapshot, pointer: int | None) -> None:
        self.snapshot = snapshot
        self._pointer = pointer

    def release(self, _release: Any = library.cmr_snapshot_release) -> None:
        """Lets go of the version; the snapshot stays readable."""
        pointer, self._pointer = self._pointer, None
        _release(pointer)

    def __enter__(self) -> Snapshot:
        return self.snapshot

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


class Config(Live):
    """A configuration that follows its sources: a ``Mapping`` of the current version.

    ``config["KEY"]`` costs what a dict costs. Each look-up sees the newest version; who needs
    several values of one version takes :attr:`snapshot` once and reads from that.

    Args:
        sources: layers, a later one wins, key by key. A path is a :class:`File` when it is one,
            else a :class:`Mount`; both can be given as such, as can an :class:`Environment`.
        name: for logs and metrics.
        defaults: keys with the content that they have where no source has them; what is neither
            text nor bytes is written as JSON.
        optional: every source may be missing at the start.
        schema: a JSON Schema for all keys as one object: a dict, JSON text, or the path of a file.
        schemas: the same for single keys or paths.
        definitions: schemas by the id that a ``$ref`` names them by.
        formats: patterns of keys, and "text", "json", "yaml", "toml", "properties", "dotenv" or
            "ini".
        parsers: patterns of keys, and functions that make a value, as JSON has them, of a key and
            its bytes; of an exception that is no :class:`Error` only the class is told, for its
            message may quote the bytes.
        settle: seconds that plain directories and files must be quiet; a mount never waits. 0.1.
        rescan: seconds between looks behind the kernel's notifications. 10.
        poll: the same where the kernel cannot notify. 1.
        drain: seconds that publishing waits for the holders of the version before. 0.
        confirm: seconds within which a change must be confirmed, 0 for never. 0.
        history: how many versions are kept. 10.
        sensitive: wipe memory before it is freed, tell no checksum in logs and metrics, and no
            names of members within values in violations.
        sniff_json: parse keys that no suffix gives a format as JSON when they are JSON.
        lenient: keep as text what does not parse, instead of rejecting the version.
        expand_environment: replace ``${NAME}`` by the environment's.
        assert_format: the ``format`` of a schema counts.
        max_value_bytes, max_total_bytes, max_keys, max_depth: limits; ``max_depth`` at most 512.

    Attributes:
        snapshot: the current version; one that is kept does not change.
    """

    __slots__ = ()

    def __init__(self, *sources: Source, **options: Unpack[Options]) -> None:
        super().__init__()
        try:
            self._configure(sources, **options)
        except BaseException:
            self.close()
            raise

    # ---- what it is made of ----

    def _configure(
        self,
        sources: tuple[Source, ...],
        name: str | None = None,
        optional: bool = False,
        defaults: Mapping[str, Any] = _NONE,
        schema: Schema | None = None,
        schemas: Mapping[str, Schema] = _NONE,
        definitions: Mapping[str, Schema] = _NONE,
        formats: Mapping[str, str] = _NONE,
        parsers: Mapping[str, Callable[[str, bytes], Any]] = _NONE,
        **options: Any,
    ) -> None:
        if name is not None:
            self._call(library.cmr_watcher_set_name, name.encode())
        for option, value in options.items():
            self._set_option(option, value)
        for pattern, format in formats.items():
            self._set_format(pattern, format)
        for pattern, parser in parsers.items():
            self._set_parser(pattern, parser)
        for key, value in defaults.items():
            content = content_of(value)
            self._call(library.cmr_watcher_add_default, key.encode(), content, len(content))
        for source in sources:
            self._add(source, optional)
        for identifier, each in definitions.items():
            self._add_schema(library.cmr_watcher_add_schema, identifier, each)
        for path, each in schemas.items():
            self._add_schema(library.cmr_watcher_set_schema, path, each)
        if schema is not None:
            self._add_schema(library.cmr_watcher_set_schema, "", schema)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        with self._watcher as watcher:
            call(function, watcher, *arguments)

    def _set_option(self, option: str, value: Any) -> None:
        if option in _SECONDS:
            number, value = f"CMR_OPTION_{option.upper()}_MS", milliseconds(value)
        elif option in _NUMBERS or option in _SWITCHES or option == "optional":
            number, value = f"CMR_OPTION_{option.upper()}", int(value)
        else:
            raise TypeError(f"there is no option {option}")
        if option == "max_depth" and value > DEEPEST:
            raise InvalidArgumentError(f"max_depth is at most {DEEPEST}")
        with self._watcher as watcher:
            status = library.cmr_watcher_set_option(watcher, getattr(c, number), value)
        check(status, f"{option} cannot be that")

    def _add(self, source: Source, optional: bool) -> None:
        if not isinstance(source, (Mount, File, Environment)):
            source = (File if os.path.isfile(source) else Mount)(source, optional)
        if isinstance(source, Environment):
            self._call(library.cmr_watcher_add_environment, source.prefix.encode())
            return
        self._set_option("optional", source.optional or optional)
        is_mount = isinstance(source, Mount)
        add = library.cmr_watcher_add_mount if is_mount else library.cmr_watcher_add_file
        self._call(add, os.fsencode(source.path))

    def _add_schema(self, function: Callable[..., Any], name: str, schema: Schema) -> None:
        text = schema_text(schema)
        self._call(function, name.encode(), text, len(text))

    def _set_format(self, pattern: str, format: str) -> None:
        number = getattr(c, f"CMR_FORMAT_{format.upper()}", None)
        if number is None:
            raise InvalidArgumentError(f"there is no format {format}")
        self._call(library.cmr_watcher_set_format, pattern.encode(), number)

    def _set_parser(self, pattern: str, parser: Callable[[str, bytes], Any]) -> None:
        self._parsers.append((Interest((pattern,)), parser))
        self._call(library.cmr_watcher_set_parser, pattern.encode(), _watcher.parse, self._serial)

    # ---- holding a version ----

    def pin(self) -> Pin:
        """Holds the current version: ``with config.pin() as snapshot: …``.

        What is held this way is what :meth:`drain`, and publishing with ``drain=``, wait for. Once
        closed, it holds nothing.
        """
        try:
            with self._watcher as watcher:
                while True:
                    pointer = library.cmr_watcher_acquire(watcher)
                    snapshot = self._caught_up(pointer) if pointer else self.snapshot
                    if not pointer or library.cmr_snapshot_version(pointer) == snapshot.version:
                        return Pin(snapshot, pointer)
                    library.cmr_snapshot_release(pointer)
        except StateError:
            return Pin(self.snapshot, None)

    # ---- hearing of changes ----

    @overload
    def on_change(self, function: F, /) -> F: ...
    @overload
    def on_change(self, *patterns: str, manual: bool = False) -> Callable[[F], F]: ...
    def on_change(self, *patterns: Any, manual: bool = False) -> Any:
        """Decorates a function that is called with an :class:`Event` for each new version in which
        a key changed that matches one of the patterns; without patterns, for each.

        Patterns are globs for the whole key, ``"features.*"``. The function is called on a thread
        of the library's, one call after the other, and at the start on the thread of
        :meth:`start`; with ``manual`` in :meth:`dispatch`. It may block: versions that are
        published meanwhile come as one event. An exception is logged and stops nothing. Inside,
        ``reload``, ``wait``, ``drain`` and ``dispatch`` raise :class:`StateError`.
        """
        if len(patterns) == 1 and callable(patterns[0]):
            return self._decorator(Interest(()), manual)(patterns[0])
        return self._decorator(Interest(patterns), manual)

    @overload
    def on_event(self, function: F, *, manual: bool = False) -> F: ...
    @overload
    def on_event(self, *, manual: bool = False) -> Callable[[F], F]: ...
    def on_event(self, function: Any = None, *, manual: bool = False) -> Any:
        """As :meth:`on_change`, but for events of every kind, rejections and lost sources too."""
        decorator = self._decorator(Interest((), everything=True), manual)
        return decorator if function is None else decorator(function)

    def _decorator(self, interest: Interest, manual: bool) -> Callable[[F], F]:
        def register(function: F) -> F:
            _no_coroutine(function)
            handlers = self._manual_round().handlers if manual else self._by_thread.handlers
            handlers.append((function, interest))
            return function

        return register

    def on_drained(self, function: F) -> F:
        """Decorates a function that is called with an event of kind "drained" when nobody holds a
        former version any more: ``event.version``, the highest of several. Older ones may still be
        held; :meth:`drain` waits for all of them."""
        _no_coroutine(function)
        with self._lock:
            if self._by_drain is None:
                told = Round(_watcher.told_of_drain, c.CMR_SUBSCRIBE_DRAINED)
                self._subscribe(told)
                self._by_drain = told
            self._by_drain.handlers.append((function, Interest((), everything=True)))
        return function

    def _manual_round(self) -> Round:
        with self._lock:
            if self._by_hand is None:
                told = Round(_watcher.told_manually, c.CMR_SUBSCRIBE_MANUAL)
                self._subscribe(told)
                self._by_hand = told
            return self._by_hand

    def remove(self, function: Callable[[Event], Any]) -> None:
        """Calls a handler no more; a call that runs is not waited for."""
        for told in filter(None, (self._by_thread, self._by_hand, self._by_drain)):
            told.handlers[:] = [each for each in told.handlers if each[0] != function]

    @property
    def event_fd(self) -> int:
        """A descriptor that is readable while a manual handler has something to hear: for select,
        poll and the like. Never read or close it."""
        self._manual_round()
        with self._watcher as watcher:
            return library.cmr_watcher_event_fd(watcher)  # type: ignore[no-any-return]

    def dispatch(self) -> int:
        """Calls the manual handlers on this thread with what waits for them, and returns the number
        of events that waited."""
        handled = c_size_t()
        with self._watcher as watcher, CallsBack():
            check(library.cmr_watcher_dispatch(watcher, byref(handled)), "not now or not in here")
        return handled.value

    def changes(self, *patterns: str) -> Changes:
        """New versions for the running asyncio loop: ``async for event in config.changes(): …``.

        What happens between the call and the first ``await`` is not lost. Versions that are
        published while the loop is busy come as one event. Ends when the configuration is closed.
        """
        return self._listen(Interest(patterns))

    def events(self) -> Changes:
        """As :meth:`changes`, but events of every kind, rejections and lost sources too."""
        return self._listen(Interest((), everything=True))

    async def wait_for_change(self, *patterns: str) -> Event:
        """Waits for the next version in which a key changes that matches one of the patterns.

        Raises:
            StateError: the configuration was closed.
        """
        changes = self.changes(*patterns)
        try:
            return await changes.next()
        finally:
            changes.close()

    def _listen(self, interest: Interest) -> Changes:
        listener = Changes(interest)
        with self._lock:
            others = (each for each in self._listeners if each() is not None)
            self._listeners = (*others, weakref.ref(listener))
        if self.closed:
            listener.end()
        return listener

    # ---- safe change ----

    @overload
    def validator(self, function: F, /) -> F: ...
    @overload
    def validator(self, *keys: str) -> Callable[[F], F]: ...
    def validator(self, *keys: Any) -> Any:
        """Decorates a function that may veto a version by raising an exception.

        ``@config.validator`` is called with the candidate, a :class:`Snapshot` of version 0;
        ``@config.validator("PORT")`` with the value at that path, where there is one. The version
        is rejected with the exception's message. It runs on the thread that loads, before anybody
        sees the version; the current version is checked at once.

        Raises:
            RejectedError: the current version does not pass; the validator is not set.
        """
        if len(keys) == 1 and callable(keys[0]):
            _no_coroutine(keys[0])
            self._add_check(keys[0])
            return keys[0]

        from .validation import of_values

        def register(function: F) -> F:
            _no_coroutine(function)
            self._add_check(of_values(keys, function))
            return function

        return register

    def bind(self, settings: type[T]) -> Binding[T]:
        """Builds each new version into an object of a dataclass or a pydantic model.

        That happens before the version is published: when it raises, the version is rejected. The
        object of the current version is :attr:`Binding.current`. A field ``log_level`` is read from
        the key ``log_level``, ``LOG_LEVEL`` or ``log_level`` with the suffix of a format, a field
        with an alias, or with ``metadata={"key": …}``, from that key; a field that is a dataclass
        or a model from the key's parsed value.

        Raises:
            RejectedError: the current version cannot be built.
        """
        from .binding import Binding

        binding = Binding(settings)
        self._add_check(binding._prepare)
        with self._lock:
            if self.version:  # which handlers are told of while it starts
                binding._follow(self.snapshot)
            self._bindings.append(binding)
        return binding

    def _add_check(self, check_candidate: Callable[[Snapshot], None]) -> None:
        self._checks.append(check_candidate)
        with self._watcher as watcher:
            status = library.cmr_watcher_set_validator(watcher, _watcher.validate, self._serial)
        if status:
            self._checks.remove(check_candidate)
            if status == c.CMR_E_REJECTED and self._veto is not None:
                raise self._veto
            check(status)

    def reload(self, timeout: float | None = 30.0) -> int:
        """Loads all sources in an attempt that begins after this call, and returns the version that
        is current then; it is what readers see. Handlers may hear of it later.

        Raises:
            TimedOutError: the time, in seconds, is up; the attempt goes on.
            SourceError, DeniedError, ParseError, LimitError, RejectedError: the attempt failed, and
                the current version stays.
            StateError: not started, closed, or inside a callback.
        """
        error, version = new_error(), c_uint64()
        with self._watcher as watcher:
            wait = milliseconds(timeout)
            failed = library.cmr_watcher_reload(watcher, wait, byref(version), byref(error))
        self._catch_up()
        if failed:
            raise self._failure(error)
        return version.value

    def request_reload(self) -> None:
        """Asks for a reload and returns at once."""
        with self._watcher as watcher:
            library.cmr_watcher_request_reload(watcher)

    def reload_on(self, signal_number: int) -> None:
        """Asks for a reload whenever the process gets this signal, ``signal.SIGHUP`` say; called on
        the main thread. A handler that was there before is replaced."""
        import signal

        reference = weakref.ref(self)

        def asked(*_: object) -> None:
            config = reference()
            if config is not None and not config.closed:
                config.request_reload()

        signal.signal(signal_number, asked)

    def wait(self, after: int | None = None, timeout: float | None = None) -> int:
        """Waits until readers see a version newer than ``after``, the current one unless given, and
        returns it.

        Raises:
            TimedOutError: the time, in seconds, is up.
            StateError: closed, not started, or inside a callback.
        """
        if inside_callback():
            raise StateError("nothing can be waited for inside a callback")
        if not self._started:
            raise StateError("the configuration is not followed")
        with self._news:
            seen = self.snapshot.version if after is None else after
            self._news.wait_for(lambda: self.closed or self.snapshot.version > seen, timeout)
            if self.snapshot.version > seen:
                return self.snapshot.version
        if self.closed:
            raise StateError("the configuration is not followed")
        raise TimedOutError("no newer version was published in time")

    def _wait_until_told(self, version: int, timeout: float) -> bool:
        """Waits until every handler was told of a version; for the testing kit."""
        with self._news:
            return self._news.wait_for(lambda: self._by_thread.finished >= version, timeout)

    def rollback(self, version: int = 0) -> int:
        """Publishes a new version with the content of an older one and returns it; 0 means the
        newest older content that is neither current nor was rolled back from.

        What is left this way is not taken again before its source has offered something else. What
        was published once is not validated again: settings that were bound later and cannot be
        built of it stay what they are, and that is logged.

        Raises:
            NotFoundError: there is no such version in the history.
            StateError: not started, or closed.
        """
        error, published = new_error(), c_uint64()
        with self._watcher as watcher:
            failed = library.cmr_watcher_rollback(watcher, version, byref(published), byref(error))
        if failed:
            raise self._failure(error)
        self._catch_up()
        return published.value

    def confirm(self, version: int | None = None) -> None:
        """Confirms a version, the one that readers see unless given, where ``confirm=`` wants it.

        Raises:
            NotFoundError: there is no such version any more.
            StateError: not started, or closed.
        """
        confirmed = self.snapshot.version if version is None else version
        with self._watcher as watcher:
            check(library.cmr_watcher_confirm(watcher, confirmed))

    @property
    def history(self) -> list[Snapshot]:
        """The versions that are kept, the current one first."""
        versions: list[Snapshot] = []
        pointer = c_void_p()
        with self._watcher as watcher:
            while library.cmr_watcher_history(watcher, len(versions), byref(pointer)) == c.CMR_OK:
                try:
                    versions.append(copied(pointer.value or 0))
                finally:
                    library.cmr_snapshot_release(pointer)
        return versions

    def drain(self, before: int | None = None, timeout: float | None = None) -> None:
        """Waits until nobody holds a version older than ``before``, the current one unless given:
        until the requests that the middleware pinned to it have ended, and every :meth:`pin` was
        released. A snapshot that is merely kept is not waited for.

        Raises:
            TimedOutError: the time, in seconds, is up; the message says how many are held.
            StateError: not started, closed, or inside a callback.
        """
        oldest = self.snapshot.version if before is None else before
        held = c_size_t()
        with self._watcher as watcher:
            status = _watcher.in_slices(
                lambda wait: library.cmr_watcher_drain(watcher, oldest, wait, byref(held)), timeout
            )
        check(status, f"versions still held: {held.value}" if status == c.CMR_E_TIMEOUT else "")

    # ---- observing ----

    def metrics(self) -> str:
        """The watcher's metrics in Prometheus' text format."""
        with self._watcher as watcher:
            return exposition(library.cmr_watcher_metrics, watcher)

    @property
    def stats(self) -> Stats:
        """What the watcher has done so far."""
        struct = c.cmr_stats(struct_size=sizeof(c.cmr_stats))
        with self._watcher as watcher:
            check(library.cmr_watcher_stats(watcher, byref(struct)))
        return Stats(
            healthy=bool(struct.healthy),
            last_success=_moment(struct.last_success_ns),
            last_failure=_moment(struct.last_failure_ns),
            last_duration=timedelta(microseconds=struct.last_duration_ns / 1000),
            **{name: getattr(struct, name) for name in _COUNTS},
        )

    @property
    def healthy(self) -> bool:
        """There is a current version, the last attempt was not rejected, and no source is lost."""
        return self.stats.healthy

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The rules that the newest rejection broke, at most 100; empty when all is well."""
        return self._violations()


def _no_coroutine(function: Any) -> None:
    """Refuses what would not run when it is called: a validator would let everything pass."""
    from inspect import iscoroutinefunction  # of use to who hears or validates only

    if iscoroutinefunction(function):
        raise TypeError("an async function cannot be called back: in a loop there is changes()")


_TOLD_OTHERWISE = {
    "struct_size",
    "healthy",
    "last_success_ns",
    "last_failure_ns",
    "last_duration_ns",
}
_COUNTS = [field[0] for field in c.cmr_stats._fields_ if field[0] not in _TOLD_OTHERWISE]


def watch(*sources: Source, **options: Unpack[Options]) -> Config:
    """Loads and follows sources: ``with cmreload.watch("/etc/config") as config: …``.

    As ``Config(…).start()``; takes what :class:`Config` takes.
    """
    config = Config(*sources, **options)
    try:
        return config.start()
    except BaseException:
        config.close()
        raise


def _moment(nanoseconds: int) -> datetime | None:
    """A moment of Unix time; 0 is never."""
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc) if nanoseconds else None


def metrics() -> str:
    """The metrics of all configurations in the process, as one exposition for Prometheus."""
    return exposition(library.cmr_metrics)
