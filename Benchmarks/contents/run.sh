#!/bin/bash
# Builds and runs the benchmark of what an update costs by the number of keys and the size of a value;
# what follows is handed to contents.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
build_library
cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/shape.o" mount/shape.c
c_program writer mount/writer.c mount/kubelet.c mount/shape.c
c_program ours reload/ours.c mount/shape.c "${library_flags[@]}"
cxx_program floor_c reload/floor.cc "$programs/shape.o"
exec python3 contents/contents.py --programs "$programs" "$@"
