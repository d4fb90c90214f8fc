#!/bin/bash
# Builds what the benchmark of the Python client needs and runs it; what follows is handed to
# bench.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
build_library
c_program writer mount/writer.c mount/kubelet.c mount/shape.c
c_program ours reload/ours.c mount/shape.c "${library_flags[@]}"

quick=()
[ -z "${QUICK:-}" ] || quick=(--slices 60 --imports 5 --updates 20 --rounds 1 --interval 100
                              --wait 10 --retries 1)
export CMRELOAD_PREFIX=$prefix
exec "$root/bindings/python/test.sh" python "$root/Benchmarks/python/bench.py" \
    --programs "$programs" "${quick[@]}" "$@"
