"""Finds the shared library, loads it, and turns its statuses into exceptions.

The library is looked for in the wheel, then where CMRELOAD_LIBRARY says, then where the system
keeps its libraries.
"""

from __future__ import annotations

import ctypes
import os
from datetime import timedelta

from . import _declarations as c
from .errors import from_status, from_struct

TYPE_CHECKING = False  # as in typing, which takes longer to import than this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SONAME = "libcmreload.so.1"
ABI_MAJOR, ABI_MINOR = 1, 0


def _candidate() -> str:
    """The file to load: the first of the three that is there."""
    packaged = os.path.join(os.path.dirname(__file__), SONAME)
    if os.path.exists(packaged):
        return packaged
    return os.environ.get("CMRELOAD_LIBRARY") or SONAME


def _refuse_subinterpreters() -> None:
    # A thread that a C library starts enters the main interpreter, whoever registered the callback:
    # elsewhere objects of two interpreters would meet.
    api = ctypes.pythonapi
    api.PyInterpreterState_Get.restype = api.PyInterpreterState_Main.restype = ctypes.c_void_p
    if api.PyInterpreterState_Get() != api.PyInterpreterState_Main():
        raise ImportError(
            "cmreload works in the main interpreter only: callbacks of a C library's threads cannot"
            " reach a subinterpreter"
        )


# What reads memory and returns. It is called with the GIL held: beside busy threads it takes 5 ms
# to get that back, and copying a version would give it away several times for each key.
_QUICK = ("cmr_snapshot_", "cmr_value_", "cmr_sink_", "cmr_free", "cmr_watcher_acquire")


class Library:
    """The functions of the library, each declared when it is first used."""

    def __init__(self, path: str) -> None:
        try:
            self._waiting, self._quick = ctypes.CDLL(path), ctypes.PyDLL(path)
        except OSError as problem:
            raise ImportError(
                f"{problem}. Install a wheel of cmreload, which has {SONAME} in it, install"
                f" libcmreload, or set CMRELOAD_LIBRARY to the path of {SONAME}"
            ) from None

    def __getattr__(self, name: str) -> Any:
        result, arguments = c.FUNCTIONS[name]
        function = getattr(self._quick if name.startswith(_QUICK) else self._waiting, name)
        function.restype, function.argtypes = result, arguments
        setattr(self, name, function)
        return function


def _load() -> Library:
    path = _candidate()
    loaded = Library(path)
    version = loaded.cmr_abi_version()
    if version >> 16 != ABI_MAJOR or version & 0xFFFF < ABI_MINOR:
        raise ImportError(
            f"{path} has version {version >> 16}.{version & 0xFFFF} of the interface,"
            f" this package needs {ABI_MAJOR}.{ABI_MINOR}"
        )
    return loaded


_refuse_subinterpreters()
library = _load()


def new_error() -> c.cmr_error:
    """An error struct for the library to write to."""
    return c.cmr_error(struct_size=ctypes.sizeof(c.cmr_error))


def check(status: int, message: str = "") -> None:
    """Raises the exception of a status that is not CMR_OK."""
    if status:
        raise from_status(status, message)


def call(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls a function whose last parameter is a ``cmr_error *``, and raises what it says."""
    error = new_error()
    if function(*arguments, ctypes.byref(error)):
        raise from_struct(error)


def text_at(pointer: ctypes.c_void_p, size: ctypes.c_size_t) -> bytes:
    """A copy of ``size`` bytes of the library's."""
    return ctypes.string_at(pointer, size.value)


def taken(pointer: ctypes.c_void_p, size: ctypes.c_size_t) -> bytes:
    """The bytes of what the library gave as ours, which is then freed."""
    try:
        return text_at(pointer, size)
    finally:
        library.cmr_free(pointer)


def exposition(function: Callable[..., int], *arguments: Any) -> str:
    """The text of a function that writes into a buffer and says how much room it wants."""
    size = ctypes.c_size_t(4096)
    while True:
        buffer = ctypes.create_string_buffer(size.value)
        status = function(*arguments, buffer, size.value, ctypes.byref(size))
        if status != c.CMR_E_LIMIT:
            check(status)
            return buffer.raw[: size.value].decode()
        size.value += 1024  # values may have grown when it is called again


def milliseconds(seconds: float | timedelta | None) -> int:
    """A duration as the library takes it; None waits for ever."""
    if seconds is None:
        return -1
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    return max(0, round(seconds * 1000))
