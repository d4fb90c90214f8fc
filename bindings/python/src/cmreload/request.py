"""The version that a request keeps from its first byte to its last."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from .errors import StateError

if TYPE_CHECKING:
    from .config import Pin
    from .snapshot import Snapshot

pinned: ContextVar[Pin] = ContextVar("cmreload")


def current() -> Snapshot:
    """The snapshot that the middleware pinned for the request that is being answered.

    Raises:
        StateError: outside of a request, or without the middleware.
    """
    try:
        return pinned.get().snapshot
    except LookupError:
        raise StateError("no version is pinned outside of a request") from None
