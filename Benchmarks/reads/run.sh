#!/bin/bash
# Builds and runs the benchmark of reads; what follows is handed to reads.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
build_library
# Where a loop begins decides over a third of a nanosecond: all of them begin alike.
c_program reads -falign-loops=32 reads/reads.c mount/kubelet.c mount/shape.c -pthread "${library_flags[@]}"
quick=()
[ -z "${QUICK:-}" ] || quick=(--slices 60 --wait 10)
exec python3 reads/reads.py --program "$programs/reads" "${quick[@]}" "$@"
