"""Look-ups beside those of a plain dict, in nanoseconds, and what an import adds, in milliseconds.

Ours and the dict's take turns, in slices; the median of the slices counts. Where two threads read at
once it is what each of them waits for a look-up: they share one interpreter lock.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from time import perf_counter_ns

import cmreload
from cmreload.testing import ConfigMap

LOOKUPS = 20_000  # a slice: about half a millisecond
SHARED = 20  # times as many where threads share the lock: longer than one keeps it
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


def at_once(loop, it, turns, threads):
    """How long threads take for so many turns each."""
    gate = threading.Barrier(threads + 1)

    def work():
        gate.wait()
        loop(it, turns, perf_counter_ns)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    begin = perf_counter_ns()
    for worker in workers:
        worker.join()
    return perf_counter_ns() - begin


def lookups(slices):
    """Nanoseconds of one look-up, loop included, by name, on one thread and on two."""
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
            shared = {name: [] for name in subjects}
            turns, many = range(LOOKUPS), range(LOOKUPS * SHARED)
            for index in range(slices + 2):
                for name, (it, _) in subjects.items():
                    found[name].append(loops[name](it, turns, perf_counter_ns) / LOOKUPS)
                    if index % SHARED == 0:
                        shared[name].append(at_once(loops[name], it, many, 2) / len(many))
    figures = {f"{name} ns": statistics.median(each[2:]) for name, each in found.items()}
    figures |= {f"{name} 2 threads ns": statistics.median(each) for name, each in shared.items()}
    return figures


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
