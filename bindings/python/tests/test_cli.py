"""``python -m cmreload``."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cmreload.testing import ConfigMap


def cmreload(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "cmreload", *words],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture
def mounted():
    with ConfigMap({"LOG_LEVEL": "info\n", "f.json": {"a": [1, "x"]}, "key": b"\xff"}) as mounted:
        yield mounted


@pytest.mark.parametrize(
    ("path", "printed"),
    [("LOG_LEVEL", "info\n"), ("f.json", '{"a": [1, "x"]}\n'), ("f.json#/a/1", "x\n")],
)
def test_get_prints_a_value(mounted, path, printed):
    told = cmreload("get", mounted.path, path)
    assert (told.returncode, told.stdout, told.stderr) == (0, printed, "")


def test_get_of_what_is_absent_fails(mounted):
    told = cmreload("get", mounted.path, "absent")
    assert told.returncode == 1
    assert told.stderr == "cmreload: absent: there is no such key or path\n"
    assert cmreload("get", mounted.path + "/absent", "key").returncode == 1
    assert cmreload("get", mounted.path).returncode == 2


class Following:
    """``watch``, running; its lines as they come."""

    def __init__(self, *words, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cmreload", "watch", *words],
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        assert self.process.wait(30) == 0

    def lines(self, count):
        return [self.process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_watch_prints_changes_as_they_come(mounted):
    with Following(mounted.path) as following:
        assert following.lines(4) == [
            "version 1 (start)",
            "+ LOG_LEVEL = info",
            '+ f.json = {"a": [1, "x"]}',
            "+ key = /w==",
        ]
        mounted.update(LOG_LEVEL="debug\nand more")
        assert following.lines(4) == [
            "version 2 (change)",
            "- LOG_LEVEL = info",
            "+ LOG_LEVEL = debug",
            "+ and more",
        ]
        mounted.update({"f.json": "{"})
        assert following.lines(1) == ["rejected; version 2 stays"]
        assert following.lines(1)[0].startswith("~ f.json:1:2: ")


def test_watch_prints_lines_of_json(mounted):
    with Following("--json", mounted.path) as following:
        first = json.loads(following.lines(1)[0])
        assert (first["kind"], first["cause"], first["version"]) == ("published", "start", 1)
        assert first["changes"]["key"] == {"change": "added", "value": "/w=="}
        mounted.delete("LOG_LEVEL")
        second = json.loads(following.lines(1)[0])
        assert second["changes"] == {"LOG_LEVEL": {"change": "removed", "value": None}}
        mounted.update({"f.json": "{"})
        third = json.loads(following.lines(1)[0])
        assert (third["kind"], third["version"]) == ("rejected", 2)
        assert third["error"]["status"] == "CMR_E_PARSE"
        assert (third["error"]["key"], third["error"]["line"]) == ("f.json", 1)


def test_watch_ends_when_nobody_reads_on(mounted):
    words = [sys.executable, "-m", "cmreload", "watch", mounted.path]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        mounted.update(LOG_LEVEL="debug")
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_get_that_nobody_reads_is_no_failure(mounted):
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "cmreload", "get", mounted.path]
    for path in ("LOG_LEVEL", "key"):
        told = subprocess.run([*words, path], stdout=theirs, stderr=subprocess.PIPE, check=False)
        assert (told.returncode, told.stderr) == (0, b"")
    os.close(theirs)


def test_watch_colours_a_terminal(mounted):
    import pty

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    words = [sys.executable, "-m", "cmreload", "watch", mounted.path]
    process = subprocess.Popen(words, stdout=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while b"LOG_LEVEL" not in seen:
        seen += os.read(ours, 4096)
    process.terminate()
    assert process.wait(30) == 0
    os.close(ours)
    assert b"\x1b[32m+ LOG_LEVEL = info\x1b[0m" in seen


SCHEMA = {
    "type": "object",
    "required": ["LOG_LEVEL"],
    "properties": {"LOG_LEVEL": {"enum": ["info", "debug"]}},
}


@pytest.mark.parametrize(("level", "status"), [("info", 0), ("loud", 1)])
def test_check_says_whether_a_directory_would_be_accepted(mounted, tmp_path, level, status):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    mounted.update(LOG_LEVEL=level)
    told = cmreload("check", mounted.path, "--schema", str(schema))
    assert told.returncode == status
    if status == 0:
        assert told.stdout.startswith("ok: 3 keys")
    else:
        assert "LOG_LEVEL" in told.stdout
        assert "(enum)" in told.stdout
        assert "loud" not in told.stdout + told.stderr


def test_check_tells_of_a_missing_key_without_a_place(mounted, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"required": ["NOPE"]}))
    told = cmreload("check", mounted.path, "--schema", str(schema))
    assert told.stdout == '/: a member named "NOPE" (required)\n'


def test_check_of_what_does_not_parse_says_where(mounted):
    mounted.update({"f.json": "[1,"})
    told = cmreload("check", mounted.path)
    assert told.returncode == 1
    assert told.stderr.startswith("cmreload: f.json:1:4: ")
