"""Where configuration comes from, and what its sources hold as bytes."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

from . import _declarations as c
from .errors import from_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Union

    Source = Union[str, os.PathLike[str], "Mount", "File", "Environment"]
    Schema = Union[Mapping[str, Any], bool, str, os.PathLike[str]]


class _Path:
    __slots__ = ("optional", "path")

    def __init__(self, path: str | os.PathLike[str], optional: bool = False) -> None:
        self.path = path
        self.optional = optional

    def __repr__(self) -> str:
        return f"{type(self).__name__}({os.fspath(self.path)!r}, optional={self.optional})"


class Mount(_Path):
    """A directory of keys: a mounted ConfigMap, Secret or projected volume, or a plain directory.

    With ``optional`` it may be missing at the start.
    """

    __slots__ = ()


class File(_Path):
    """One file, whose base name is the key. With ``optional`` it may be missing at the start."""

    __slots__ = ()


class Environment:
    """The environment variables that begin with ``prefix``: with "APP_", APP_X gives key X.

    They are read once, at the start.
    """

    __slots__ = ("prefix",)

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __repr__(self) -> str:
        return f"Environment({self.prefix!r})"


def content_of(value: Any) -> bytes:
    """The bytes of a key: text and bytes as they are, anything else as JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def schema_text(schema: Schema) -> bytes:
    """A JSON Schema as text: of a dict, of text that begins with a brace, or of a file."""
    if isinstance(schema, str) and schema.lstrip().startswith("{"):
        return schema.encode()
    if isinstance(schema, (str, os.PathLike)):
        try:
            with open(schema, "rb") as file:
                return file.read()
        except OSError as problem:
            path, number = os.fspath(schema), problem.errno or 0
        status = c.CMR_E_DENIED if number == errno.EACCES else c.CMR_E_IO
        said = f"the schema cannot be read: {os.strerror(number)}"
        raise from_status(status, said, key=path, os_errno=number)
    return json.dumps(schema).encode()
