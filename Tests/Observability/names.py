#!/usr/bin/env python3
"""Sees that rules and dashboards ask for nothing that is not told:

    names.py EXPOSITION FILE…       EXPOSITION: what cmr_metrics wrote, with a watcher of each kind

Every metric in a file must stand in the exposition, with the labels and values of labels that the
file asks for; and the files together must ask for every metric that is told.
"""

import re
import sys

# Added by Prometheus to what it reads.
TARGET_LABELS = {"job", "instance", "pod"}
SERIES = re.compile(r"^(config_\w+)(?:\{(.*)\})? \S+$", re.M)
ASKED = re.compile(r"(config_\w+)(?:\{(.*?)\})?")
# JSON writes \\" for a quote.
LABEL = re.compile(r'(\w+)\s*(=~|=|!=)\\*"((?:[^"\\]|\\[^"])*)\\*"')

exposition = open(sys.argv[1]).read()
told = {}
for name, labels in SERIES.findall(exposition):
    values = told.setdefault(name, {})
    for label, _, value in LABEL.findall(labels):
        values.setdefault(label, set()).add(value)

asked, complaints = set(), []
for path in sys.argv[2:]:
    for name, selector in ASKED.findall(open(path).read()):
        asked.add(name)
        if name not in told:
            complaints.append(f"{path}: no metric {name}")
            continue
        for label, operator, value in LABEL.findall(selector):
            if label in TARGET_LABELS:
                continue
            if label not in told[name] and "watcher" != label:
                complaints.append(f"{path}: {name} has no label {label}")
            elif operator == "=" and label in ("status", "mode") and value not in told[name][label]:
                complaints.append(f"{path}: {name} has no {label} {value}")

families = re.findall(r"^# TYPE (\w+)", exposition, re.M)
for family in families:
    if not any(name == family or name.startswith(family + "_") for name in asked):
        complaints.append(f"nothing asks for {family}")
print("\n".join(complaints) or f"{len(families)} metrics, {len(asked)} names")
sys.exit(1 if complaints or not families or not asked else 0)
