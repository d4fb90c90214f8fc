#!/usr/bin/env python3
"""Measures what an update costs by the number of keys, of 100 bytes each, and by the size of one
value: rename to callback and CPU time, ours in C beside the floor. Every key changes each time.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "reload")]

import machine  # noqa: E402
import reload  # noqa: E402
import report  # noqa: E402

KEYS = [1, 10, 100, 1000, 10000]
BYTES = [1, 1 << 10, 1 << 15, 1 << 18, 1 << 20, 1 << 22]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    reload.options(parser)
    parser.set_defaults(updates=8, rounds=1)
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    shapes = [f"keys={count}" for count in KEYS] + [f"bytes={size}" for size in BYTES]
    readers = {name: [f"{arguments.programs}/{name}", "{DIR}"] for name in ("floor_c", "ours")}
    # One byte tells nine generations apart, and a writer begins with the first.
    rows = reload.measure(readers, arguments, conditions, shapes, cold=["bytes=1"])
    print(reload.markdown(rows))
    verdicts = report.judge("contents", reload.flat(rows))
    path = report.keep("contents", dict(conditions.kept(), updates=arguments.updates,
                                        verdicts=verdicts, rows=reload.listed(rows)))
    print(f"contents: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
