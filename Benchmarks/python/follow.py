#!/usr/bin/env python3
"""What a handler in Python sees of a mount: prints an APPLIED line for each version, as applied.h
says. Every value is native by then.

    follow.py DIR
"""

import os
import re
import signal
import sys
from time import monotonic_ns

import cmreload

GENERATION = re.compile(r"gen=(\d+)")


def generation_of(value):
    """Each value carries the number of its generation: itself, as "gen", or behind gen=."""
    if isinstance(value, dict):
        value = value.get("gen", -1)
    if isinstance(value, int):
        return value
    if value.isdigit():
        return int(value)
    found = GENERATION.search(value)
    return int(found[1]) if found else -1


def applied(event):
    moment = monotonic_ns()
    generations = list(map(generation_of, event.snapshot.values()))
    line = b"APPLIED %d %d n=%d lo=%d hi=%d\n" % (
        generation_of(event.snapshot["GENERATION"]), moment, len(generations),
        min(generations), max(generations),
    )
    os.write(1, line)


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
config = cmreload.Config(sys.argv[1])
config.on_change()(applied)
with config:
    signal.sigwait({signal.SIGTERM})
