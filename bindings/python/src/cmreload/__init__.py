"""Kubernetes configuration that changes while the process runs, read like a dict.

import cmreload

with cmreload.watch("/etc/config") as config:
    config["LOG_LEVEL"]                      # 'info': a dictionary look-up
    config.int("MAX_CONNECTIONS", default=100)
    config["features.json"]["dark_mode"]     # True

    @config.on_change("LOG_LEVEL", "features.*")
    def apply(event): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._library import library as _library
from .config import Config, Pin, Stats, metrics, watch
from .errors import (
    DeniedError,
    Error,
    InvalidArgumentError,
    LimitError,
    NoMemoryError,
    NotFoundError,
    ParseError,
    RangeError,
    RejectedError,
    SourceError,
    StateError,
    TimedOutError,
    TypeMismatchError,
    UnavailableError,
    Violation,
)
from .events import Changes, Event
from .snapshot import Snapshot
from .sources import Environment, File, Mount

if TYPE_CHECKING:
    from .binding import Binding
    from .request import current

__version__ = "1.0.0"

library_version: str = _library.cmr_version().decode()
"""The version of the shared library that was loaded."""

_LATER = {"Binding": "binding", "current": "request"}


def __getattr__(name: str) -> Any:
    """What costs time to import is imported by who uses it."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = getattr(import_module(f".{_LATER[name]}", __name__), name)
    return globals()[name]


__all__ = [
    "Binding",
    "Changes",
    "Config",
    "DeniedError",
    "Environment",
    "Error",
    "Event",
    "File",
    "InvalidArgumentError",
    "LimitError",
    "Mount",
    "NoMemoryError",
    "NotFoundError",
    "ParseError",
    "Pin",
    "RangeError",
    "RejectedError",
    "Snapshot",
    "SourceError",
    "StateError",
    "Stats",
    "TimedOutError",
    "TypeMismatchError",
    "UnavailableError",
    "Violation",
    "current",
    "library_version",
    "metrics",
    "watch",
]
