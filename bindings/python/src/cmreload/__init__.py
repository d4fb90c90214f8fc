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

TYPE_CHECKING = False  # as in typing, which takes longer to import than this package
if TYPE_CHECKING:
    from typing import Any

    from .binding import Binding
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

_MODULES = {
    "Binding": "binding",
    "Changes": "events",
    "Config": "config",
    "Environment": "sources",
    "Event": "events",
    "File": "sources",
    "Mount": "sources",
    "Pin": "config",
    "Snapshot": "snapshot",
    "Stats": "config",
    "current": "request",
    "metrics": "config",
    "watch": "config",
}


def __getattr__(name: str) -> Any:
    """Imports what a name stands for when it is first used; the errors have no other module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module("." + _MODULES.get(name, "errors"), __name__)
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__


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
