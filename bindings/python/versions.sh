#!/bin/bash
# Uses the package with every other Python that the machine has, the standard library alone: what
# the tests with their tools do not reach. PYTHONS names interpreters beside those on PATH.
set -u
cd "$(dirname "$0")"
. ../../Tests/Packaging/checks.sh

export CMRELOAD_LIBRARY=${CMRELOAD_PREFIX:-$PWD/../../build}/lib/libcmreload.so.1
export PYTHONPATH=$PWD/src PYTHONDONTWRITEBYTECODE=1

for python in python3.{9..20} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python ${PYTHONS:-}; do
    version=$("$python" -c 'import sys; assert sys.version_info >= (3, 9); print(sys.version.split()[0])' \
        2>/dev/null) || continue
    check "works with Python $version" "$python" -W error tests/smoke.py
done

summary
