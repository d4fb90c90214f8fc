#!/bin/bash
# Builds and runs the reload benchmark; what follows is handed to reload.py:
#
#   Benchmarks/reload/run.sh                       all shapes against the floors, about six minutes
#   Benchmarks/reload/run.sh --shapes large --interval 300
#   Benchmarks/reload/run.sh --hammer 5            how it fares under a writer that never rests
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
build_library

cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/shape.o" mount/shape.c
c_program writer mount/writer.c mount/kubelet.c mount/shape.c
c_program ours reload/ours.c mount/shape.c "${library_flags[@]}"
cxx_program floor_c reload/floor.cc "$programs/shape.o"
cxx_program floor_c_json -DFLOOR_JSON reload/floor.cc "$programs/shape.o" -lsimdjson

quick=()
[ -z "${QUICK:-}" ] || quick=(--updates 20 --rounds 1 --interval 100 --wait 10 --retries 1)
exec python3 reload/reload.py --programs "$programs" "${quick[@]}" "$@"
