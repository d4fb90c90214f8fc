"""What can go wrong, as exceptions: one class for each status of the library's, and each of them
also the built-in exception that a Python program expects. No value of a key is ever in a message.
"""

from __future__ import annotations

from types import SimpleNamespace

from . import _declarations as c

TYPE_CHECKING = False  # as in typing, which takes longer to import than this package
if TYPE_CHECKING:
    from typing import Any

    from ._declarations import cmr_error, cmr_violation


class Error(Exception):
    """Whatever libcmreload has to say no for.

    Attributes:
        status: the library's number, ``CMR_E_PARSE`` say, as :attr:`status_name` spells it.
        message: one sentence for a person.
        key: the key, path or source that it is about, or "".
        stage: "load", "parse", "validate", "publish" or "".
        line, column: where content does not parse, counted from 1; 0 where that makes no sense.
        os_errno: the operating system's errno, or 0.
    """

    status = 0

    def __init__(
        self,
        message: str,
        *,
        key: str = "",
        stage: str = "",
        line: int = 0,
        column: int = 0,
        os_errno: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.key = key
        self.stage = stage
        self.line = line
        self.column = column
        self.os_errno = os_errno

    @property
    def status_name(self) -> str:
        """The status as the header spells it: "CMR_E_PARSE"."""
        return STATUS_NAMES[self.status]

    def __str__(self) -> str:
        place = place_of(self.key, self.line, self.column)
        return f"{place}: {self.message}" if place else self.message

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.args, self.__dict__)


class InvalidArgumentError(Error, ValueError):
    """A value that is not allowed."""

    status = c.CMR_E_INVALID_ARGUMENT


class NotFoundError(Error, KeyError):
    """There is no such key, path or version."""

    status = c.CMR_E_NOT_FOUND


class TypeMismatchError(Error, TypeError):
    """It is there, but cannot be read as that type."""

    status = c.CMR_E_TYPE


class RangeError(Error, OverflowError):
    """A number that does not fit."""

    status = c.CMR_E_RANGE


class SourceError(Error, OSError):
    """The operating system said no; ``errno`` says how."""

    status = c.CMR_E_IO


class ParseError(Error, ValueError):
    """Content that is not what its format demands; ``key``, ``line`` and ``column`` say where."""

    status = c.CMR_E_PARSE


class RejectedError(Error, ValueError):
    """Content that was parsed, but must not be published.

    Attributes:
        violations: the rules of a schema that it breaks, at most 100; empty when a validator or a
            bound settings class said no, whose exception is then the ``__cause__``.
    """

    status = c.CMR_E_REJECTED
    violations: tuple[Violation, ...] = ()


class LimitError(Error, ValueError):
    """A limit of size, depth or count."""

    status = c.CMR_E_LIMIT


class StateError(Error, RuntimeError):
    """Not now, or not from in here: closed, not started, or inside a callback."""

    status = c.CMR_E_STATE


class TimedOutError(Error, TimeoutError):
    """The time was up."""

    status = c.CMR_E_TIMEOUT


class UnavailableError(Error, ConnectionError):
    """Something outside of the process cannot be reached."""

    status = c.CMR_E_UNAVAILABLE


class DeniedError(Error, PermissionError):
    """No permission; ``errno`` says how."""

    status = c.CMR_E_DENIED


class NoMemoryError(Error, MemoryError):
    """An allocation failed."""

    status = c.CMR_E_NO_MEMORY


class Violation(SimpleNamespace):
    """One rule that content breaks.

    ``instance_path`` and ``schema_path`` are RFC 6901 pointers, to the value within its key and to
    the rule; ``line`` and ``column`` say where the value begins, counted from 1, or 0 for what is
    in no text: the configuration as a whole, and names of keys.
    """

    key: str
    instance_path: str
    schema_path: str
    keyword: str
    expected: str
    line: int
    column: int


STATUS_NAMES = {
    value: name for name, value in vars(c).items() if name.startswith("CMR_E_") or name == "CMR_OK"
}
_CLASSES: dict[int, type[Error]] = {error.status: error for error in Error.__subclasses__()}


def place_of(key: object, line: int, column: int) -> str:
    """``KEY:LINE:COLUMN``, as far as it is known; of a look-up the key may be no text."""
    return ":".join(str(part) for part in (key, f"{line}:{column}" if line else "") if part)


def _restored(kind: type[Error], args: tuple[str], state: dict[str, Any]) -> Error:
    error = kind(*args)
    error.__dict__.update(state)
    if isinstance(error, OSError):
        error.errno = error.os_errno or None
    return error


def from_status(status: int, message: str = "", **where: Any) -> Error:
    """The exception of a status, as a function without a ``cmr_error`` returns it."""
    kind = _CLASSES.get(status, Error)
    error = kind(message or (kind.__doc__ or "").rstrip("."), **where)
    error.status = status
    if isinstance(error, OSError):
        error.errno = error.os_errno or None
    return error


def from_struct(error: cmr_error, violations: tuple[Violation, ...] = ()) -> Error:
    """The exception that a ``cmr_error`` tells of."""
    raised = from_status(
        error.status,
        error.message.decode(errors="replace"),
        key=error.key.decode(errors="replace"),
        stage=error.stage.decode(),
        line=error.line,
        column=error.column,
        os_errno=error.os_errno,
    )
    if isinstance(raised, RejectedError):
        raised.violations = violations
    return raised


def to_struct(raised: Error, error: cmr_error) -> int:
    """Writes an exception where the library reads why a callback of ours says no."""
    error.status = raised.status
    error.key = _cut(raised.key, c.cmr_error.key.size)
    error.message = _cut(raised.message, c.cmr_error.message.size)
    error.line, error.column = raised.line, raised.column
    return raised.status


def _cut(text: str, room: int) -> bytes:
    """Text that fits with its NUL, cut between characters."""
    return text.encode()[: room - 1].decode(errors="ignore").encode()


def violation_from_struct(violation: cmr_violation) -> Violation:
    """A rule that was broken, copied out of the library's memory."""
    told = {field[0]: getattr(violation, field[0]) for field in c.cmr_violation._fields_}
    for name, value in told.items():
        if not isinstance(value, int):
            told[name] = (value or b"").decode(errors="replace")
    return Violation(**told)
