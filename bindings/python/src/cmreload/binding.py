"""Typed settings: each version as an object of a dataclass or a pydantic model.

The object is built from a candidate, before the version is published; what cannot be built is not
published. pydantic is not imported here: its models are known by what they can do.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
import types
import typing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import values
from .errors import Error, InvalidArgumentError, NotFoundError, TypeMismatchError
from .validation import rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .snapshot import Snapshot

T = TypeVar("T")

log = logging.getLogger("cmreload")

SUFFIXES = (".json", ".yaml", ".yml", ".toml", ".properties", ".env", ".ini")


class Binding(Generic[T]):
    """Settings that follow a configuration.

    Attributes:
        current: the object of the version that readers see.
    """

    current: T

    def __init__(self, settings: type[T]) -> None:
        self._build: Callable[[Mapping[str, Any]], T] = builder(settings)
        self._prepared: tuple[Snapshot, T] | None = None

    def _prepare(self, candidate: Snapshot) -> None:
        self._prepared = candidate, self._build(candidate)

    def _follow(self, snapshot: Snapshot) -> None:
        """Makes the object of a published version the current one."""
        prepared, self._prepared = self._prepared, None
        try:
            if prepared is not None and prepared[0] is snapshot:
                self.current = prepared[1]
            else:
                self.current = self._build(snapshot)
        except Error:
            log.exception("version %d cannot be built into settings", snapshot.version)


def builder(settings: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """What builds an object of a class from the values of a version, or of a parsed value."""
    if hasattr(settings, "model_validate"):
        return lambda content: _built_model(settings, content)
    if dataclasses.is_dataclass(settings):
        return lambda content: _built_dataclass(settings, content, "")
    raise InvalidArgumentError(f"{settings.__name__} is neither a dataclass nor a pydantic model")


def _candidates(name: str) -> Iterator[str]:
    """The keys that a field may be read from, the first one that is there."""
    yield name
    yield name.upper()
    for suffix in SUFFIXES:
        yield name + suffix


def _key_of(name: str, content: Mapping[str, Any]) -> str | None:
    return next((key for key in _candidates(name) if key in content), None)


# ---- pydantic ----


def _built_model(model: Any, content: Mapping[str, Any]) -> Any:
    """A model's own validation does the rest: types, nested models, limits."""
    found: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        aliases = list(_aliases(field)) or [name]
        for alias in aliases:
            key = alias if alias in content else _key_of(alias, content)
            if key is not None:
                found[alias], keys[alias] = _prepared(content[key], field.annotation, key), key
    try:
        return model.model_validate(found)
    except ValueError as problem:
        rejected = rejection(problem, keys)
    raise rejected  # outside of the handler: what pydantic raised, its context there, quotes input


def _aliases(field: Any) -> Iterator[str]:
    for alias in (field.validation_alias, field.alias):
        for choice in getattr(alias, "choices", [alias]):
            if choice is not None:
                yield choice if isinstance(choice, str) else choice.path[0]


def _prepared(value: Any, annotation: Any, key: str) -> Any:
    """A value as pydantic reads it: it does not know ``1h30m``."""
    wanted = [annotation, *typing.get_args(annotation)]
    return values.read("duration", value, key) if timedelta in wanted and value else value


# ---- dataclasses ----


def _built_dataclass(settings: Any, content: Mapping[str, Any], place: str) -> Any:
    hints = typing.get_type_hints(settings)
    found = {}
    for field in dataclasses.fields(settings):
        if not field.init:
            continue
        named = field.metadata.get("key")
        key = _key_of(field.name, content) if named is None else named
        if key is not None and key in content:
            found[field.name] = converted(content[key], hints[field.name], _below(place, key))
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise NotFoundError("is missing", key=_below(place, key or field.name.upper()))
    return settings(**found)


def _below(place: str, name: object) -> str:
    """The path of what lies below a place, "" being all keys."""
    if not place:
        return str(name)
    return f"{place}/{name}" if "#/" in place else f"{place}#/{name}"


_READERS = {int: "int", float: "float", bool: "bool", str: "str", timedelta: "duration"}
_UNIONS = {typing.Union, getattr(types, "UnionType", typing.Union)}


def converted(value: Any, wanted: Any, path: str) -> Any:
    """A value as a type hint wants it; text reads by the library's rules."""
    if wanted in _READERS:
        return values.read(_READERS[wanted], value, path)
    if wanted is Any:
        return value
    origin, arguments = typing.get_origin(wanted) or wanted, typing.get_args(wanted)
    if origin in _UNIONS:
        return _one_of(value, arguments, path)
    if origin is typing.Literal:
        return _choice(value, {str(each): each for each in arguments}, path)
    if dataclasses.is_dataclass(wanted):
        return _built_dataclass(wanted, _expected(value, dict, "an object", path), path)
    if origin is dict:
        item = arguments[1] if arguments else Any
        found = _expected(value, dict, "an object", path)
        return {key: converted(each, item, _below(path, key)) for key, each in found.items()}
    if origin in (list, tuple, set, frozenset):
        item = arguments[0] if arguments else Any
        elements = enumerate(_expected(value, list, "an array", path))
        return origin(converted(each, item, _below(path, index)) for index, each in elements)
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return _choice(value, {str(member.value): member for member in origin}, path)
    return _made(value, origin, path)


def _expected(value: Any, kind: type[T], name: str, path: str) -> T:
    if isinstance(value, kind):
        return value
    raise TypeMismatchError(f"is not {name}", key=path)


def _one_of(value: Any, kinds: tuple[Any, ...], path: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    problem: Error | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                return converted(value, kind, path)
            except Error as raised:
                problem = raised
    raise problem or TypeMismatchError("is not null", key=path)


def _choice(value: Any, choices: dict[str, Any], path: str) -> Any:
    if str(value) in choices:
        return choices[str(value)]
    raise TypeMismatchError(f"is not one of {', '.join(choices)}", key=path)


def _made(value: Any, kind: Any, path: str) -> Any:
    """What a class makes of a value: Path, Decimal, UUID and the like."""
    try:
        return value if isinstance(value, kind) else kind(value)
    except Exception:
        failed = TypeMismatchError(f"is no {getattr(kind, '__name__', kind)}", key=path)
    raise failed  # outside of the handler: what was raised may quote the value
