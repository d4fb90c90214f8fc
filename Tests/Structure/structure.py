#!/usr/bin/env -S python3 -B
"""Runs every rule of rules.py twice: on the project, where it must be content, and on the project
with one offending file more, where it must complain about that file."""

import pathlib
import sys

from rules import RULES, Tree

tree = Tree.of(pathlib.Path(__file__).resolve().parents[2])
passed = failed = 0


def report(sentence, good, details=()):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    print(f"{'ok     ' if good else 'FAILED '} {sentence}")
    for detail in details:
        print(f"        {detail}")


for sentence, complaints, broken in RULES:
    found = list(complaints(tree))
    report(sentence, not found, found)
    offender = next(iter(broken))
    complained = complaints(tree.with_files(broken))
    noticed = any(complaint.startswith(offender) for complaint in complained)
    report(f"and where not, it is noticed: {sentence}", noticed)

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
