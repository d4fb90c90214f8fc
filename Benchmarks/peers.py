#!/usr/bin/env python3
"""Judges what the harness of the peers measured: how much sooner a handler hears of a small update
than with watchdog and its debounce, or with watchfiles at its shortest steps.

    peers.py RESULTS.json
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import report  # noqa: E402

THRESHOLDS = [
    {"figure": "ours_py med_us", "of": "seed_python med_us", "at_most": 1 / 300},
    {"figure": "ours_py med_us", "of": "py_watchfiles_min med_us", "at_most": 1},
    {"figure": "ours_py torn", "at_most": 0},
    {"figure": "ours_py dup", "at_most": 0},
    {"figure": "ours_py missed", "at_most": 0},
]

with open(sys.argv[1]) as file:
    rows = json.load(file)["rows"]
figures = {f"{row['peer']} {name}": row[name] for row in rows
           for name in ("med_us", "torn", "dup", "missed")}
verdicts = report.judge(figures, THRESHOLDS)
for verdict in verdicts:
    if "of" in verdict:
        print(f"{figures[verdict['of']] / figures[verdict['figure']]:.0f} times as fast as"
              f" {verdict['of'].split()[0]}")
print(report.table(["threshold", "met"], [
    [verdict["figure"] + (f" ÷ {verdict['of']}" if "of" in verdict else ""),
     "met" if verdict["met"] else "MISSED"] for verdict in verdicts]))
sys.exit(0 if all(verdict["met"] for verdict in verdicts) else 1)
