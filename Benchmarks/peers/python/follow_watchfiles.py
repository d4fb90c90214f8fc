#!/usr/bin/env python3
"""What services in Python do with watchfiles: load the mount for each set of changes, which here is
told of at the shortest steps that it knows.

    follow_watchfiles.py DIR
"""

import sys

import applied
from watchfiles import watch

directory = sys.argv[1]
applied.tell(applied.load(directory))
for _ in watch(directory, debounce=50, step=1):
    try:
        values = applied.load(directory)
    except OSError as error:
        print(error, file=sys.stderr)
    else:
        applied.tell(values)
