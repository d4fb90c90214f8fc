#!/bin/bash
# Builds and runs the benchmark of the JSON parser; what follows is handed to compare.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
mkdir -p "$programs"

build_parsers
cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/shape.o" mount/shape.c
cxx_program json json/json.cc json/documents.cc "$programs/shape.o" "${parsers[@]}" -lsimdjson

# The AVX2 kernel is what the thresholds are about. Where a processor has AVX-512, simdjson would
# choose that, which is faster than what a library for any x86-64 can be.
export SIMDJSON_FORCE_IMPLEMENTATION=${SIMDJSON_FORCE_IMPLEMENTATION:-haswell}

quick=()
[ -z "${QUICK:-}" ] || quick=(--rounds 11 --wait 10)
exec python3 compare.py json simdjson --program "$programs/json" "${quick[@]}" "$@"
