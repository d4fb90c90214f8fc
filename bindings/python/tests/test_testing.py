"""The kit with which users test their own handlers."""

import os

import pytest

import cmreload
from cmreload.testing import ConfigMap, write_mount


def test_a_mount_is_laid_out_as_the_kubelet_does():
    with ConfigMap(LOG_LEVEL="info", **{"features.json": "{}"}) as mounted:
        data = os.readlink(os.path.join(mounted.path, "..data"))
        assert data.startswith("..")
        assert os.readlink(os.path.join(mounted.path, "LOG_LEVEL")) == "..data/LOG_LEVEL"
        mounted.update(LOG_LEVEL="debug")
        assert os.readlink(os.path.join(mounted.path, "..data")) != data
        assert not os.path.exists(os.path.join(mounted.path, data))
        mounted.delete("features.json")
        assert not os.path.lexists(os.path.join(mounted.path, "features.json"))
    assert not os.path.exists(mounted.path)


def test_values_are_text_bytes_or_anything_that_is_json(watch, configmap):
    configmap.update({"a": "text", "b": b"\xff", "c.json": {"x": [1, None]}, "d": 7})
    config = watch(configmap.path)
    assert dict(config) == {"a": "text", "b": b"\xff", "c.json": {"x": [1, None]}, "d": "7"}


def test_an_update_that_is_waited_for_was_told_to_every_handler(watch, configmap):
    configmap.update(A="1")
    config = watch(configmap.path)
    seen = []
    config.on_change()(lambda event: seen.append(event.snapshot["A"]))
    for turn in range(20):
        configmap.update(A=f"turn {turn}", wait_for=config)
        assert seen[-1] == config["A"] == f"turn {turn}"
    configmap.update(A="turn 19", wait_for=config)
    assert len(seen) == 20


def test_an_update_that_is_refused_raises_to_who_waits(watch, configmap):
    config = watch(configmap.path)
    with pytest.raises(cmreload.ParseError):
        configmap.update({"a.json": "{"}, wait_for=config)


def test_what_cannot_be_written_changes_nothing(configmap, monkeypatch, tmp_path):
    configmap.update(A="1")
    for change in ({"..": "1"}, {"B": {1}}):
        with pytest.raises((ValueError, TypeError)):
            configmap.update(change)
    with pytest.raises(KeyError):
        configmap.delete("A", "absent")
    configmap.update(C="1")
    assert configmap.content == {"A": "1", "C": "1"}

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ValueError, match="key"):
        ConfigMap({"..": "1"})
    assert not os.listdir(tmp_path)


def test_a_configmap_can_be_mounted_where_one_likes(tmp_path):
    with ConfigMap(A="1", path=tmp_path) as mounted:
        assert mounted.path == str(tmp_path)
        assert (tmp_path / "A").read_text() == "1"
    assert tmp_path.exists()


def test_what_is_there_already_writes_nothing(tmp_path):
    write_mount(tmp_path, {"A": "1"})
    data = os.readlink(tmp_path / "..data")
    write_mount(tmp_path, {"A": "1"})
    assert os.readlink(tmp_path / "..data") == data
    write_mount(tmp_path, {"A": "1"}, mode=0o600)
    assert (tmp_path / "A").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="absent") as raised:
        write_mount(tmp_path / "absent", {})
    assert raised.value.errno == 2


def test_the_fixture_is_found_by_pytest_wherever_the_package_is_installed(tmp_path):
    import subprocess
    import sys

    (tmp_path / "test_mine.py").write_text(
        "import cmreload\n"
        "def test_mine(configmap):\n"
        "    with cmreload.watch(configmap.path) as config:\n"
        "        configmap.update(A='1', wait_for=config)\n"
        "        assert config['A'] == '1'\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in told.stdout, told.stdout
