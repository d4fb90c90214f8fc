#!/usr/bin/env -S python3 -B
"""A soak: hundreds of mounts are written while three processes, in C, Python and Go, each follow all
of them; one observer, this one, looks on and judges.

    soak.py PROGRAMS MINUTES [--mounts N] [--faults]

PROGRAMS is the folder of what run.sh built; what was observed is left there, as samples.csv, which
plot.py draws. With --faults everything goes wrong, and not to notice is what fails.
"""

from __future__ import annotations

import argparse
import csv
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import judge
from board import EVENTS, HEAP, HELD_SNAPSHOTS, HOSTS, LEAVE, OBJECTS, READY, STOP_WRITING, Board

SAMPLE_SECONDS = 0.5
PATIENCE_MS = 60_000  # a host that has not heard by then never will
SHORT_PATIENCE_MS = 2_000  # where it is known that it will not
START_SECONDS = LEAVE_SECONDS = 300

here = pathlib.Path(__file__).resolve().parent


class Process:
    """A writer or a host; what it prints goes to a file."""

    def __init__(self, name: str, command: list[str], log: pathlib.Path) -> None:
        self.name, self.log = name, log
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log.open("w"), stderr=subprocess.STDOUT)

    def lines(self, word: str) -> list[str]:
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if line.startswith(word)]

    def sample(self) -> dict[str, int]:
        """What the kernel says that the process holds."""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        resident = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return {
            "resident": resident,
            "threads": len(os.listdir(folder / "task")),
            "descriptors": len(os.listdir(folder / "fd")),
        }


class Soak:
    def __init__(self, programs: pathlib.Path, mounts: int, faults: str) -> None:
        self.room = pathlib.Path(tempfile.mkdtemp(
            prefix="cmreload-soak-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        for mount in range(mounts):
            (self.room / str(mount)).mkdir()
        self.board = Board(self.room / "board", mounts)
        self.programs, self.mounts, self.faults = programs, mounts, faults
        self.samples: list[dict[str, float]] = []
        self.processes: list[Process] = []

    def begin(self) -> None:
        """Starts the writer, and the hosts once there is something to follow."""
        programs, mounts, faults = self.programs, self.mounts, self.faults
        common = [str(self.room), str(self.room / "board")]
        patience = SHORT_PATIENCE_MS if faults else PATIENCE_MS
        self.writer = Process(
            "writer", [str(programs / "writer"), *common, str(mounts), str(patience), faults],
            programs / "writer.log")
        self.processes.append(self.writer)
        self.wait(lambda: self.writer.lines("ready"), START_SECONDS, "the mounts are not written")
        commands = [[str(programs / "host")], [sys.executable, "-B", str(here / "host.py")],
                    [str(programs / "go-host")]]
        self.hosts = [
            Process(name, [*command, *common, str(number), str(mounts), faults],
                    programs / f"{name}.log")
            for number, (name, command) in enumerate(zip(HOSTS, commands))
        ]
        self.processes += self.hosts
        self.wait(lambda: all(self.board.host(host)[READY] for host in range(len(HOSTS))),
                  START_SECONDS, "not all hosts have started")

    def wait(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Waits for what must come. A process that is gone is none to wait for."""
        rounds = seconds / 0.01
        while not holds():
            rounds -= 1
            gone = [each.name for each in self.processes if each.process.poll()]
            if gone or rounds < 0:
                for each in self.processes:
                    print("".join(f"{each.name}: {line}\n" for line in
                                  each.log.read_text(errors="replace").splitlines()[-20:]), end="")
                sys.exit(f"{otherwise}; gone: {gone}\n0 passed, 1 failed")
            time.sleep(0.01)

    def run(self, minutes: float) -> None:
        self.writer.process.stdin.write(b"\n")
        self.writer.process.stdin.flush()
        # Counted in samples: while the machine stands still no time passes.
        for sample in range(1, int(minutes * 60 / SAMPLE_SECONDS) + 1):
            time.sleep(SAMPLE_SECONDS)
            self.observe(sample * SAMPLE_SECONDS)
        self.board.words[STOP_WRITING] = 1
        # Hosts that hear of nothing are given up by the writer, not here.
        self.wait(lambda: self.writer.process.poll() is not None, 10 * PATIENCE_MS / 1000,
                  "the writer does not end")
        self.board.words[LEAVE] = 1
        self.wait(lambda: all(host.process.poll() is not None for host in self.hosts),
                  LEAVE_SECONDS, "a host does not end")

    def observe(self, seconds: float) -> None:
        for number, host in enumerate(self.hosts):
            words = self.board.host(number)
            if host.process.poll() is not None:
                continue
            self.samples.append({
                "host": HOSTS[number], "seconds": seconds, **host.sample(),
                "events": words[EVENTS], "heap": words[HEAP], "objects": words[OBJECTS],
                "held": words[HELD_SNAPSHOTS],
            })

    def save(self) -> None:
        with (self.programs / "samples.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, self.samples[0].keys())
            table.writeheader()
            table.writerows(self.samples)

    def end(self) -> None:
        for each in self.processes:
            each.process.kill()
            each.process.wait()
        shutil.rmtree(self.room)


# What must be noticed of the faults.
NOTICED = {
    "torn": "failed: torn",
    "lost": "failed: lost",
    "leak": "C: heap does not grow",
    "threads": "Python: threads does not grow",
    "descriptors": "Go: descriptors does not grow",
}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("programs", type=pathlib.Path)
    arguments.add_argument("minutes", type=float)
    arguments.add_argument("--mounts", type=int, default=300)
    arguments.add_argument("--faults", action="store_true")
    given = arguments.parse_args()
    soak = Soak(given.programs, given.mounts, " ".join(NOTICED) if given.faults else "")
    try:
        soak.begin()
        soak.run(given.minutes)
    finally:
        soak.end()
    soak.save()
    verdict = judge.judge(soak)
    passed, failed = verdict.passed, len(verdict.complaints)
    if given.faults:
        noticed = {fault: any(each.startswith(sign) for each in verdict.complaints)
                   for fault, sign in NOTICED.items()}
        for fault, is_noticed in noticed.items():
            print(f"{'ok     ' if is_noticed else 'FAILED '} {fault} is noticed")
        passed, failed = sum(noticed.values()), len(noticed) - sum(noticed.values())
    else:
        for each in verdict.complaints:
            print(each if each.startswith("failed:") else f"failed: {each}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
