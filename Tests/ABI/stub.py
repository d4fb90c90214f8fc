#!/usr/bin/env -S python3 -B
"""Prints a C source that has what a header declares and nothing of what it does: stub.py HEADER.

Its debugging information is the whole interface, which that of the library itself is not: functions
written in Swift are described in Swift's words.
"""

import pathlib
import re
import sys

header = pathlib.Path(sys.argv[1]).read_text()
header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
# What the header defines itself is compiled into its users, and no symbol.
header = re.sub(r"__attribute__\(\(unused\)\)\s*static inline .*?\n}\n", "", header, flags=re.S)
# A prototype begins a line, and is neither a type nor an alias of one.
header = re.sub(
    r"^((?!typedef)\w[\w *\n]*\bcmr_\w+\([^;{}]*\));", r"\1\nSTUB", header, flags=re.M)
header = re.sub(r"[ \t]+$", "", header, flags=re.M)
print("/* Written by Tests/ABI/stub.py. */\n#define STUB { __builtin_trap(); }\n")
print(re.sub(r"\n{3,}", "\n\n", header).strip())
