"""What is shipped: the wheel, the sdist, and that all places say the same version."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import cmreload

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
LIBRARY = Path(os.environ["CMRELOAD_LIBRARY"]).resolve()


def run(*words, **environment):
    inherited = {name: value for name, value in os.environ.items() if name != "CMRELOAD_LIBRARY"}
    return subprocess.run(
        words, check=True, capture_output=True, text=True, env={**inherited, **environment}
    ).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(
        sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel",
        "--outdir", folder, HERE,
        CMRELOAD_WHEEL_LIBRARY=str(LIBRARY),
    )  # fmt: skip
    return folder


@pytest.fixture
def wheel(built):
    (found,) = built.glob("*.whl")
    return found


def test_the_wheel_holds_the_library_and_the_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "cmreload/libcmreload.so.1" in names
    assert "cmreload/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"cmreload", "cmreload-1.0.0.dist-info"}


def test_the_wheel_s_tag_is_what_auditwheel_finds(wheel):
    told = " ".join(run("auditwheel", "show", str(wheel)).split())
    found = re.search(r'following platform tag: "(\w+)"', told)[1]
    tag = wheel.stem.split("-")[-1]
    assert tag.startswith("manylinux_2_")
    assert found == tag, told


def test_the_wheel_works_where_nothing_else_is_installed(wheel, tmp_path):
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path, wheel)
    program = (
        "import cmreload, cmreload.testing as t\n"
        "with t.ConfigMap(A='1') as cm, cmreload.watch(cm.path) as config:\n"
        "    cm.update(A='2', wait_for=config)\n"
        "    print(config['A'], cmreload.__file__)\n"
    )
    told = run(
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}",
    )
    assert told.split() == ["2", str(tmp_path / "cmreload" / "__init__.py")]


def test_the_sdist_makes_a_wheel_that_looks_for_an_installed_library(built, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path, filter="data")
    assert not [name for name in names if ".so" in name]
    (folder,) = tmp_path.iterdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, folder)
    (pure,) = tmp_path.glob("*.whl")
    assert pure.name.endswith("-py3-none-any.whl")


def test_a_missing_library_is_an_import_error_that_says_what_to_do():
    program = (
        "import sys\ntry:\n    import cmreload\nexcept ImportError as problem:\n    print(problem)"
    )
    told = run(sys.executable, "-c", program, CMRELOAD_LIBRARY="/nowhere/libcmreload.so.1")
    assert "/nowhere/libcmreload.so.1" in told
    assert "CMRELOAD_LIBRARY" in told


def test_an_import_loads_only_what_finds_the_library():
    program = (
        "import ctypes, dataclasses, datetime, json, logging, sys\n"
        "before = set(sys.modules)\n"
        "import cmreload\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    told = run(sys.executable, "-c", program, CMRELOAD_LIBRARY=str(LIBRARY)).split()
    parts = ["cmreload", "cmreload._declarations", "cmreload._library", "cmreload.errors"]
    assert told == ["__future__", *parts]


def test_every_public_name_is_there():
    assert dir(cmreload) == cmreload.__all__
    for name in cmreload.__all__:
        assert getattr(cmreload, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cmreload.nothing  # noqa: B018


TYPED = """
import cmreload
from cmreload import Config, Event, Snapshot

config = Config("/etc/config")

@config.on_change
def each(event: Event) -> None: ...

@config.on_change("A", manual=True)
def some(event: Event) -> None: ...

@config.on_event
def all(event: Event) -> None: ...

@config.on_event(manual=True)
def later(event: Event) -> None: ...

@config.on_drained
def drained(event: Event) -> None: ...

@config.validator
def whole(candidate: Snapshot) -> None: ...

@config.validator("PORT")
def port(value: str) -> None: ...

all(1)
port(1)
"""


def test_who_checks_types_strictly_may_use_every_decorator(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "-c", TYPED]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    mistakes = re.findall(r":(\d+): error: .*\[(.*)\]", told)
    last = TYPED.count("\n")
    assert mistakes == [(str(last - 1), "arg-type"), (str(last), "arg-type")], told


def test_all_places_say_the_same_version():
    header = (ROOT / "include" / "cmreload.h").read_text()
    version = re.search(r'#define CMR_VERSION "(.*)"', header)[1]
    changelog = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    assert cmreload.__version__ == cmreload.library_version == version == changelog


def test_a_subinterpreter_is_told_why_not():
    pytest.importorskip("_xxsubinterpreters")
    program = "try:\n    import cmreload\nexcept ImportError as problem:\n    print(problem)"
    told = run(
        sys.executable,
        "-c",
        "import _xxsubinterpreters as interpreters\n"
        "made = interpreters.create(isolated=False)\n"
        f"interpreters.run_string(made, {program!r})\n",
        CMRELOAD_LIBRARY=str(LIBRARY),
    )
    assert "subinterpreter" in told
