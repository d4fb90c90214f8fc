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
from .request import current
from .snapshot import Snapshot
from .sources import Environment, File, Mount

__version__ = "1.0.0"

library_version: str = _library.cmr_version().decode()
"""The version of the shared library that was loaded."""

__all__ = [
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
