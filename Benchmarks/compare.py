#!/usr/bin/env python3
"""Measures a parser: `compare.py json simdjson --program …` runs the program, puts each figure
beside simdjson's of the same run and checks the thresholds of the part `json`. "parse" goes into
reused memory; "make" is all that a reload does for a changed key: parse, then freeze a document in
memory of its own.
"""

import argparse
import subprocess
import sys

import machine
import report


def measure(program, rounds):
    output = subprocess.run([program, str(rounds)], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    lines = map(str.split, output.strip().split("\n"))
    return {f"{workload} {parser}": float(value) for workload, parser, value in lines}


def markdown(figures, floor):
    parsers = [floor, "parse", "make"]

    def cell(workload, parser):
        value, base = figures[f"{workload} {parser}"], figures[f"{workload} {floor}"]
        return f"{1000 / value:.0f}" + (f" ({base / value:.2f}×)" if parser != floor else "")

    workloads = list(dict.fromkeys(name.split()[0] for name in figures))
    rows = [[workload] + [cell(workload, parser) for parser in parsers] for workload in workloads]
    return report.table(["MB a second"] + parsers, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", help="whose thresholds are checked")
    parser.add_argument("floor", help="what the program calls the other parser")
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin(arguments.part)
    figures = measure(arguments.program, arguments.rounds)
    verdicts = report.judge(arguments.part, figures)
    print(markdown(figures, arguments.floor) + "\n")
    print(report.verdict_table(verdicts))
    path = report.keep(arguments.part, dict(conditions.kept(), rounds=arguments.rounds,
                                            figures=figures, verdicts=verdicts))
    print(f"{arguments.part}: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
