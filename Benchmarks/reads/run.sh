#!/bin/bash
# Builds and runs the benchmark of reads; what follows is handed to reads.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
build_library
# A library of its own, so that the floor of a call is a call like ours, through the same tables.
c_program libcall.so -shared -fPIC reads/call.c
# Where a loop begins decides over a third of a nanosecond: all of them begin alike.
c_program reads -falign-loops=32 reads/reads.c mount/kubelet.c mount/shape.c "$programs/libcall.so" \
    -Wl,-rpath,"$programs" -pthread "${library_flags[@]}"
quick=()
[ -z "${QUICK:-}" ] || quick=(--slices 60 --wait 10)
exec python3 reads/reads.py --program "$programs/reads" "${quick[@]}" "$@"
