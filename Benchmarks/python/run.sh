#!/bin/bash
# Runs the benchmark of look-ups in Python; what follows is handed to bench.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
build_library
quick=()
[ -z "${QUICK:-}" ] || quick=(--slices 60 --imports 5 --wait 10)
export CMRELOAD_PREFIX=$prefix
exec "$root/bindings/python/test.sh" python "$root/Benchmarks/python/bench.py" "${quick[@]}" "$@"
