#!/usr/bin/env -S python3 -B
"""Makes each of the bugs of mutations.toml in a copy of the tree, builds it, and requires of the test
that is named with it to fail there, and to pass on the copy as it is: run.py [WORD…], of all bugs or
of those whose text has one of the words.

A test that passes whatever the code does proves nothing; this one asks twenty times.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tomllib

root = pathlib.Path(__file__).resolve().parents[2]
work = root / "build/mutations"
tree = work / "tree"
TEST_SECONDS = 300  # a bug may well be a hang
BUILD_SECONDS = 1200


def run(command: list[str], seconds: float, **more: object) -> tuple[bool, str]:
    """Whether it succeeded in time, and what it said."""
    try:
        ended = subprocess.run(command, cwd=tree, timeout=seconds, text=True, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    except subprocess.TimeoutExpired as late:
        return False, f"{late.stdout or ''}\nran out of time"
    return ended.returncode == 0, ended.stdout


def copy() -> None:
    """Brings the copy up to date; what did not change keeps its time, and is not built again."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not (root / name).is_file():
            continue
        there = tree / name
        content = (root / name).read_bytes()
        if not there.exists() or there.read_bytes() != content:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, there)


class Test:
    """One of Tests/ABITests, FILE: NAME, against the normal build's library."""

    def __init__(self, told: str) -> None:
        file, self.name = told.split(": ", 1)
        self.program = file.removesuffix(".c")

    def build(self) -> tuple[bool, str]:
        return run(["swift", "build", "-q", "--product", "cmreload"], BUILD_SECONDS)

    def run(self) -> tuple[bool, str]:
        prefix = work / "prefix"
        (prefix / "lib").mkdir(parents=True, exist_ok=True)
        for link, target in (("include", tree / "include"),
                             ("lib/libcmreload.so", tree / ".build/debug/libcmreload.so"),
                             ("lib/libcmreload.so.1", tree / ".build/debug/libcmreload.so")):
            (prefix / link).unlink(missing_ok=True)
            (prefix / link).symlink_to(target)
        program = work / self.program
        done, said = run(
            ["cc", "-std=gnu11", "-g", "-O1", f"-I{prefix}/include", "-o", str(program),
             f"Tests/ABITests/{self.program}.c", "Tests/ABITests/abitest.c", f"-L{prefix}/lib",
             f"-Wl,-z,now,-rpath,{prefix}/lib", "-lcmreload", "-pthread", "-ldl", "-lm"],
            TEST_SECONDS)
        if not done:
            sys.exit(said)
        passes, said = run([str(program), self.name], TEST_SECONDS)
        return passes and said.rstrip().endswith(f"1 passed, 0 failed ({self.program})"), said


def judge(mutation: dict[str, str]) -> str:
    """What is wrong, or nothing."""
    test = Test(mutation["test"])
    built, said = test.build()
    if not built:
        return f"does not build: {said[-2000:]}"
    return "" if not test.run()[0] else f"is not noticed by {mutation['test']}"


def main() -> None:
    mutations = tomllib.loads((root / "Tests/Mutations/mutations.toml").read_text())["mutation"]
    mutations = [each for each in mutations
                 if len(sys.argv) == 1 or any(word in each["bug"] for word in sys.argv[1:])]
    copy()
    passed = failed = 0
    for each in mutations:
        test = Test(each["test"])
        built, said = test.build()
        if not built:
            sys.exit(f"the copy does not build: {said}\n0 passed, 1 failed")
        passes, said = test.run()
        if not passes:
            print(f"FAILED  without a bug, {each['test']}\n{said[-2000:]}")
            failed += 1
    for each in mutations:
        file = tree / each["file"]
        good = file.read_text()
        assert good.count(each["old"]) == 1, f"{each['file']} does not have once: {each['old']}"
        file.write_text(good.replace(each["old"], each["new"]))
        try:
            wrong = judge(each)
        finally:
            file.write_text(good)
        print(f"{'FAILED ' if wrong else 'ok     '} {each['bug']} {wrong}", flush=True)
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
