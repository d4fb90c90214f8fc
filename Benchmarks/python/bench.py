#!/usr/bin/env python3
"""Measures the Python client: look-ups beside a dict's, and an import."""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import reads  # noqa: E402
import report  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=400)
    parser.add_argument("--imports", type=int, default=30)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("python")
    figures = reads.lookups(arguments.slices)
    figures["import ms"] = reads.import_milliseconds(arguments.imports)
    print(report.table(["look-up", "ns", "× dict", "ns, 2 threads"], [
        [name, f"{figures[f'{name} ns']:.1f}", f"{figures[f'{name} ns'] / figures['dict ns']:.2f}",
         f"{figures[f'{name} 2 threads ns']:.1f}"]
        for name in ("dict", "snapshot", "config", "config.snapshot")]))
    print(f"\nimport: {figures['import ms']:.2f} ms\n")
    verdicts = report.judge("python", figures)
    print(report.verdict_table(verdicts))
    path = report.keep("python", dict(conditions.kept(), python=sys.version, figures=figures,
                                      verdicts=verdicts))
    print(f"python: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
