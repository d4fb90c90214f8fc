#!/usr/bin/env python3
"""Measures what the library costs a process that does nothing with it yet: the file's size, loading
it (against an empty C library, in fresh processes), a watcher's memory, wake-ups while nothing
happens; and what one watcher costs where there are ten thousand, beside a process that has one.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402

ROWS = [
    ("size, bytes", "size", None),
    ("dlopen, µs", "dlopen_us", "empty dlopen_us"),
    ("resident after dlopen, KiB", "load_kib", "empty load_kib"),
    ("resident after the first watcher, KiB", "watcher_kib", None),
    ("both together, KiB", "resident_kib", None),
    ("wake-ups while idle, no rescan due", "idle_wake_ups", None),
    ("rescans in the same time, one a second", "rescans", None),
    ("wake-ups with them", "rescan_wake_ups", None),
]
MANY = [
    ("ms until all are started", "started_ms"),
    ("KiB each", "watcher_kib"),
    ("threads", "threads"),
    ("descriptors", "descriptors"),
    ("wake-ups while idle", "idle_wake_ups"),
    ("µs to callback, in a process with one watcher", "single latency_us"),
    ("… the same of so many each time", "same latency_us"),
    ("… another of them each time", "another latency_us"),
    ("µs CPU of an update, in a process with one watcher", "single cpu_us"),
    ("… the same of so many each time", "same cpu_us"),
    ("… another of them each time", "another cpu_us"),
]


def run(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def load(program, libraries, times):
    """Medians of time and memory, the libraries in turn, so that all meet the same machine."""
    samples = {name: [] for name in libraries}
    for _ in range(times):
        for name, path in libraries.items():
            samples[name].append(list(map(int, run(program, path).split())))
    return {name: [statistics.median(column) for column in zip(*each)]
            for name, each in samples.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--loads", type=int, default=301)
    parser.add_argument("--idle", type=int, default=5, help="seconds without anything to do")
    parser.add_argument("--watchers", default="1,10,100,1000,10000",
                        type=lambda text: list(map(int, text.split(","))))
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--wait", type=float, default=60, help="seconds, for an idle machine")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("footprint")
    libraries = {"": arguments.library, "empty ": arguments.programs + "/empty.so"}
    figures = {"size": os.path.getsize(arguments.library)}
    for name, (ns, kib) in load(arguments.programs + "/load", libraries, arguments.loads).items():
        figures[name + "dlopen_us"], figures[name + "load_kib"] = ns / 1000, kib
    place = tempfile.mkdtemp(prefix="cmreload-bench-")
    try:
        output = run(arguments.programs + "/watch", place, str(arguments.idle),
                     str(arguments.updates), *map(str, arguments.watchers))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    figures |= {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in output.strip().split("\n"))}
    figures["resident_kib"] = figures["load_kib"] + figures["watcher_kib"]

    verdicts = report.judge("footprint", figures)
    print(report.table(["footprint", "ours", "an empty library"], [
        [title, f"{figures[name]:g}", f"{figures[other]:g}" if other else ""]
        for title, name, other in ROWS]) + "\n")
    print(report.table(["watchers"] + [f"{count:,}" for count in arguments.watchers], [
        [title] + [f"{figures.get(f'{count} {name}', 0):g}" for count in arguments.watchers]
        for title, name in MANY]) + "\n")
    print(report.verdict_table(verdicts))
    path = report.keep("footprint", dict(conditions.kept(), loads=arguments.loads,
                                         idle=arguments.idle, watchers=arguments.watchers,
                                         updates=arguments.updates,
                                         figures=figures, verdicts=verdicts))
    print(f"footprint: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
