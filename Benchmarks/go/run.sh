#!/bin/bash
# Builds what the benchmark of the Go client needs and runs it; what follows is handed to bench.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
build_library
c_program writer mount/writer.c mount/kubelet.c mount/shape.c
c_program ours reload/ours.c mount/shape.c "${library_flags[@]}"
. "$root/bindings/go/env.sh"
(cd "$root/Benchmarks/go" && go build -o "$programs/go_follow" follow.go)
(cd "$root/bindings/go" && go test -c -o "$programs/go_reads" .)

quick=()
[ -z "${QUICK:-}" ] || quick=(--turns 3 --updates 20 --rounds 1 --interval 100 --wait 10 --retries 1)
exec python3 go/bench.py --programs "$programs" "${quick[@]}" "$@"
