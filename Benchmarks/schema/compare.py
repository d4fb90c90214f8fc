#!/usr/bin/env python3
"""Measures the validation of a mebibyte of JSON beside our own parser, beside the validators of the
Python package index that are made for speed and the one that Debian has for Go, each with what it
validates: fastjsonschema and jsonschema-rs with objects of Python, gojsonschema with Go's, ours
with a parsed document. All take turns, Go in a process of its own; medians of CPU time count.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402

COLUMNS = ["parse", "validate", "fastjsonschema", "jsonschema_rs", "gojsonschema"]


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


class GoPeer:
    """A process that validates the text once, whenever it is called."""

    def __init__(self, program, schema, text):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("schema", "document")]
            for path, content in zip(paths, (json.dumps(schema).encode(), text)):
                with open(path, "wb") as file:
                    file.write(content)
            self.process = subprocess.Popen([program, *paths], text=True, bufsize=1,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self()  # it has read both now

    def __call__(self):
        self.process.stdin.write("\n")
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(opened, rounds, gojsonschema):
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
        # Both know drafts 4, 6 and 7: what these have not they would pass over.
        go = None
        if name != "strict":
            draft7 = json.loads(json.dumps(schema).replace("$defs", "definitions"))
            draft7["$schema"] = "http://json-schema.org/draft-07/schema#"
            runs["fastjsonschema"] = peer(fastjsonschema.compile(draft7), value)
            if gojsonschema:
                go = runs["gojsonschema"] = GoPeer(gojsonschema, draft7, text)
        samples = {column: [] for column in runs}
        for _ in range(rounds):
            for column, run in runs.items():
                samples[column].append(run())
        if go:
            go.end()
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
    parser.add_argument("--gojsonschema", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    arguments = parser.parse_args()

    conditions = machine.Conditions(arguments.wait)
    conditions.begin("schema")
    figures = measure(library(arguments.library), arguments.rounds, arguments.gojsonschema)
    verdicts = report.judge("schema", figures)
    print(markdown(figures) + "\n")
    print(report.verdict_table(verdicts))
    path = report.keep("schema", dict(conditions.kept(), rounds=arguments.rounds,
                                      figures=figures, verdicts=verdicts))
    print(f"schema: kept in {path}", file=sys.stderr)
    return 1 if report.failed(verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
