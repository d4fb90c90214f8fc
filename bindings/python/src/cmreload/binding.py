"""Typed settings: each version as an object of a dataclass or a pydantic model.

The object is built from a candidate, before the version is published; what cannot be built is not
published. pydantic is not imported here: its models are known by what they can do.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import itertools
import logging
import types
import typing
from collections import abc
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import values
from .errors import Error, InvalidArgumentError, NotFoundError, TypeMismatchError
from .snapshot import Snapshot
from .validation import is_pydantics, rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

log = logging.getLogger("cmreload")

_AS_THEY_ARE: Mapping[str, str] = types.MappingProxyType({})
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
        except Exception:
            log.exception("version %d cannot be built into settings", snapshot.version)


def builder(settings: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """What builds an object of a class from the values of a version, or of a parsed value."""
    if isinstance(settings, type):
        if hasattr(settings, "model_validate"):
            return lambda content: _built_model(settings, content)
        if dataclasses.is_dataclass(settings):
            return lambda content: _built_dataclass(settings, content, "")
    name = getattr(settings, "__name__", f"an object of {type(settings).__name__}")
    raise InvalidArgumentError(f"{name} is neither a dataclass nor a pydantic model")


def _candidates(name: str) -> Iterator[str]:
    """The keys that a field may be read from, the first one that is there."""
    yield name
    yield name.upper()
    for suffix in SUFFIXES:
        yield name + suffix


def _key_of(name: str, content: Mapping[str, Any]) -> str | None:
    return next((key for key in _candidates(name) if key in content), None)


def _at(key: str, content: Mapping[str, Any], wanted: Any) -> Any:
    """The value of a key; where bytes are wanted of the configuration, the key as it is stored."""
    if isinstance(content, Snapshot) and _is_bytes(wanted):
        return content._stored(key)
    return content[key]


# ---- pydantic ----


def _built_model(model: Any, content: Mapping[str, Any]) -> Any:
    """A model's own validation does the rest: types, nested models, limits."""
    found: dict[str, Any] = {}
    keys: dict[str, str] = {}
    by_name = any(map(model.model_config.get, _BY_NAME_TOO))
    for name, field in model.model_fields.items():
        aliases = _aliases(field)
        present = [alias for alias in aliases if _key_of(alias, content) is not None]
        if not aliases or (by_name and not present):
            present = [name]
        for alias in present:
            key = _key_of(alias, content)
            if key is not None:
                wanted = field.annotation if aliases.get(alias, True) else Any
                found[alias] = _prepared(_at(key, content, wanted), wanted, key)
                keys[alias] = key
    return _refusing(lambda: model.model_validate(found), "", keys)


def _refusing(build: Callable[[], T], place: str, keys: Mapping[str, str] = _AS_THEY_ARE) -> T:
    """What pydantic builds of what lies at a place; its refusal is told without the input."""
    try:
        return build()
    except ValueError as problem:
        if not is_pydantics(problem):
            raise
        rejected = rejection(problem, keys)
    if place:
        inside = rejected.key.replace("#/", "/")
        rejected.key = _below(place, inside) if inside else place
    raise rejected  # outside of the handler: what pydantic raised, its context there, quotes input


_BY_NAME_TOO = ("populate_by_name", "validate_by_name")


def _aliases(field: Any) -> dict[str, bool]:
    """The names that a field may be read from, and whether it is the whole of what is there."""
    alias = field.validation_alias  # which is the other alias, where there is only that
    choices = [choice for choice in getattr(alias, "choices", [alias]) if choice is not None]
    return {getattr(choice, "path", [choice])[0]: isinstance(choice, str) for choice in choices}


def _prepared(value: Any, annotation: Any, key: str) -> Any:
    """A value as pydantic reads it: it does not know ``1h30m``, but ``PT1H30M``."""
    annotation = _bare(annotation)
    kinds = typing.get_args(annotation) if _is_union(annotation) else [annotation]
    kinds = [_bare(kind) for kind in kinds]
    if timedelta in kinds and value:
        with contextlib.suppress(TypeMismatchError):
            return values.read("duration", value, key)
    wanted = [kind for kind in kinds if kind is not type(None)]
    if len(wanted) != 1:  # which of several it is pydantic finds out
        return value
    kind = wanted[0]
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if isinstance(value, list) and origin in _ARRAYS:
        items = zip(value, _items(origin, arguments))
        return [_prepared(each, item, key) for each, item in items]
    hints = _hints(kind) if isinstance(value, dict) else {}
    if hints:
        return {name: _prepared(each, hints.get(name), key) for name, each in value.items()}
    if isinstance(value, dict) and origin in _MAPPINGS and arguments:
        return {name: _prepared(each, arguments[1], key) for name, each in value.items()}
    return value


def _bare(annotation: Any) -> Any:
    """The type of an ``Annotated`` one."""
    return annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation


def _hints(kind: Any) -> dict[str, Any]:
    """What each member of an object is wanted as, by its name and by its aliases, where it is to be
    a model or a dataclass."""
    if dataclasses.is_dataclass(kind):
        with contextlib.suppress(NameError):  # pydantic may know a name that is no global one
            return typing.get_type_hints(kind)
    fields = getattr(kind, "model_fields", {}).items()
    return {known: field.annotation for name, field in fields for known in (name, *_aliases(field))}


# ---- dataclasses ----


def _built_dataclass(settings: Any, content: Mapping[str, Any], place: str) -> Any:
    hints = typing.get_type_hints(settings)
    found = {}
    keys = {}
    for field in dataclasses.fields(settings):
        if not field.init:
            continue
        named = field.metadata.get("key")
        key = _key_of(field.name, content) if named is None else named
        if key is not None and key in content:
            hint = hints[field.name]
            value = _at(key, content, hint)
            found[field.name], keys[field.name] = converted(value, hint, _below(place, key)), key
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise NotFoundError("is missing", key=_below(place, key or field.name.upper()))
    # It may be one of pydantic's dataclasses, with rules of its own.
    return _refusing(lambda: settings(**found), place, keys)


def _below(place: str, name: object) -> str:
    """The path of what lies below a place, "" being all keys."""
    if not place:
        return str(name)
    return f"{place}/{name}" if "#/" in place else f"{place}#/{name}"


_READERS = {int: "int", float: "float", bool: "bool", str: "str", timedelta: "duration"}
_UNIONS = {typing.Union, getattr(types, "UnionType", typing.Union)}
_MAPPINGS = {dict, abc.Mapping, abc.MutableMapping}
_ARRAYS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    **{kind: kind for kind in (list, tuple, set, frozenset)},
    **dict.fromkeys((abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable), list),
    **dict.fromkeys((abc.Set, abc.MutableSet), set),
}


def _is_union(wanted: Any) -> bool:
    return typing.get_origin(wanted) in _UNIONS


def _is_bytes(wanted: Any) -> bool:
    """Whether bytes are wanted, or bytes or None."""
    kinds = set(typing.get_args(wanted)) if _is_union(wanted) else {wanted}
    return kinds - {type(None)} == {bytes}


def converted(value: Any, wanted: Any, path: str) -> Any:
    """A value as a type hint wants it; text reads by the library's rules."""
    if wanted in _READERS:
        return values.read(_READERS[wanted], value, path)
    if wanted is Any:
        return value
    if wanted is bytes:
        text = value if isinstance(value, bytes) else _expected(value, str, "text", path)
        return text.encode() if isinstance(text, str) else text
    if hasattr(wanted, "__supertype__"):  # a NewType
        return converted(value, wanted.__supertype__, path)
    origin, arguments = typing.get_origin(wanted) or wanted, typing.get_args(wanted)
    if origin in _UNIONS:
        return _one_of(value, arguments, path)
    if origin is typing.Literal:
        return _choice(value, {str(each): each for each in arguments}, path)
    if dataclasses.is_dataclass(wanted):
        return _built_dataclass(wanted, _expected(value, dict, "an object", path), path)
    if hasattr(wanted, "model_validate"):
        return _refusing(lambda: wanted.model_validate(_prepared(value, wanted, path)), path)
    if origin in _MAPPINGS:
        name, item = arguments or (Any, Any)
        found = _expected(value, dict, "an object", path)
        return {
            converted(key, name, _below(path, key)): converted(each, item, _below(path, key))
            for key, each in found.items()
        }
    if origin in _ARRAYS:
        array = _expected(value, list, "an array", path)
        if _is_fixed(origin, arguments) and len(array) != len(arguments):
            raise TypeMismatchError(f"is no array of {len(arguments)}", key=path)
        elements = enumerate(zip(array, _items(origin, arguments)))
        return _ARRAYS[origin](
            converted(each, item, _below(path, index)) for index, (each, item) in elements
        )
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return _choice(value, {str(member.value): member for member in origin}, path)
    return _made(value, origin, path)


def _is_fixed(origin: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether an array is a tuple that says what each of its elements is."""
    return origin is tuple and bool(arguments) and arguments[-1] is not Ellipsis


def _items(origin: Any, arguments: tuple[Any, ...]) -> Iterable[Any]:
    """What each element of an array is wanted as, without an end."""
    if _is_fixed(origin, arguments):
        return itertools.chain(arguments, itertools.repeat(Any))
    return itertools.repeat(arguments[0] if arguments else Any)


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
        if isinstance(value, kind):
            return value
        if hasattr(kind, "fromisoformat"):
            return kind.fromisoformat(value)
        return kind(str(value) if type(value) is float else value)  # a Decimal of 0.1 is 0.1
    except Exception:
        failed = TypeMismatchError(f"is no {getattr(kind, '__name__', kind)}", key=path)
    raise failed  # outside of the handler: what was raised may quote the value
