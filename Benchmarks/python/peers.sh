#!/bin/bash
# Measures the Python client beside what people use in Python today, watchdog with a debounce and
# watchfiles; what follows is handed to the harness. Fails when a threshold is missed.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
. "$root/Benchmarks/peers.sh"
"$root/.ci/tools" python3-venv >&2
build_library

venv=$programs/peers-venv
[ -d "$venv" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check watchdog watchfiles

export CMRELOAD_LIBRARY=$prefix/lib/libcmreload.so.1 PYTHONPATH=$root/bindings/python/src
export PEERS_PYTHON=$venv/bin/python
measure_peers ours_py "$venv/bin/python $root/Benchmarks/python/follow.py {DIR}" \
    seed_python,py_watchfiles_min "$@"
