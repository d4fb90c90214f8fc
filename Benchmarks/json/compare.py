#!/usr/bin/env python3
"""Measures the JSON parser: runs the program `json`, puts each figure beside simdjson's of the same
run and checks the thresholds. "parse" goes into reused memory, as simdjson's does; "make" is all
that a reload does for a changed key: parse, then freeze a document in memory of its own.
"""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402

PARSERS = ["simdjson", "parse", "make"]


def measure(program, rounds):
    output = subprocess.run([program, str(rounds)], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    lines = map(str.split, output.strip().split("\n"))
    return {f"{workload} {parser}": float(value) for workload, parser, value in lines}


def markdown(figures):
    def cell(workload, parser):
        value, base = figures[f"{workload} {parser}"], figures[f"{workload} simdjson"]
        return f"{1000 / value:.0f}" + (f" ({base / value:.2f}×)" if parser != "simdjson" else "")

    workloads = list(dict.fromkeys(name.split()[0] for name in figures))
    rows = [[workload] + [cell(workload, parser) for parser in PARSERS] for workload in workloads]
    return report.table(["MB a second"] + PARSERS, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    if not machine.wait_until_idle(arguments.wait):
        print(f"json: not idle after {arguments.wait} s", file=sys.stderr)
    about = machine.description()
    figures = measure(arguments.program, arguments.rounds)
    with open(HERE + "/thresholds.json") as file:
        verdicts = report.judge(figures, json.load(file))
    print(markdown(figures) + "\n")
    print(report.verdict_table(verdicts))
    path = report.keep("json", dict(machine=about, rounds=arguments.rounds, figures=figures,
                                    verdicts=verdicts))
    print(f"json: kept in {os.path.relpath(path)}", file=sys.stderr)
    return 0 if all(verdict["met"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
