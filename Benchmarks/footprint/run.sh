#!/bin/bash
# Builds and runs the benchmark of the library's footprint; what follows is handed to footprint.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
build_library
echo 'void cmr_empty(void) {}' | cc -x c -O2 -shared -fPIC -o "$programs/empty.so" -
c_program load footprint/load.c -ldl
c_program watch footprint/watch.c mount/kubelet.c mount/shape.c -pthread "${library_flags[@]}"
quick=()
[ -z "${QUICK:-}" ] || quick=(--loads 51 --idle 1 --updates 100 --watchers 1,10000 --wait 10)
exec python3 footprint/footprint.py --programs "$programs" \
    --library "$(realpath "$prefix/lib/libcmreload.so.1")" "${quick[@]}" "$@"
