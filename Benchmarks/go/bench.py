#!/usr/bin/env python3
"""Measures reads of the Go client beside those of a map and of a pointer, on one thread and on two."""

import argparse
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402

FIGURE = re.compile(r"^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs")
FLOORS = {"String": "StringFloor", "Load": "LoadFloor"}
TURN = 20  # reads, of those that several threads do
ARGUMENTS = ["-test.run=^$", "-test.bench=^Benchmark(String|Load)", "-test.benchtime=200ms",
             "-test.cpu=2"]


def reads(program, turns):
    """Nanoseconds of each, the median of rounds that take turns, and the most allocations. Go says
    what a turn takes while two threads take turns: each of them waits twice as long."""
    taken, allocations = {}, {}
    for _ in range(turns):
        output = subprocess.run([program, *ARGUMENTS], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        for name, value, count in (match.groups() for match in map(FIGURE.match, output.split("\n"))
                                   if match):
            shared = name.endswith("Shared")
            figure = f"{name.removesuffix('Shared')}{' 2 threads' * shared} ns"
            taken.setdefault(figure, []).append(float(value) * (2 / TURN if shared else 1))
            allocations[name] = max(allocations.get(name, 0), int(count))
    return ({name: statistics.median(values) for name, values in taken.items()},
            sum(allocations[name] for name in FLOORS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the package's benchmarks")
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("go")
    figures, allocations = reads(arguments.program, arguments.turns)
    print(report.table(["read", "ns", "floor, ns", "× floor", "ns, 2 threads", "floor, ns"], [
        [name, f"{figures[f'{name} ns']:.2f}", f"{figures[f'{floor} ns']:.2f}",
         f"{figures[f'{name} ns'] / figures[f'{floor} ns']:.2f}",
         f"{figures[f'{name} 2 threads ns']:.2f}", f"{figures[f'{floor} 2 threads ns']:.2f}"]
        for name, floor in FLOORS.items()]) + "\n")
    figures["allocations"] = allocations
    verdicts = report.judge("go", figures)
    print(report.verdict_table(verdicts))
    path = report.keep("go", dict(conditions.kept(), figures=figures, verdicts=verdicts))
    print(f"go: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
