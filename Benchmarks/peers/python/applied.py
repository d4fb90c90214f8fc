"""Says of a load what every measured program says: see reload/applied.h."""

import json
import os
import re
from time import monotonic_ns

GENERATION = re.compile(r"(?:.*gen=)?(\d+)", re.DOTALL)


def load(directory):
    """Reads a directory as services do that follow a mount by themselves: each file that is seen in
    it, through the links that the kubelet makes; what is JSON is parsed."""
    values = {}
    for name in os.listdir(directory):
        if name.startswith(".."):
            continue
        with open(os.path.join(directory, name)) as file:
            text = file.read()
        values[name] = json.loads(text) if name.endswith(".json") else text.strip()
    return values


def generation_of(value):
    """Each value carries the number of its generation: itself, as "gen", or behind gen=."""
    if isinstance(value, dict):
        return value.get("gen", -1)
    found = GENERATION.match(value)
    return int(found[1]) if found else -1


def tell(values):
    moment = monotonic_ns()
    generations = [generation_of(value) for value in values.values()] or [-1]
    os.write(1, b"APPLIED %d %d n=%d lo=%d hi=%d\n" % (
        generation_of(values.get("GENERATION", "")), moment, len(generations),
        min(generations), max(generations)))
