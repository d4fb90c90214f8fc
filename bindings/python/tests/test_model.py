"""The mapping beside a model of it, over random sequences of updates, failures and rollbacks."""

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

import cmreload
from cmreload.testing import ConfigMap

TEXTS = st.text("ab \n\t1é", max_size=4)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)
CONTENT = st.one_of(
    st.tuples(st.sampled_from(["A", "B", "C.D", "é"]), TEXTS.map(str.encode)),
    st.tuples(st.just("binary"), st.binary(max_size=3)),
    st.tuples(st.sampled_from(["a.json", "b.json"]), DOCUMENTS.map(json.dumps).map(str.encode)),
)
SPACE = b" \t\n\v\f\r"
KEPT = 10  # versions in the history


def native(key, stored):
    """What a key's bytes read as."""
    if key.endswith(".json"):
        return json.loads(stored)
    try:
        return stored.strip(SPACE).decode()
    except UnicodeDecodeError:
        return stored


class Versions(RuleBasedStateMachine):
    """What is published, as a list of contents; the last one is current."""

    @initialize(content=st.lists(CONTENT, max_size=3).map(dict))
    def start(self, content):
        self.mounted = ConfigMap(content)
        self.offered = dict(content)
        self.versions = [dict(content)]
        self.left = []  # contents that were rolled back from, and that the source still offers
        self.events = []
        self.config = cmreload.watch(self.mounted.path)
        self.config.on_change()(self.events.append)
        self.kept = [self.config.snapshot]

    def publish(self, content):
        if content != self.versions[-1]:
            self.versions.append(dict(content))

    @rule(changes=st.lists(CONTENT, min_size=1, max_size=3).map(dict), data=st.data())
    def update(self, changes, data):
        gone = data.draw(st.sets(st.sampled_from(sorted(self.offered)))) if self.offered else set()
        offered = {**{key: self.offered[key] for key in self.offered if key not in gone}, **changes}
        self.mounted.content = dict(offered)
        self.mounted.update(wait_for=self.config)
        if offered != self.offered:
            self.left = []
        if offered not in self.left:
            self.publish(offered)
        self.offered = offered

    @rule(text=st.sampled_from(["{", "[1,", "nul", '{"a": 1,}', ""]))
    def fail(self, text):
        good = dict(self.offered)
        self.mounted.content = {**good, "bad.json": text}
        with pytest.raises(cmreload.ParseError) as raised:
            self.mounted.update(wait_for=self.config)
        assert raised.value.key == "bad.json"
        assert not self.config.healthy
        self.mounted.content = good
        self.mounted.update(wait_for=self.config)
        if good not in self.left:
            self.publish(good)

    @precondition(lambda self: len(self.versions) > 1)
    @rule(data=st.data())
    def roll_back(self, data):
        kept = self.versions[-KEPT:]
        index = data.draw(st.integers(0, len(kept) - 1))
        target = len(self.versions) - len(kept) + index + 1
        if kept[index] == self.versions[-1]:
            return
        self.left.append(dict(self.offered))
        version = self.config.rollback(target)
        assert version == len(self.versions) + 1
        self.versions.append(dict(kept[index]))

    @rule()
    def reload(self):
        assert self.config.reload() == len(self.versions)

    @rule()
    def keep(self):
        self.kept.append(self.config.snapshot)

    @invariant()
    def the_mapping_is_the_newest_version(self):
        if not hasattr(self, "config"):
            return
        expected = self.versions[-1]
        assert self.config.version == len(self.versions)
        assert list(self.config) == sorted(expected, key=str.encode)
        for key, stored in expected.items():
            assert self.config[key] == self.config.snapshot[key] == native(key, stored)
            assert self.config.bytes(key) == stored
        for key in set(dict.keys(self.config)) - set(expected):
            raise AssertionError(f"{key} is still there")

    @invariant()
    def what_is_kept_does_not_change(self):
        for snapshot in getattr(self, "kept", []):
            expected = self.versions[snapshot.version - 1]
            assert dict(snapshot) == {key: native(key, expected[key]) for key in expected}

    def teardown(self):
        if not hasattr(self, "config"):
            return
        self.config.close()
        self.mounted.close()
        told = 1
        for event in self.events:
            assert event.previous.version == told
            told = event.version
            older, newer = self.versions[event.previous.version - 1], self.versions[told - 1]
            assert event.changes.keys() == {
                key for key in older.keys() | newer.keys() if older.get(key) != newer.get(key)
            }


Versions.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestVersions = Versions.TestCase
