"""Puts the shared library into the wheel, and says in the wheel's name which glibc it needs.

CMRELOAD_WHEEL_LIBRARY names the library; without it the wheel is pure Python, and looks for an
installed library when it is imported.
"""

import os
import re
import subprocess

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def newest_glibc(library):
    """The newest version of glibc that a symbol of the library is asked from."""
    command = ["readelf", "--version-info", "--wide", library]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return max((int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", text))


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        library = os.environ.get("CMRELOAD_WHEEL_LIBRARY")
        if not library or version == "editable":
            return
        major, minor = newest_glibc(library)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-manylinux_{major}_{minor}_{os.uname().machine}"
        build_data["force_include"][os.path.realpath(library)] = "cmreload/libcmreload.so.1"
