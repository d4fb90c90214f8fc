"""One immutable version of the configuration, in native objects.

A version is copied out of the library once, when it is published; what did not change is shared
with the version before. Reading a snapshot touches no C, takes no lock and waits for nothing.
"""

from __future__ import annotations

import json
import os
from ctypes import byref, c_size_t, c_void_p
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _declarations as c
from . import values
from ._library import check, library, taken, text_at
from ._mapping import FastDict
from .errors import NotFoundError

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable
    from datetime import timedelta
    from typing import NoReturn

T = TypeVar("T")

_REQUIRED: Any = object()
_parse = json.JSONDecoder().raw_decode  # there is no white space around what the library writes
_NONE_YET: dict[str, Any] = {}


class Reader(FastDict):  # type: ignore[type-arg]
    """What a snapshot and a configuration have in common: a mapping of keys that reads paths.

    A *path* is a key, or ``KEY#/pointer`` with an RFC 6901 pointer into the key's parsed value:
    ``"LOG_LEVEL"``, ``"features.json#/dark_mode"``. Every text reads by the same rules: ``"100"``
    is an integer, ``"yes"``, ``"on"``, ``"true"`` and ``"1"`` are true, in upper or lower case.

    A getter returns its default when there is nothing at the path; what is there but cannot be read
    as that type raises :class:`~cmreload.TypeMismatchError` or :class:`~cmreload.RangeError`.
    """

    __slots__ = ()

    def _now(self) -> Snapshot:
        """The version that answers."""
        raise NotImplementedError

    def get(self, path: str, default: Any = None) -> Any:
        """The native value at a path: text without the white space around it, bytes of what is not
        UTF-8, or what the format of the key gives."""
        try:
            return self.find(path)
        except NotFoundError:
            return default

    def find(self, path: str) -> Any:
        """As :meth:`get`, but raises :class:`~cmreload.NotFoundError` when there is nothing."""
        return values.find(self._now(), path)

    def _read(self, kind: str, path: str, default: Any) -> Any:
        try:
            value = self.find(path)
        except NotFoundError:
            if default is _REQUIRED:
                raise
            return default
        return values.read(kind, value, path)

    @overload
    def int(self, path: builtins.str) -> builtins.int: ...
    @overload
    def int(self, path: builtins.str, default: T) -> builtins.int | T: ...
    def int(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """An integer of 64 bits; a number without a fraction is one."""
        return self._read("int", path, default)

    @overload
    def float(self, path: builtins.str) -> builtins.float: ...
    @overload
    def float(self, path: builtins.str, default: T) -> builtins.float | T: ...
    def float(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """A finite number."""
        return self._read("float", path, default)

    @overload
    def bool(self, path: builtins.str) -> builtins.bool: ...
    @overload
    def bool(self, path: builtins.str, default: T) -> builtins.bool | T: ...
    def bool(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """A truth value: ``true``, ``yes``, ``on``, ``1`` and their opposites."""
        return self._read("bool", path, default)

    @overload
    def str(self, path: builtins.str) -> builtins.str: ...
    @overload
    def str(self, path: builtins.str, default: T) -> builtins.str | T: ...
    def str(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """Text, without the white space around that of a key."""
        return self._read("str", path, default)

    @overload
    def duration(self, path: builtins.str) -> timedelta: ...
    @overload
    def duration(self, path: builtins.str, default: T) -> timedelta | T: ...
    def duration(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """A duration as Go writes it, ``1h30m`` or ``250ms``, to the microsecond; a bare number is
        seconds."""
        return self._read("duration", path, default)

    @overload
    def quantity(self, path: builtins.str) -> builtins.int: ...
    @overload
    def quantity(self, path: builtins.str, default: T) -> builtins.int | T: ...
    def quantity(self, path: builtins.str, default: Any = _REQUIRED) -> Any:
        """A quantity as Kubernetes writes it, ``64Mi`` or ``1k``; a fraction is rounded away from
        zero."""
        return self._read("quantity", path, default)

    @overload
    def bytes(self, key: builtins.str) -> builtins.bytes: ...
    @overload
    def bytes(self, key: builtins.str, default: T) -> builtins.bytes | T: ...
    def bytes(self, key: builtins.str, default: Any = _REQUIRED) -> Any:
        """The content of a key exactly as it is stored; takes a key, not a path."""
        version = self._now()
        if key in version:
            return version._stored(key)
        if default is _REQUIRED:
            raise NotFoundError("there is no such key", key=key)
        return default

    def __missing__(self, key: builtins.str) -> NoReturn:
        raise NotFoundError("there is no such key", key=key)

    def _read_only(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is read-only")

    __setitem__ = __delitem__ = __ior__ = _read_only
    clear = pop = popitem = setdefault = update = _read_only
    __hash__ = None


class Snapshot(Reader):
    """One version: a ``Mapping`` of keys to plain values, which ``json.dumps`` takes as it is.

    Values are shared between versions, so they are read-only by contract, lists and dicts inside
    them too.

    Attributes:
        version: 1, 2, 3 and so on within its watcher; 0 before the first, and for a candidate that
            a validator is shown.
        checksum: 32 hexadecimal digits; the same content has the same in any process.
        generation: the directory that ``..data`` named in the mount that was added last, or "".
        published_ns: when it was published, in nanoseconds of Unix time.
    """

    __slots__ = ("__weakref__", "_raw", "checksum", "generation", "published_ns", "version")

    version: int
    checksum: str
    generation: str
    published_ns: int

    def __init__(
        self,
        content: dict[str, Any] = _NONE_YET,
        raw: dict[str, bytes] = _NONE_YET,
        version: int = 0,
        checksum: str = "",
        generation: str = "",
        published_ns: int = 0,
    ) -> None:
        super().__init__(content)
        self._raw = raw
        self.version = version
        self.checksum = checksum
        self.generation = generation
        self.published_ns = published_ns

    @property
    def published(self) -> datetime:
        """When it was published."""
        return datetime.fromtimestamp(self.published_ns / 1e9, timezone.utc)

    def _now(self) -> Snapshot:
        return self

    def changes_since(self, older: Snapshot) -> dict[str, str]:
        """What differs from another version: of each key "added", "removed" or "modified"."""
        return difference(older, self, sorted(older.keys() | self.keys()))

    def _stored(self, key: str) -> bytes:
        raw = self._raw.get(key)
        return self[key].encode() if raw is None else raw

    def __repr__(self) -> str:
        return f"<Snapshot of version {self.version}, {len(self)} keys>"

    def __reduce__(self) -> Any:
        parts = (self._raw, self.version, self.checksum, self.generation, self.published_ns)
        return Snapshot, (dict(self), *parts)


def copied(pointer: int, base: Snapshot | None = None, changed: Iterable[str] = ()) -> Snapshot:
    """Copies the library's snapshot into a native one; the caller holds it meanwhile.

    With ``base``, the version that ``changed`` names the difference from, only what changed is
    copied.
    """
    content: dict[str, Any] = {}
    raw: dict[str, bytes] = {}
    if base is None:
        changed = _keys(pointer)
    else:
        content.update(base)
        raw.update(base._raw)
    for key in changed:
        raw.pop(key, None)
        _copy(pointer, key, content, raw)
    if base is not None and content.keys() - base.keys():
        content = dict(sorted(content.items()))
    return Snapshot(
        content,
        raw,
        library.cmr_snapshot_version(pointer),
        library.cmr_snapshot_checksum(pointer).decode(),
        os.fsdecode(library.cmr_snapshot_generation(pointer)),
        library.cmr_snapshot_published_ns(pointer),
    )


def difference(older: Snapshot, newer: Snapshot, keys: Iterable[str]) -> dict[str, str]:
    """Of each of the keys that differs "added", "removed" or "modified"."""
    changes = {}
    for key in keys:
        if key not in older:
            if key in newer:
                changes[key] = "added"
        elif key not in newer:
            changes[key] = "removed"
        elif newer._stored(key) != older._stored(key):
            changes[key] = "modified"
    return changes


def _keys(pointer: int) -> Iterable[str]:
    text, size = c_void_p(), c_size_t()
    for index in range(library.cmr_snapshot_count(pointer)):
        check(library.cmr_snapshot_key(pointer, index, byref(text), byref(size)))
        yield text_at(text, size).decode()


def _copy(pointer: int, key: str, content: dict[str, Any], raw: dict[str, bytes]) -> None:
    """Copies the value of a key, and its bytes where they are not those of the value's text."""
    name, at, size = key.encode(), c_void_p(), c_size_t()
    # Asked for by key: as a path, a key that is gone may still point into another one.
    if library.cmr_snapshot_bytes(pointer, name, byref(at), byref(size)):
        content.pop(key, None)
        return
    stored = text_at(at, size)
    value = library.cmr_snapshot_value(pointer, name)
    kind = library.cmr_value_type(value)
    if kind == c.CMR_TYPE_BYTES:
        content[key] = stored
    elif kind == c.CMR_TYPE_STRING:
        check(library.cmr_value_string(value, byref(at), byref(size)))
        text = text_at(at, size)
        content[key] = text.decode()
        if text == stored:
            return
    else:
        check(library.cmr_snapshot_json(pointer, name, byref(at), byref(size)))
        content[key] = _parse(taken(at, size).decode())[0]
    raw[key] = stored
