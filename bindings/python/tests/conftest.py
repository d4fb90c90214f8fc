"""What the tests share: configurations that are closed, and patience that is a deadline."""

import threading

import pytest

import cmreload

PATIENCE_SECONDS = 30


@pytest.fixture
def watch(configmap):
    """``cmreload.watch``, and what it watched is closed at the end, before the mount goes."""
    watched = []

    def watch(*sources, **options):
        config = cmreload.watch(*sources, **options)
        watched.append(config)
        return config

    yield watch
    for config in watched:
        config.close()


class Heard:
    """Collects what a handler is told, and waits for it."""

    def __init__(self):
        self.events = []
        self._news = threading.Condition()

    def __call__(self, event):
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait(self, count):
        """The first ``count`` events, when they have come."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.events) >= count, PATIENCE_SECONDS)
        assert came, f"{len(self.events)} events came, {count} were expected"
        return self.events[:count]


@pytest.fixture
def heard():
    return Heard()


def pytest_terminal_summary(terminalreporter):
    """The line that counts, as every suite of this project prints it."""
    stats = terminalreporter.stats
    failed = len(stats.get("failed", ())) + len(stats.get("error", ()))
    terminalreporter.write_line(f"{len(stats.get('passed', ()))} passed, {failed} failed")
