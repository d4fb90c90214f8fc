"""ConfigMaps for tests: a directory that changes as the kubelet changes a mounted one.

    with ConfigMap(LOG_LEVEL="info", **{"features.json": "{}"}) as cm:
        with cmreload.watch(cm.path) as config:
            cm.update(LOG_LEVEL="debug", wait_for=config)
            assert config["LOG_LEVEL"] == "debug"

pytest offers the fixture ``configmap``, an empty one, wherever this package is installed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from ctypes import c_char_p, c_void_p, cast
from typing import TYPE_CHECKING, Any

from . import _declarations as c
from ._library import call, library
from .errors import TimedOutError
from .sources import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from .config import Config

PATIENCE_SECONDS = 30.0
"""How long ``wait_for`` waits for handlers to return."""


def write_mount(path: str | os.PathLike[str], content: Mapping[str, Any], mode: int = 0) -> None:
    """Publishes keys in a directory exactly as the kubelet does: a new timestamped directory, the
    ``..data`` link replaced by a rename, links for the user. What is there already writes nothing.

    Values are text or bytes, and anything else is written as JSON. ``mode`` 0 means 0644.
    """
    files = (c.cmr_file * len(content))()
    kept = []
    for file, (key, value) in zip(files, content.items()):
        stored = content_of(value)
        file.key, file.size, file.mode = key.encode(), len(stored), mode
        file.bytes = cast(c_char_p(stored), c_void_p)
        kept.append(stored)
    call(library.cmr_mount_write, os.fsencode(path), files, len(content))


class ConfigMap:
    """A ConfigMap and the directory where it is mounted.

    Args:
        content: keys and values; values are text or bytes, and anything else becomes JSON.
        path: the directory to mount at, which must exist; a temporary one unless given.
        keys: as ``content``, for keys that are Python names.
    """

    def __init__(
        self,
        content: Mapping[str, Any] | None = None,
        /,
        *,
        path: str | os.PathLike[str] | None = None,
        **keys: Any,
    ) -> None:
        self._temporary = tempfile.mkdtemp(prefix="configmap-") if path is None else None
        self.path = self._temporary or os.fspath(path or "")
        self.content: dict[str, Any] = {}
        try:
            self._publish({**(content or {}), **keys}, None)
        except BaseException:
            self.close()
            raise

    def update(
        self,
        content: Mapping[str, Any] | None = None,
        /,
        *,
        wait_for: Config | None = None,
        **keys: Any,
    ) -> None:
        """Changes keys and publishes them in one swap.

        With ``wait_for`` it returns when that configuration shows the change and its handlers have
        been told.

        Raises:
            ParseError, RejectedError, …: the configuration that was waited for refused the change.
        """
        self._publish({**self.content, **(content or {}), **keys}, wait_for)

    def delete(self, *keys: str, wait_for: Config | None = None) -> None:
        """Removes keys and publishes the rest in one swap."""
        rest = dict(self.content)
        for key in keys:
            del rest[key]
        self._publish(rest, wait_for)

    def _publish(self, content: dict[str, Any], config: Config | None) -> None:
        write_mount(self.path, content)
        self.content = content
        if config is not None:
            version = config.reload(PATIENCE_SECONDS)
            if not config._wait_until_told(version, PATIENCE_SECONDS):
                raise TimedOutError("the handlers did not return in time")

    def close(self) -> None:
        """Removes the directory, if it was a temporary one."""
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ConfigMap at {self.path}, {len(self.content)} keys>"
