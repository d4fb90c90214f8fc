"""Who may veto a version, and what of an exception is told about it: never the value."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .errors import Error, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .snapshot import Snapshot


class Veto(Exception):
    """What a validator of one key raised, and the key."""

    def __init__(self, key: str, problem: Exception) -> None:
        super().__init__(key)
        self.key = key
        self.problem = problem


def of_values(paths: tuple[str, ...], validate: Callable[[Any], Any]) -> Callable[[Snapshot], None]:
    """A check of candidates that shows a function the values at some paths, where there are any."""

    def check(candidate: Snapshot) -> None:
        for path in paths:
            value = candidate.get(path, candidate)
            if value is candidate:
                continue
            try:
                validate(value)
            except Exception as problem:
                raise Veto(path, problem) from problem

    return check


def rejection(problem: Exception, keys: Mapping[str, str] = MappingProxyType({})) -> RejectedError:
    """The rejection that an exception means, with that as its cause where it is harmless.

    ``keys`` says from which key a field of a pydantic model was read.
    """
    if isinstance(problem, RejectedError):
        return problem
    if isinstance(problem, Veto):
        rejected = rejection(problem.problem)
        rejected.key = problem.key
    elif is_pydantics(problem):
        rejected = _without_input(problem, keys)
    elif isinstance(problem, Error):
        rejected = RejectedError(problem.message, key=problem.key)
    else:
        rejected = RejectedError(str(problem) or type(problem).__name__)
        rejected.__cause__ = problem
    return rejected


# Messages of pydantic's that quote the input, by the type of what it found, less the input.
_UNQUOTED = {
    "union_tag_invalid": "Input tag '…' found using {discriminator} does not match any of the"
    " expected tags: {expected_tags}",
    "import_error": "Invalid python path: …",
    "zoneinfo_str": "invalid timezone: …",
    "byte_size_unit": "could not interpret byte unit: …",
    "uuid_parsing": "Input should be a valid UUID",
}


def is_pydantics(problem: Exception) -> bool:
    """Whether it is a refusal of pydantic's, whose text quotes the input."""
    return hasattr(problem, "errors") and type(problem).__module__.startswith("pydantic")


def _without_input(problem: Any, keys: Mapping[str, str]) -> RejectedError:
    """The first thing that pydantic found, without the input that its own message quotes."""
    found = problem.errors(include_input=False, include_url=False)[0]
    place = [str(part) for part in found["loc"]]
    if place:
        place[0] = keys.get(place[0], place[0])
    inside = "#/" + "/".join(place[1:]) if place[1:] else ""
    unquoted = _UNQUOTED.get(found["type"])
    message = unquoted.format(**found.get("ctx", {})) if unquoted else found["msg"]
    return RejectedError(message, key="".join(place[:1]) + inside)
