#!/usr/bin/env python3
"""Judges what the harness of the peers measured: how much sooner a handler of ours hears of an
update than with a debounce, or as soon as can be without, and that it hears of each one whole, and
once.

    peers.py RESULTS.json ours_py|ours_go
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report  # noqa: E402

DEBOUNCED = {"ours_py": "seed_python", "ours_go": "seed_go"}  # beaten 300 times with a small mount
UNDEBOUNCED = {"ours_py": "py_watchfiles_min", "ours_go": "go_nodebounce"}  # beaten with each


def thresholds(ours, shapes):
    found = [{"figure": f"S {ours} med_us", "of": f"S {DEBOUNCED[ours]} med_us",
              "at_most": 1 / 300}]
    for shape in shapes:
        found.append({"figure": f"{shape} {ours} med_us",
                      "of": f"{shape} {UNDEBOUNCED[ours]} med_us", "at_most": 1})
        found += [{"figure": f"{shape} {ours} {fault}", "at_most": 0}
                  for fault in ("missed", "torn", "partial", "dup", "stale")]
    return found


def main():
    path, ours = sys.argv[1:]
    with open(path) as file:
        rows = json.load(file)["rows"]
    figures = {f"{row['shape']} {row['peer']} {name}": row[name] for row in rows
               for name in ("med_us", "missed", "torn", "partial", "dup", "stale")}
    verdicts = report.judge(figures, thresholds(ours, sorted({row["shape"] for row in rows})))
    for verdict in verdicts:
        if verdict["value"] and "of" in verdict:
            print(f"{verdict['figure'].split()[0]}: {1 / verdict['value']:.1f} times as fast as"
                  f" {verdict['of'].split()[1]}")
    missed = [verdict for verdict in verdicts if not verdict["met"]]
    for verdict in missed:
        print(f"MISSED: {verdict['figure']}", *(["of", verdict["of"]] if "of" in verdict else []))
    print(f"{len(verdicts) - len(missed)} of {len(verdicts)} thresholds are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
