"""The verbs about the configuration and what is expected of it.

Events are heard one after another, none is passed over: each must be expected by a line of the
story. Values are read from the newest version so expected.
"""

import base64
import contextlib
import json
import logging
import os
import select
import threading
import time
from datetime import timedelta

import cmreload
from cmreload import Environment, File, Mount
from cmreload.errors import STATUS_NAMES

from .script import Failed

LEVELS = {logging.WARNING: "WARN", logging.ERROR: "ERROR", logging.INFO: "INFO"}
SIGNS = {"added": "+", "removed": "-", "modified": "~"}
TYPES = {
    type(None): "null", bool: "bool", int: "int64", float: "double", str: "string",
    list: "array", dict: "object", bytes: "bytes",
}  # fmt: skip


class Stage(logging.Handler):
    """The configuration of a story, what was heard of it, and what was logged."""

    def __init__(self, world, manual, deadline):
        super().__init__()
        self.world = world
        self.manual = manual
        self.deadline = deadline
        self.sources, self.defaults, self.options = [], {}, {}
        self.optional = False
        self.config = None
        self.at_hand = self.held = None
        self.changes = {}
        self.news = threading.Condition()
        self.events = []
        self.logged = []
        logging.getLogger("cmreload").addHandler(self)

    # ---- hearing ----

    def emit(self, record):
        with self.news:
            self.logged.append((LEVELS.get(record.levelno, "DEBUG"), record.getMessage()))
            self.news.notify_all()

    def hear(self, event):
        with self.news:
            if event.error is not None:
                self.logged.append(("EVENT", event.error.message))
            self.events.append(event)
            self.news.notify_all()

    def wait_until(self, ready):
        """Waits until something holds; what comes by the descriptor is fetched."""
        deadline = time.monotonic() + self.deadline
        while not ready():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self.manual:
                select.select([self.config.event_fd], [], [], left)
                self.config.dispatch()
            else:
                with self.news:
                    self.news.wait_for(ready, left)
        return True

    def next_event(self, wanted):
        if not self.wait_until(lambda: self.events):
            raise Failed(f"no event came, {wanted} was expected")
        return self.events.pop(0)

    def unexpected(self, event, wanted):
        return Failed(
            f"{event.kind} of version {event.version} came ({event.error or event.changes}),"
            f" {wanted} was expected"
        )

    def take_in_hand(self, event):
        self.at_hand, self.changes = event.snapshot, event.changes

    # ---- the configuration's life ----

    def perform(self, line):
        verb = getattr(self, "do_" + line.verb.replace("-", "_"), None)
        if verb is None:
            return False
        if line.verb not in ("option", "add", "start") and self.at_hand is None:
            raise Failed("not started")
        verb(line)
        return True

    def end(self):
        """Nothing may have happened that no line expected."""
        if self.config is None:
            return
        if self.manual and self.at_hand is not None:
            self.config.dispatch()
        self.config.close()
        if self.events:
            raise self.unexpected(self.events[0], "the end")

    def do_option(self, line):
        name, number = line.text(1).lower(), line.number_at(2)
        if name == "optional":
            self.optional = bool(number)
        elif name == "settle_ms":
            self.options["settle"] = number / 1000
        elif name.endswith("_ms"):
            self.options[name[: -len("_ms")]] = number / 1000
        else:
            self.options[name] = number

    def do_add(self, line):
        kind, what = line.text(1), line.text(2)
        if kind == "default":
            self.defaults[what] = line.words[3]
        elif kind == "environment":
            self.sources.append(Environment(what))
        else:
            source = {"mount": Mount, "file": File}[kind]
            self.sources.append(source(self.world.path(what), self.optional))

    def do_start(self, line):
        if self.config is None:
            self.config = cmreload.Config(*self.sources, defaults=self.defaults, **self.options)
            self.config.on_event(self.hear, manual=self.manual)
        self.expect_outcome(line, 1, self.config.start)
        if len(line.words) == 1:
            self.expect_newest(1, "version 1")

    def do_reload(self, line):
        self.expect_outcome(line, 1, lambda: self.config.reload(self.deadline))

    def do_request_reload(self, line):
        self.config.request_reload()

    def do_settle(self, line):
        version = self.config.reload(self.deadline)
        if version != self.at_hand.version:
            self.expect_newest(version, "the newest version")

    def do_hold(self, line):
        self.held = self.at_hand

    def do_await(self, line):
        """``await value PATH VALUE``: passes over versions until one has the value."""
        while self.reading("str", self.at_hand, line.text(2)) != line.text(3):
            event = self.next_event("a version with the value")
            if event.kind != "published":
                raise self.unexpected(event, "a version")
            self.take_in_hand(event)

    def expect_outcome(self, line, index, attempt):
        """``fails STATUS [KEY [LINE COLUMN]]`` from index on, or nothing there for success."""
        fails = line.text(index, "") == "fails"
        if not fails:
            line.no_more_than(index)
        try:
            attempt()
        except cmreload.Error as problem:
            wanted = line.text(index + 1) if fails else "CMR_OK"
            if problem.status_name != wanted:
                raise Failed(f"{problem.status_name} ({problem}), {wanted} was expected") from None
            self.expect_key(line, index + 2, problem)
            self.expect_place(line, index + 3, problem)
        else:
            if fails:
                raise Failed(f"CMR_OK, {line.text(index + 1)} was expected")

    def expect_key(self, line, index, problem):
        if len(line.words) > index:
            wanted = line.text(index)
            if problem.key not in (wanted, os.fspath(self.world.path(wanted))):
                raise Failed(f"it is about '{problem.key}' ({problem.message})")

    def expect_place(self, line, index, problem):
        if len(line.words) > index:
            place = line.number_at(index), line.number_at(index + 1)
            if (problem.line, problem.column) != place:
                raise Failed(f"it is at {problem.line}:{problem.column} ({problem.message})")
        line.no_more_than(index + 2)

    # ---- what is expected ----

    def do_expect(self, line):
        what = line.text(1)
        expect = getattr(self, "expect_" + what, None)
        if expect is not None:
            expect(line)
        elif what in READINGS:
            self.expect_reading(line, what)
        else:
            raise Failed(f"nothing is known about {what}")

    def expect_newest(self, version, what):
        """Passes over older versions only: how many swaps make one is the library's business."""
        while self.at_hand is None or self.at_hand.version != version:
            event = self.next_event(what)
            if event.kind != "published" or event.version > version:
                raise self.unexpected(event, what)
            self.take_in_hand(event)

    def expect_version(self, line):
        event = self.next_event("a version")
        if event.kind != "published" or event.version != line.number_at(2):
            raise self.unexpected(event, "another version")
        if line.text(3, event.cause.upper()) != event.cause.upper():
            raise Failed(f"the cause is {event.cause}")
        line.no_more_than(4)
        self.take_in_hand(event)

    def expect_changes(self, line):
        found = [SIGNS[change] + key for key, change in self.changes.items()]
        if found != [line.text(index) for index in range(2, len(line.words))]:
            raise Failed(f"the changes are: {' '.join(found)}")

    def expect_rejected(self, line):
        event = self.next_event("a rejection")
        if event.kind != "rejected":
            raise self.unexpected(event, "a rejection")
        if event.error.status_name != line.text(2):
            raise Failed(f"rejected as {event.error.status_name} ({event.error})")
        self.expect_key(line, 3, event.error)
        self.expect_place(line, 4, event.error)
        if event.version != self.at_hand.version:
            raise Failed(f"the event is of version {event.version}")

    def expect_source(self, line, kind):
        event = self.next_event(kind)
        if event.kind != kind:
            raise self.unexpected(event, kind)
        self.expect_key(line, 2, event.error)
        line.no_more_than(3)

    def expect_lost(self, line):
        self.expect_source(line, "source_lost")

    def expect_recovered(self, line):
        self.expect_source(line, "source_recovered")

    def expect_quiet(self, line):
        version = self.at_hand.version
        with contextlib.suppress(cmreload.Error):  # what is bad may stay bad
            self.config.reload(self.deadline)
        if self.manual:
            self.config.dispatch()
        if self.config.version != version:
            raise Failed(f"version {self.config.version} was published")
        if self.events:
            raise self.unexpected(self.events[0], "nothing")

    # ---- values ----

    def reading(self, getter, snapshot, path):
        """What a getter gives, or the name of the status that it fails with."""
        try:
            return getattr(snapshot, getter)(path)
        except cmreload.Error as problem:
            return problem.status_name

    def expect_value(self, line, snapshot=None):
        read = self.reading("str", snapshot or self.at_hand, line.text(2))
        if read.encode() != line.value(3):
            raise Failed(f"{line.text(2)} is {read[:200]}")

    def expect_held(self, line):
        self.expect_value(line, self.held)

    def expect_bytes(self, line):
        read = self.reading("bytes", self.at_hand, line.text(2))
        if read != line.value(3):
            raise Failed(f"{line.text(2)} has other bytes, or {STATUS_NAMES}")

    def expect_json(self, line):
        path = line.text(2)
        value = self.at_hand.find(path) if path else dict(self.at_hand)
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=base64_text)
        if text != line.text(3):
            raise Failed(f"{path} is {text[:400]}")
        line.no_more_than(4)

    def expect_type(self, line):
        try:
            found = TYPES[type(self.at_hand.find(line.text(2)))]
        except cmreload.NotFoundError:
            found = "none"
        if found != line.text(3):
            raise Failed(f"{line.text(2)} is of type {found}")
        line.no_more_than(4)

    def expect_reading(self, line, what):
        getter, wanted = READINGS[what]
        read = self.reading(getter, self.at_hand, line.text(2))
        if isinstance(read, str):
            holds = read == line.text(3)
        else:
            holds = not line.text(3).startswith("CMR_") and read == wanted(line.text(3))
        if not holds:
            raise Failed(f"{line.text(2)} reads as {read}")
        line.no_more_than(4)

    def expect_keys(self, line):
        if list(self.at_hand) != [line.text(index) for index in range(2, len(line.words))]:
            raise Failed(f"the keys are {list(self.at_hand)}")

    def expect_generation(self, line):
        target = os.readlink(self.world.path(line.text(2)) / "..data")
        if self.at_hand.generation != target:
            raise Failed(f"the generation is '{self.at_hand.generation}', not {target}")

    # ---- what can be observed ----

    def expect_healthy(self, line):
        if not self.config.healthy:
            raise Failed("the watcher is unhealthy")

    def expect_unhealthy(self, line):
        if self.config.healthy:
            raise Failed("the watcher is healthy")

    def expect_count(self, line, name):
        """Waits until a statistic has a value: it may be counted after a version was told of."""
        deadline = time.monotonic() + self.deadline
        while getattr(self.config.stats, name) != line.number_at(2):
            if time.monotonic() > deadline:
                raise Failed(f"{name}: {getattr(self.config.stats, name)}")
            os.sched_yield()

    def expect_polling(self, line):
        self.expect_count(line, "polling")

    def expect_overflows(self, line):
        self.expect_count(line, "overflows")

    def expect_log(self, line):
        level, text = line.text(2), line.text(3)

        def found():
            return [entry for entry in list(self.logged) if entry[0] == level and text in entry[1]]

        is_counted = len(line.words) > 4
        wanted = line.number_at(5) if is_counted else 1
        # The library logs once all have been told: a reload may have returned before.
        is_logged = self.wait_until(lambda: len(found()) >= wanted)
        if is_counted and len(found()) != wanted:
            raise Failed(f"it was logged {len(found())} times")
        if not is_counted and not is_logged:
            raise Failed("nothing such was logged")


def base64_text(value):
    return base64.b64encode(value).decode()


READINGS = {
    "int64": ("int", int),
    "double": ("float", float),
    "bool": ("bool", lambda text: {"true": True, "false": False}.get(text)),
    "quantity": ("quantity", int),
    "duration": ("duration", lambda text: timedelta(microseconds=int(text) / 1000)),
}
