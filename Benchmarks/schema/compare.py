#!/usr/bin/env python3
"""Measures the validation of a mebibyte of JSON beside our own parser, and beside the validators
of the Python package index that are made for speed, each with what it validates: fastjsonschema
and jsonschema-rs with objects of Python, ours with a parsed document. All take turns in one
process; medians of CPU time count.
"""

import argparse
import ctypes
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402

COLUMNS = ["parse", "validate", "fastjsonschema", "jsonschema_rs"]


def library(path):
    opened = ctypes.CDLL(path)
    opened.schema_open.restype = ctypes.c_void_p
    opened.schema_open.argtypes = [ctypes.c_char_p, ctypes.c_long] * 2
    for name in ("schema_parse", "schema_validate"):
        getattr(opened, name).restype = ctypes.c_double
        getattr(opened, name).argtypes = [ctypes.c_void_p, ctypes.c_int]
    opened.schema_violations.restype = ctypes.c_long
    opened.schema_violations.argtypes = [ctypes.c_void_p]
    return opened


def ours(opened, schema, text):
    """How to parse the text and how to validate it, once, in nanoseconds."""
    schema = json.dumps(schema).encode()
    bench = opened.schema_open(schema, len(schema), text, len(text))
    if not bench or opened.schema_violations(bench) != 0:
        sys.exit("schema: the text is not valid, so that nothing of worth would be measured")
    return (lambda: opened.schema_parse(bench, 3)), (lambda: opened.schema_validate(bench, 3))


def peer(validate, value):
    def measure():
        start = time.thread_time_ns()
        validate(value)
        return time.thread_time_ns() - start

    return measure


def measure(opened, rounds):
    import fastjsonschema
    import jsonschema_rs

    figures = {}
    for name, (schema, value) in workloads.all_workloads().items():
        text = json.dumps(value, separators=(",", ":")).encode()
        parse, validate = ours(opened, schema, text)
        validator = jsonschema_rs.Draft202012Validator(schema)
        if not validator.is_valid(value):
            sys.exit(f"schema: {name} is not valid for jsonschema-rs")
        runs = {"parse": parse, "validate": validate,
                "jsonschema_rs": peer(validator.is_valid, value)}
        # It knows drafts 4, 6 and 7: what these have not it would pass over.
        if name != "strict":
            draft7 = json.loads(json.dumps(schema).replace("$defs", "definitions"))
            draft7["$schema"] = "http://json-schema.org/draft-07/schema#"
            runs["fastjsonschema"] = peer(fastjsonschema.compile(draft7), value)
        samples = {column: [] for column in runs}
        for _ in range(rounds):
            for column, run in runs.items():
                samples[column].append(run())
        for column, values in samples.items():
            figures[f"{name} {column}"] = statistics.median(values) / len(text)
    return figures


def markdown(figures):
    def cell(workload, column):
        value = figures.get(f"{workload} {column}")
        if value is None:
            return "–"
        base = figures[f"{workload} parse"]
        return f"{value:.2f}" + (f" ({value / base:.2f}×)" if column != "parse" else "")

    names = list(dict.fromkeys(name.split()[0] for name in figures))
    rows = [[name] + [cell(name, column) for column in COLUMNS] for name in names]
    return report.table(["nanoseconds a byte"] + COLUMNS, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("schema")
    figures = measure(library(arguments.library), arguments.rounds)
    verdicts = report.judge("schema", figures)
    print(markdown(figures) + "\n")
    print(report.verdict_table(verdicts))
    path = report.keep("schema", dict(conditions.kept(), rounds=arguments.rounds,
                                      figures=figures, verdicts=verdicts))
    print(f"schema: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
