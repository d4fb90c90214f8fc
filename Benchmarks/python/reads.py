"""Look-ups beside those of a plain dict, in nanoseconds, and what an import adds, in milliseconds.

Ours and the dict's take turns, in slices; the median of the slices counts.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from time import perf_counter_ns

import cmreload
from cmreload.testing import ConfigMap

LOOKUPS = 20_000  # a slice: about half a millisecond
BASELINE = "ctypes, logging, dataclasses, json, datetime"

# The loop is compiled for each expression, so that each has instructions of its own to specialise.
LOOP = """
def loop(it, turns, clock):
    begin = clock()
    for _ in turns:
        {expression}
    return clock() - begin
"""


def compiled(expression):
    scope = {}
    exec(LOOP.format(expression=expression), scope)
    return scope["loop"]


def lookups(slices):
    """Nanoseconds of one look-up, loop included, by name."""
    with ConfigMap({f"KEY_{number}": str(number) for number in range(20)}) as mounted:
        with cmreload.watch(mounted.path) as config:
            subjects = {
                "dict": (dict(config.snapshot), 'it["KEY_7"]'),
                "snapshot": (config.snapshot, 'it["KEY_7"]'),
                "config": (config, 'it["KEY_7"]'),
                "config.snapshot": (config, 'it.snapshot["KEY_7"]'),
            }
            loops = {name: compiled(text) for name, (_, text) in subjects.items()}
            found = {name: [] for name in subjects}
            turns = range(LOOKUPS)
            for _ in range(slices + 2):
                for name, (it, _) in subjects.items():
                    found[name].append(loops[name](it, turns, perf_counter_ns) / LOOKUPS)
    return {name: statistics.median(each[2:]) for name, each in found.items()}


def import_milliseconds(times):
    """What importing cmreload adds to a process that has the modules that it needs."""
    program = (
        f"import {BASELINE}\nfrom time import perf_counter as clock\n"
        "begin = clock()\nimport cmreload\nprint(clock() - begin)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        taken = [
            float(subprocess.run([sys.executable, "-c", program], check=True, text=True,
                                 stdout=subprocess.PIPE, env=environment).stdout) * 1000
            for _ in range(times + 1)
        ]
    return statistics.median(taken[1:])  # the first one compiles
