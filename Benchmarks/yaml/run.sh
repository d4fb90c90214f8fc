#!/bin/bash
# Builds and runs the benchmark of the YAML parser; what follows is handed to compare.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
mkdir -p "$programs"

build_parsers
cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/tree.o" yaml/tree.c
cxx_program yaml yaml/yaml.cc yaml/texts.cc "$programs/tree.o" "${parsers[@]}"

quick=()
[ -z "${QUICK:-}" ] || quick=(--rounds 11 --wait 10)
exec python3 compare.py yaml libyaml --program "$programs/yaml" "${quick[@]}" "$@"
