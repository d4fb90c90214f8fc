#!/usr/bin/env -S python3 -B
"""Writes src/cmreload/_declarations.py from include/cmreload.h, as clang reads it.

    generate.py            writes the file
    generate.py --check    says whether the committed file is what would be written

It decides nothing but how a C type is spelt in ctypes; what a function means stands in the header.
"""

import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include" / "cmreload.h"
OUTPUT = HERE / "src" / "cmreload" / "_declarations.py"

SCALARS = {
    "void": "None",
    "_Bool": "c_bool",
    "bool": "c_bool",
    "char": "c_char",
    "int": "c_int",
    "double": "c_double",
    "size_t": "c_size_t",
    "int32_t": "c_int32",
    "uint32_t": "c_uint32",
    "int64_t": "c_int64",
    "uint64_t": "c_uint64",
    "cmr_status": "c_int32",
}

OPENING = '''\
"""The types and functions of cmreload.h for ctypes. Written by generate.py; do not edit.

What they mean, own and block stands in the header, which is the manual. Pointers to what only the
library looks into are void pointers; so is text that comes with its size.
"""

from __future__ import annotations

import ctypes
from ctypes import (
'''


def ours(name):
    return name.lower().startswith("cmr_")


class Header:
    """What the header declares, in its order."""

    def __init__(self, nodes):
        self.constants, self.structs, self.callbacks, self.functions = {}, {}, {}, {}
        for node in nodes:
            kind, name = node["kind"], node.get("name", "")
            if kind == "EnumDecl":
                self.constants.update(map(self.constant, node["inner"]))
            elif kind == "RecordDecl" and ours(name) and node.get("completeDefinition"):
                self.structs[name] = [
                    (field["name"], field["type"]["qualType"])
                    for field in node["inner"]
                    if field["kind"] == "FieldDecl"
                ]
            elif kind == "TypedefDecl" and ours(name) and "(*)" in node["type"]["qualType"]:
                result, parameters = node["type"]["qualType"].rstrip(")").split(" (*)(")
                self.callbacks[name] = (result, parameters.split(", "))
            elif kind == "FunctionDecl" and ours(name) and not node.get("inline"):
                self.functions[name] = (
                    node["type"]["qualType"].split("(")[0].strip(),
                    [
                        parameter["type"]["qualType"]
                        for parameter in node.get("inner", [])
                        if parameter["kind"] == "ParmVarDecl"
                    ],
                )

    @classmethod
    def read(cls, path):
        command = ["clang", "-std=c11", "-fsyntax-only", "-Xclang", "-ast-dump=json", str(path)]
        tree = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return cls(json.loads(tree)["inner"])

    @staticmethod
    def constant(node):
        """The name and the value of an enumerator, which the header always writes out."""
        return node["name"], next(inner["value"] for inner in node["inner"] if "value" in inner)

    def spelt(self, c_type):
        """A C type in ctypes."""
        text = " ".join(word for word in c_type.replace("*", " * ").split() if word != "const")
        array = re.fullmatch(r"(\w+)\[(\d+)\]", text)
        if array:
            return f"{self.spelt(array[1])} * {array[2]}"
        if text in SCALARS:
            return SCALARS[text]
        if text in self.callbacks:
            return text
        pointee = text[:-1].strip()
        if text.endswith("*") and pointee in self.structs:
            return f"POINTER({pointee})"
        if c_type.replace(" ", "") == "constchar*":
            return "c_char_p"
        if pointee.endswith("*"):
            return "POINTER(c_void_p)"
        if pointee in SCALARS and pointee not in ("void", "char"):
            return f"POINTER({SCALARS[pointee]})"
        if pointee in ("void", "char") or ours(pointee):
            return "c_void_p"
        raise SystemExit(f"{HEADER.name}: {c_type}: no spelling is known in ctypes")

    def used_later(self):
        """The structs that mention others, last: ctypes wants a struct before its pointer."""
        return sorted(
            self.structs,
            key=lambda name: sum(
                "cmr_" in c_type and "*" in c_type for _, c_type in self.structs[name]
            ),
        )

    def text(self):
        body = []
        body += [f"{name} = {value}" for name, value in self.constants.items()]
        for name in self.used_later():
            body += ["", "", f"class {name}(ctypes.Structure):", "    _fields_ = ["]
            body += [
                f'        ("{field}", {self.spelt(c_type)}),'
                for field, c_type in self.structs[name]
            ]
            body += ["    ]"]
        body += ["", ""]
        for name, (result, parameters) in self.callbacks.items():
            arguments = ", ".join(map(self.spelt, [result, *parameters]))
            line = f"{name} = CFUNCTYPE({arguments})"
            if len(line) > 100:
                line = f"{name} = CFUNCTYPE(\n    {arguments}\n)"
            body.append(line)
        body += [
            "",
            "# Of each function what it returns and what it takes.",
            "FUNCTIONS: dict[str, tuple[object, list[object]]] = {",
        ]
        for name, (result, parameters) in self.functions.items():
            arguments = list(map(self.spelt, parameters))
            line = f'    "{name}": ({self.spelt(result)}, [{", ".join(arguments)}]),'
            if len(line) <= 100:
                body.append(line)
            else:
                body += [f'    "{name}": (', f"        {self.spelt(result)},", "        ["]
                body += [f"            {argument}," for argument in arguments]
                body += ["        ],", "    ),"]
        body.append("}")
        text = "\n".join(body) + "\n"
        names = sorted(
            {
                name
                for name in ["CFUNCTYPE", "POINTER", *SCALARS.values(), "c_char_p", "c_void_p"]
                if re.search(rf"\b{name}\b", text) and name != "None"
            }
        )
        return OPENING + "".join(f"    {name},\n" for name in names) + ")\n\n" + text


def main():
    text = Header.read(HEADER).text()
    if sys.argv[1:] != ["--check"]:
        OUTPUT.write_text(text)
        return 0
    fresh = OUTPUT.exists() and OUTPUT.read_text() == text
    print("ok     " if fresh else "FAILED ", "the declarations are those of the header")
    print(f"{fresh:d} passed, {not fresh:d} failed")
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())
