"""What a value reads as: the library's own rules for text, numbers and paths, on native objects.

The same text gives the same answer here as through the C functions; a test compares the two.
Nothing here touches the library, and no message contains a value.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .errors import NotFoundError, RangeError, TypeMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACE = " \t\n\v\f\r"
INT64 = range(-(1 << 63), 1 << 63)
# As a double it may be what a smaller number was rounded to, and is no integer then.
LEAST = -(2.0**63)
TRUTHS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}

# As text: an import should cost little, and re compiles each at its first use.
_NUMBER = r"([+-]?)([0-9]+)(?:\.([0-9]+))?((?:[eE][+-]?[0-9]+)?)"
_DURATION_PART = r"(?=\.?[0-9])([0-9]*)\.?([0-9]*)([^0-9.]*)"
_QUANTITY = r"([+-]?)(?=\.?[0-9])([0-9]*)\.?([0-9]*)((?s:.*))"
_EXPONENT = r"[eE]([+-]?)0*([0-9]+)"
_INDEX = r"0|[1-9][0-9]{0,9}"

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DECIMAL = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

# No int64 has more digits; longer texts are out of range before they are computed with.
_MOST_DIGITS = 19


class _NotOfType(Exception):
    """It is no such thing."""


class _OutOfRange(Exception):
    """It is one, but does not fit."""


def read_str(value: Any) -> str:
    if type(value) is str:
        return value
    raise _NotOfType


def read_int(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float:
        return _whole(value)
    parts = re.fullmatch(_NUMBER, read_str(value).strip(SPACE))
    if parts is None:
        raise _NotOfType
    sign, whole, fraction, power = parts.groups("")
    magnitude, is_exact = _shifted(whole + fraction, _exponent(power) - len(fraction))
    number = _int64(magnitude, sign)
    if not is_exact:
        raise _NotOfType
    return number


def read_float(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    return _number(read_str(value).strip(SPACE))


def read_bool(value: Any) -> bool:
    """A truth value; no number is one, but the texts "1" and "0" are."""
    if type(value) is bool:
        return value
    text = read_str(value).strip(SPACE)
    truth = TRUTHS.get(text.lower()) if text.isascii() else None
    if truth is None:
        raise _NotOfType
    return truth


def read_nanoseconds(value: Any) -> int:
    """A duration as Go writes it, in nanoseconds; a number without a unit is seconds."""
    if type(value) is int:
        return _int64(abs(value) * 10**9, "-" if value < 0 else "")
    if type(value) is float:
        return _nearest_nanosecond(value)
    text = read_str(value).strip(SPACE)
    sign, rest = (text[0], text[1:]) if text.startswith(("+", "-")) else ("", text)
    total, position = 0, 0
    while position < len(rest) or position == 0:
        part = re.compile(_DURATION_PART).match(rest, position)
        if part is None:
            raise _NotOfType
        whole, fraction, name = part.groups()
        if position == 0 and part.end() == len(rest) and name == "":
            unit = 10**9
        elif position == 0 and name[:1] in ("e", "E"):
            return _nearest_nanosecond(_number(text))
        elif name in _NANOSECONDS:
            unit = _NANOSECONDS[name]
        else:
            raise _NotOfType
        total += _magnitude(whole) * unit + _below_one(fraction, unit, round_up=False)
        if total > INT64.stop:
            raise _OutOfRange
        position = part.end()
    return _int64(total, sign)


def read_duration(value: Any) -> timedelta:
    """As :func:`read_nanoseconds`, to the nearest microsecond."""
    return timedelta(microseconds=read_nanoseconds(value) / 1000)


def read_quantity(value: Any) -> int:
    """A quantity as Kubernetes writes it; a fraction is rounded away from zero."""
    if type(value) is int:
        return value
    if type(value) is float:
        if not LEAST < value < -LEAST:
            raise _OutOfRange
        whole = int(value)
        return whole + (value > whole) - (value < whole)
    parts = re.fullmatch(_QUANTITY, read_str(value).strip(SPACE))
    if parts is None:
        raise _NotOfType
    sign, whole_digits, fraction, suffix = parts.groups()
    if suffix in _BINARY:
        unit = 1 << _BINARY[suffix]
        return _int64(_magnitude(whole_digits) * unit + _below_one(fraction, unit, True), sign)
    value, is_exact = _shifted(whole_digits + fraction, _exponent(suffix) - len(fraction))
    return _int64(value + (not is_exact), sign)


def _number(text: str) -> float:
    if re.fullmatch(_NUMBER, text) is None:
        raise _NotOfType
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _OutOfRange
    return number


def _whole(number: float) -> int:
    if not LEAST < number < -LEAST:
        raise _OutOfRange
    if not number.is_integer():
        raise _NotOfType
    return int(number)


def _int64(magnitude: int, sign: str) -> int:
    value = -magnitude if sign == "-" else magnitude
    if value not in INT64:
        raise _OutOfRange
    return value


def _magnitude(digits: str) -> int:
    """The digits as an integer that is out of range when it must be."""
    digits = digits.lstrip("0")
    if len(digits) > _MOST_DIGITS:
        raise _OutOfRange
    return int(digits or "0")


def _below_one(digits: str, unit: int, round_up: bool) -> int:
    """0.``digits`` times ``unit``, rounded; from the last digit to the first, which is exact."""
    value = 0
    for digit in reversed(digits):
        value = (int(digit) * unit + value + 9 * round_up) // 10
    return value


def _nearest_nanosecond(seconds: float) -> int:
    nanoseconds = seconds * 1e9
    if not LEAST <= nanoseconds < -LEAST:
        raise _OutOfRange
    whole = int(nanoseconds)
    rest = nanoseconds - whole
    return whole + (rest >= 0.5) - (rest <= -0.5)


def _exponent(suffix: str) -> int:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix]
    written = re.fullmatch(_EXPONENT, suffix)
    if written is None:
        raise _NotOfType
    sign, digits = written.groups()
    exponent = int(digits) if len(digits) < 10 else 10**10  # beyond, it makes no difference
    return -exponent if sign == "-" else exponent


def _shifted(digits: str, exponent: int) -> tuple[int, bool]:
    """The digits times ten to the power of ``exponent``, and whether nothing is left of them."""
    digits = digits.lstrip("0")
    if not digits:
        return 0, True
    if len(digits) + exponent > _MOST_DIGITS:
        raise _OutOfRange
    if exponent >= 0:
        return int(digits + "0" * exponent), True
    kept = digits[:exponent] if -exponent < len(digits) else ""
    return int(kept or "0"), not digits[len(kept) :].strip("0")


READERS = {
    "str": read_str,
    "int": read_int,
    "float": read_float,
    "bool": read_bool,
    "duration": read_duration,
    "quantity": read_quantity,
}
_NAMES = {
    "str": "text",
    "int": "an integer",
    "float": "a number",
    "bool": "a truth value",
    "duration": "a duration",
    "quantity": "a quantity",
}


def read(kind: str, value: Any, path: str) -> Any:
    """A value read as one of :data:`READERS`; the exception names the path and never the value."""
    try:
        return READERS[kind](value)
    except _NotOfType:
        raise TypeMismatchError(f"is not {_NAMES[kind]}", key=path) from None
    except _OutOfRange:
        raise RangeError(f"is {_NAMES[kind]} that does not fit", key=path) from None


def find(document: Mapping[str, Any], path: str) -> Any:
    """The value at a path: a key, or KEY#/pointer with an RFC 6901 pointer into the key's value.

    A path that is itself a key, whole, means that key; otherwise the longest key that stands before
    a ``#`` does.

    Raises:
        NotFoundError: there is no such key, or nothing where the pointer points.
    """
    if path in document:
        return document[path]
    position = path.rfind("#") if isinstance(path, str) else -1
    while position >= 0:
        key, pointer = path[:position], path[position + 1 :]
        if pointer[:1] in ("", "/") and key in document:
            return _point(document[key], pointer, path)
        position = path.rfind("#", 0, position)
    raise NotFoundError("there is no such key or path", key=path)


def _point(value: Any, pointer: str, path: str) -> Any:
    for token in pointer.split("/")[1:]:
        if type(value) is dict:
            name = token.replace("~1", "/").replace("~0", "~")
            if name in value and not re.search("~(?![01])", token):
                value = value[name]
                continue
        elif type(value) is list and re.fullmatch(_INDEX, token) and int(token) < len(value):
            value = value[int(token)]
            continue
        raise NotFoundError("there is nothing where the pointer points", key=path)
    return value
