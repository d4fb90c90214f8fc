#!/bin/bash
# Runs a command of Python's tools on this package, in a virtual environment that it makes:
#
#     test.sh pytest [ARGUMENT…]      also mypy, ruff, python
#
# CMRELOAD_PREFIX is where libcmreload is installed, the tree's build/ unless told otherwise; PYTHON
# makes the environment, which is kept in the tree's build/venv until requirements.txt changes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/build/venv
cd "$here"

if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r tests/requirements.txt
    "$venv/bin/pip" install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
    cp tests/requirements.txt "$venv/requirements.txt"
fi

prefix=${CMRELOAD_PREFIX:-$root/build}
export CMRELOAD_LIBRARY=$prefix/lib/libcmreload.so.1
# A Swift runtime that catches crashes would hide how a test died.
export SWIFT_BACKTRACE=enable=no
export PATH=$venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
exec "$@"
