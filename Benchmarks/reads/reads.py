#!/usr/bin/env python3
"""Measures reads: runs the program `reads` on a mount of its own, puts each figure beside its floor
and checks the thresholds. "slowed" is how much dearer a read got while reloads ran.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402

FLOORS = {
    "version_word": "floor_load",
    "cell": "floor_load",
    "reader_current": "floor_call",
    "int64": "floor_number",
    "string": "floor_text",
    "string_rotating": "floor_rotating",
    "acquire_release": "floor_add_sub",
}
SETTINGS = ["idle 1", "idle 2", "storm 1", "storm 2"]


def measure(program, slices):
    mount = tempfile.mkdtemp(prefix="cmreload-bench-")
    try:
        output = subprocess.run([program, mount, str(slices)], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
    finally:
        shutil.rmtree(mount, ignore_errors=True)
    figures = {}
    for words in map(str.split, output.strip().split("\n")):
        if words[0] == "reloads":
            figures["reloads"] = int(words[1])
            figures["no reload during the storm"] = int(words[1] == "0")
        else:
            figures[" ".join(words[:3])] = float(words[3])
    for threads in ("1", "2"):
        for name in list(FLOORS) + list(FLOORS.values()):
            figures[f"slowed {threads} {name}"] = \
                figures[f"storm {threads} {name}"] / figures[f"idle {threads} {name}"]
    return figures


def markdown(figures):
    def cell(setting, name):
        value = figures[f"{setting} {name}"]
        if name not in FLOORS:
            return f"{value:.2f}"
        return f"{value:.2f} ({value / figures[f'{setting} {FLOORS[name]}']:.2f}×)"

    names = sorted(set(FLOORS.values())) + list(FLOORS)
    header = ["ns a read"] + [f"{setting.replace(' ', ', ')} thread" + "s" * setting.endswith("2")
                              for setting in SETTINGS]
    rows = [[name + (f" (× {FLOORS[name]})" if name in FLOORS else "")]
            + [cell(setting, name) for setting in SETTINGS] for name in names]
    return report.table(header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--slices", type=int, default=400, help="of a millisecond, of each kind")
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("reads")
    figures = measure(arguments.program, arguments.slices)
    verdicts = report.judge("reads", figures)
    print(markdown(figures))
    print(f"\n{figures['reloads']} reloads during the storm\n")
    print(report.verdict_table(verdicts))
    path = report.keep("reads", dict(conditions.kept(), slices=arguments.slices, figures=figures,
                                     verdicts=verdicts))
    print(f"reads: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
