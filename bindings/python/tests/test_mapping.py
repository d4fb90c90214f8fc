"""The configuration as a mapping of the current version."""

import copy
import json
import os
import pickle
import sys
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest

import cmreload
from cmreload.testing import ConfigMap

# `make check` publishes a thousand.
VERSIONS = 1000 if "CMRELOAD_REPETITIONS" in os.environ else 150

CONTENT = {
    "LOG_LEVEL": "info\n",
    "MAX_CONNECTIONS": "100",
    "features.json": '{"dark_mode": true, "rollout": [0, 2.5, null], "a/b": {"~": 1}}',
    "timeout": "1h30m",
    "memory": "64Mi",
    "certificate": b"\xff\x00\x01",
}


@pytest.fixture
def config(watch, configmap):
    configmap.update(CONTENT)
    return watch(configmap.path)


def test_text_is_read_without_the_white_space_around_it(config):
    assert config["LOG_LEVEL"] == "info"


def test_a_parsed_value_is_plain_dicts_and_lists(config):
    assert config["features.json"] == {
        "dark_mode": True,
        "rollout": [0, 2.5, None],
        "a/b": {"~": 1},
    }
    assert type(config["features.json"]) is dict
    assert type(config["features.json"]["rollout"][1]) is float


def test_what_is_not_utf8_is_bytes(config):
    assert config["certificate"] == b"\xff\x00\x01"


def test_bytes_are_what_was_stored(config):
    assert config.bytes("LOG_LEVEL") == b"info\n"
    assert config.bytes("MAX_CONNECTIONS") == b"100"
    assert config.bytes("features.json") == CONTENT["features.json"].encode()
    assert config.bytes("certificate") == b"\xff\x00\x01"
    assert config.bytes("absent", b"none") == b"none"


def test_getters_read_by_type(config):
    assert config.int("MAX_CONNECTIONS") == 100
    assert config.float("MAX_CONNECTIONS") == 100.0
    assert config.bool("features.json#/dark_mode") is True
    assert config.str("LOG_LEVEL") == "info"
    assert config.duration("timeout") == timedelta(hours=1, minutes=30)
    assert config.quantity("memory") == 64 * 1024 * 1024


def test_a_path_points_into_a_value(config):
    assert config.get("features.json#/rollout/1") == 2.5
    assert config.get("features.json#/a~1b/~0") == 1
    assert config.get("features.json#") == config["features.json"]
    assert config.get("features.json#/rollout/3", "nothing") == "nothing"
    assert config.get("LOG_LEVEL#/x") is None


def test_a_path_that_is_itself_a_key_means_that_key(watch):
    with ConfigMap({"a": '"no"', "a#": "whole", "b.json": "[7]"}) as mounted:
        config = watch(mounted.path)
        assert config.get("a#") == "whole"
        assert config.get("b.json#/0") == 7


def test_a_default_is_for_what_is_absent_only(config):
    assert config.int("absent", default=7) == 7
    assert config.bool("features.json#/absent", default=False) is False
    with pytest.raises(cmreload.TypeMismatchError) as raised:
        config.int("LOG_LEVEL", default=7)
    assert raised.value.key == "LOG_LEVEL"
    assert "info" not in str(raised.value)


def test_an_absent_key_is_a_key_error_that_names_it(config):
    for read in (config.__getitem__, config.snapshot.__getitem__, config.int, config.bytes):
        with pytest.raises(KeyError) as raised:
            read("absent")
        assert isinstance(raised.value, cmreload.NotFoundError)
        assert str(raised.value).startswith("absent: there is no such key")


def test_what_is_no_text_is_no_key(config):
    for mapping in (config, config.snapshot):
        assert mapping.get(5) is None
        assert mapping.int(None, default=1) == 1
        with pytest.raises(KeyError, match="5"):
            mapping[5]


def test_both_are_mappings_with_the_keys_in_order(config):
    keys = sorted(CONTENT)
    for mapping in (config, config.snapshot):
        assert isinstance(mapping, Mapping)
        assert list(mapping) == list(mapping.keys()) == keys
        assert len(mapping) == len(keys)
        assert "LOG_LEVEL" in mapping
        assert "absent" not in mapping
        assert dict(mapping) == {**mapping} == dict(mapping.items())
        assert list(reversed(mapping)) == keys[::-1]
        assert next(iter(mapping.values())) == "info"
        assert mapping == dict(mapping)
        assert mapping != {}
        assert mapping | {"more": 1} == {**mapping, "more": 1}
    assert config == config.snapshot


def test_json_dumps_takes_them_as_they_are(watch):
    with ConfigMap({"a": "1", "b.json": [1, {"c": None}]}) as mounted:
        config = watch(mounted.path)
        for mapping in (config, config.snapshot):
            assert json.loads(json.dumps(mapping)) == {"a": "1", "b.json": [1, {"c": None}]}


def test_every_format_gives_plain_values(watch):
    config = watch(
        defaults={
            "a.yaml": "server:\n  port: 80\n  names: [x, 1.5, yes, ~]\n",
            "b.toml": "[server]\nport = 80\nratio = 0.5\n",
            "c.properties": "server.port = 80\n",
            "d.env": "export PORT=80\n",
            "e.ini": "[server]\nport = 80\n",
        }
    )
    assert config.int("a.yaml#/server/port") == 80
    assert config.get("a.yaml#/server/names/1") == 1.5
    assert config["b.toml"] == {"server": {"port": 80, "ratio": 0.5}}
    assert config.int("c.properties#/server.port") == 80
    assert config.int("d.env#/PORT") == 80
    assert config.int("e.ini#/server/port") == 80


@pytest.mark.parametrize(
    "change",
    [
        lambda mapping: mapping.__setitem__("a", 1),
        lambda mapping: mapping.__delitem__("LOG_LEVEL"),
        lambda mapping: mapping.update(a=1),
        lambda mapping: mapping.setdefault("a", 1),
        lambda mapping: mapping.pop("LOG_LEVEL"),
        lambda mapping: mapping.popitem(),
        lambda mapping: mapping.clear(),
        lambda mapping: mapping.__ior__({"a": 1}),
    ],
)
def test_neither_can_be_changed(config, change):
    for mapping in (config, config.snapshot):
        before = dict(mapping)
        with pytest.raises(TypeError, match="read-only"):
            change(mapping)
        assert dict(mapping) == before


def test_no_value_is_in_a_representation(config):
    for shown in (repr(config), str(config), repr(config.snapshot), f"{config.snapshot}"):
        assert "info" not in shown
        assert "100" not in shown


def test_a_snapshot_says_what_it_is(config, configmap):
    snapshot = config.snapshot
    assert snapshot.version == config.version == 1
    assert len(snapshot.checksum) == 32
    assert snapshot.generation.startswith("..")
    assert abs(snapshot.published - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert snapshot.published_ns > 0


def test_a_snapshot_that_is_kept_does_not_change(config, configmap):
    kept = config.snapshot
    content = dict(kept)
    configmap.update(LOG_LEVEL="debug", wait_for=config)
    configmap.delete("memory", wait_for=config)
    assert kept == content
    assert config["LOG_LEVEL"] == config.snapshot["LOG_LEVEL"] == "debug"
    assert "memory" not in config
    with pytest.raises(KeyError):
        config["memory"]
    assert config.version == kept.version + 2


def test_versions_share_what_did_not_change(config, configmap):
    before = config.snapshot
    configmap.update(LOG_LEVEL="debug")
    config.wait(before.version, timeout=30)
    assert config.snapshot["features.json"] is before["features.json"]


def test_keys_stay_in_order_when_some_are_added(config, configmap):
    configmap.update({"AAA": "1", "zzz": "2", "N": "3"})
    config.wait(1, timeout=30)
    assert list(config) == sorted(config)


def test_changes_since_another_version(config, configmap):
    before = config.snapshot
    configmap.update(LOG_LEVEL="debug", NEW="1", wait_for=config)
    configmap.delete("memory", wait_for=config)
    assert config.snapshot.changes_since(before) == {
        "LOG_LEVEL": "modified",
        "NEW": "added",
        "memory": "removed",
    }
    assert config.snapshot.changes_since(config.snapshot) == {}


def test_white_space_that_changes_is_a_change(watch, configmap):
    configmap.update(A="1")
    config = watch(configmap.path)
    before = config.snapshot
    configmap.update(A="1\n", wait_for=config)
    assert config["A"] == "1"
    assert config.bytes("A") == b"1\n"
    assert config.snapshot.changes_since(before) == {"A": "modified"}


def test_a_snapshot_can_be_sent_to_another_process(config):
    for sent in (pickle.loads(pickle.dumps(config.snapshot)), copy.deepcopy(config.snapshot)):
        assert sent == config.snapshot
        assert (sent.version, sent.checksum) == (1, config.snapshot.checksum)
        assert sent.bytes("LOG_LEVEL") == b"info\n"


def test_a_configuration_cannot(config):
    with pytest.raises(TypeError, match="snapshot"):
        pickle.dumps(config)


def test_what_was_read_stays_readable_after_close(config):
    config.close()
    assert config.closed
    assert config["LOG_LEVEL"] == "info"
    with config.pin() as snapshot:
        assert snapshot["LOG_LEVEL"] == "info"
    with pytest.raises(cmreload.StateError):
        config.reload()


@pytest.fixture
def quick_switches():
    """Threads take turns every 100 µs instead of every 5 ms: more of them meet."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def test_readers_see_no_error_and_no_mixed_version_while_many_are_published(watch, quick_switches):
    count, readers = VERSIONS, 4
    content = {f"key{i}": "0" for i in range(8)}
    with ConfigMap(content) as mounted:
        config = watch(mounted.path)
        ended = threading.Event()
        problems, reads = [], [0] * readers

        def read(reader):
            newest = 0
            try:
                while not ended.is_set():
                    snapshot = config.snapshot
                    values = {snapshot[key] for key in content}
                    assert len(values) == 1, values
                    assert set(snapshot.values()) == values
                    seen = int(config["key3"])
                    assert newest <= int(snapshot["key0"]) <= seen or seen >= newest
                    newest = seen
                    assert list(config) == list(content)
                    reads[reader] += 1
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=read, args=[reader]) for reader in range(readers)]
        for thread in threads:
            thread.start()
        for version in range(1, count + 1):
            mounted.update(dict.fromkeys(content, str(version)))
            config.reload()
        ended.set()
        for thread in threads:
            thread.join()
        assert not problems
        assert all(reads)
        assert config["key0"] == str(count)
        assert config.version >= count // 2
