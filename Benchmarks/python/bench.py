#!/usr/bin/env python3
"""Measures the Python client: look-ups beside a dict's, an import, and the way from the rename of
`..data` to a handler beside that of a callback in C.
"""

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "reload")]

import machine  # noqa: E402
import reads  # noqa: E402
import reload  # noqa: E402
import report  # noqa: E402

ALLOWANCE_US = 100  # for making a small mount native


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where writer and ours lie")
    parser.add_argument("--slices", type=int, default=400)
    parser.add_argument("--imports", type=int, default=30)
    parser.add_argument("--shapes", default="small,medium,large",
                        type=lambda text: text.split(","))
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--interval", type=float, default=250, help="ms between updates")
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    parser.add_argument("--noise", type=float, default=0.06)
    parser.add_argument("--retries", type=int, default=2)
    parser.set_defaults(hammer=0, base=None)
    arguments = parser.parse_args()

    if not machine.wait_until_idle(arguments.wait):
        print(f"python: not idle after {arguments.wait} s", file=sys.stderr)
    about = machine.description()
    figures = {f"{name} ns": value for name, value in reads.lookups(arguments.slices).items()}
    figures["import ms"] = reads.import_milliseconds(arguments.imports)
    print(report.table(["look-up", "ns", "× dict"], [
        [name, f"{figures[f'{name} ns']:.1f}", f"{figures[f'{name} ns'] / figures['dict ns']:.2f}"]
        for name in ("dict", "snapshot", "config", "config.snapshot")]))
    print(f"\nimport: {figures['import ms']:.2f} ms\n")

    peers = {"ours": [f"{arguments.programs}/ours", "{DIR}"],
             "python": [sys.executable, f"{HERE}/follow.py", "{DIR}"]}
    rows = reload.measure(peers, arguments)
    print(reload.markdown(rows))
    figures.update(reload.flat(rows))
    for shape in arguments.shapes:
        if figures[f"{shape} python latency_us"] is not None:
            figures[f"{shape} python beyond allowance_us"] = \
                figures[f"{shape} python latency_us"] - ALLOWANCE_US

    with open(HERE + "/thresholds.json") as file:
        verdicts = report.judge(figures, json.load(file))
    print("\n" + report.verdict_table(verdicts))
    path = report.keep("python", dict(machine=about, python=sys.version, figures=figures,
                                      verdicts=verdicts))
    print(f"python: kept in {os.path.relpath(path)}", file=sys.stderr)
    return 0 if all(verdict["met"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
