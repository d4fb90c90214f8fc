"""What pytest finds when this package is installed: the fixture ``configmap``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .testing import ConfigMap


@pytest.fixture
def configmap() -> Iterator[ConfigMap]:
    """An empty ConfigMap, mounted at ``configmap.path``."""
    from .testing import ConfigMap  # the library is loaded by who uses it, not by every pytest

    with ConfigMap() as mounted:
        yield mounted
