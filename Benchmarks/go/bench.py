#!/usr/bin/env python3
"""Measures the Go client: reads beside those of a map and of a pointer, and the way from the rename
of `..data` to a callback beside that of a callback in C.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "reload")]

import machine  # noqa: E402
import reload  # noqa: E402
import report  # noqa: E402

ALLOWANCE_US = 50  # for making a small mount native, and for waking a goroutine
FIGURE = re.compile(r"^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs")
FLOORS = {"String": "StringFloor", "Load": "LoadFloor"}


def reads(program, rounds):
    """Nanoseconds of each, the median of rounds that take turns, and the most allocations."""
    nanoseconds, allocations = {}, {}
    for _ in range(rounds):
        output = subprocess.run(
            [program, "-test.run=^$", "-test.bench=^Benchmark(String|Load)", "-test.benchtime=200ms"],
            check=True, text=True, stdout=subprocess.PIPE).stdout
        for name, value, count in (match.groups() for match in map(FIGURE.match, output.split("\n"))
                                   if match):
            nanoseconds.setdefault(name, []).append(float(value))
            allocations[name] = max(allocations.get(name, 0), int(count))
    return {name: statistics.median(values) for name, values in nanoseconds.items()}, allocations


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where all that is measured lies")
    parser.add_argument("--turns", type=int, default=11, help="of the reads")
    parser.add_argument("--shapes", default="small,medium,large",
                        type=lambda text: text.split(","))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=CMD",
                        help="another reader; {DIR} in CMD is the mount, or it is appended")
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--interval", type=float, default=250, help="ms between updates")
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    parser.add_argument("--noise", type=float, default=0.06)
    parser.add_argument("--retries", type=int, default=2)
    parser.set_defaults(hammer=0, base=None)
    arguments = parser.parse_args()

    if not machine.wait_until_idle(arguments.wait):
        print(f"go: not idle after {arguments.wait} s", file=sys.stderr)
    about = machine.description()
    nanoseconds, allocations = reads(f"{arguments.programs}/go_reads", arguments.turns)
    figures = {f"{name} ns": value for name, value in nanoseconds.items()}
    figures["allocations"] = sum(allocations[name] for name in FLOORS)
    print(report.table(["read", "ns", "floor, ns", "× floor"], [
        [name, f"{nanoseconds[name]:.2f}", f"{nanoseconds[floor]:.2f}",
         f"{nanoseconds[name] / nanoseconds[floor]:.2f}"] for name, floor in FLOORS.items()]) + "\n")

    peers = {name: [f"{arguments.programs}/{program}", "{DIR}"]
             for name, program in (("ours", "ours"), ("go", "go_follow"))}
    for extra in arguments.peer:
        name, _, command = extra.partition("=")
        peers[name] = (command if "{DIR}" in command else command + " {DIR}").split()
    rows = reload.measure(peers, arguments)
    print(reload.markdown(rows))
    figures.update(reload.flat(rows))
    for shape in arguments.shapes:
        if figures[f"{shape} go latency_us"] is not None:
            figures[f"{shape} go beyond allowance_us"] = \
                figures[f"{shape} go latency_us"] - ALLOWANCE_US

    with open(HERE + "/thresholds.json") as file:
        verdicts = report.judge(figures, json.load(file))
    print("\n" + report.verdict_table(verdicts))
    path = report.keep("go", dict(machine=about, figures=figures, verdicts=verdicts))
    print(f"go: kept in {os.path.relpath(path)}", file=sys.stderr)
    return 0 if all(verdict["met"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
