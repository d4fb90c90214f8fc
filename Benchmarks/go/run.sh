#!/bin/bash
# Builds and runs the benchmark of reads in Go; what follows is handed to bench.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
build_library
. "$root/bindings/go/env.sh"
(cd "$root/bindings/go" && go test -c -o "$programs/go_reads" .)
quick=()
[ -z "${QUICK:-}" ] || quick=(--turns 3 --wait 10)
exec python3 "$root/Benchmarks/go/bench.py" --program "$programs/go_reads" "${quick[@]}" "$@"
