#!/usr/bin/env python3
"""Measures what the library costs a process that does nothing with it yet: the file's size, loading
it (against an empty C library, in fresh processes), a watcher's memory, wake-ups while nothing
happens, and a thousand watchers against one.
"""

import argparse
import json
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
    ("threads with one watcher", "one_threads", None),
    ("threads with a thousand", "many_threads", None),
    ("descriptors with one watcher", "one_descriptors", None),
    ("descriptors with a thousand", "many_descriptors", None),
    ("resident, KiB a watcher of a thousand", "many_watcher_kib", None),
    ("wake-ups while a thousand are idle", "many_idle_wake_ups", None),
    ("rename to callback, one watcher, µs", "one_latency_us", None),
    ("… with a thousand, another each time, µs", "many_latency_us", None),
    ("… with a thousand, the same as before, µs", "same_latency_us", None),
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
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--wait", type=float, default=60, help="seconds, for an idle machine")
    arguments = parser.parse_args()

    if not machine.wait_until_idle(arguments.wait):
        print(f"footprint: not idle after {arguments.wait} s", file=sys.stderr)
    about = machine.description()
    libraries = {"": arguments.library, "empty ": arguments.programs + "/empty.so"}
    figures = {"size": os.path.getsize(arguments.library)}
    for name, (ns, kib) in load(arguments.programs + "/load", libraries, arguments.loads).items():
        figures[name + "dlopen_us"], figures[name + "load_kib"] = ns / 1000, kib
    place = tempfile.mkdtemp(prefix="cmreload-bench-")
    try:
        output = run(arguments.programs + "/watch", place, str(arguments.idle),
                     str(arguments.watchers), str(arguments.updates))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    figures |= {name: float(value) for name, value in map(str.split, output.strip().split("\n"))}
    figures["resident_kib"] = figures["load_kib"] + figures["watcher_kib"]

    with open(HERE + "/thresholds.json") as file:
        verdicts = report.judge(figures, json.load(file))
    print(report.table(["footprint", "ours", "an empty library"], [
        [title, f"{figures[name]:g}", f"{figures[other]:g}" if other else ""]
        for title, name, other in ROWS]))
    print()
    print(report.verdict_table(verdicts))
    path = report.keep("footprint", dict(machine=about, loads=arguments.loads, idle=arguments.idle,
                                         watchers=arguments.watchers, updates=arguments.updates,
                                         figures=figures, verdicts=verdicts))
    print(f"\nkept in {os.path.relpath(path)}")
    return 0 if all(verdict["met"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
