#!/bin/bash
# Builds and runs the reload benchmark; what follows is handed to reload.py:
#
#   Benchmarks/reload/run.sh                  all shapes: floors, ours in every language, and the peers
#   Benchmarks/reload/run.sh --shapes large --interval 300
#   OURS=1 Benchmarks/reload/run.sh           without the peers, as QUICK=1 does
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
build_followers
cxx_program floor_c_json -DFLOOR_JSON "$root/Benchmarks/reload/floor.cc" \
    "$programs/shape.o" -lsimdjson

export CMRELOAD_PREFIX=$prefix
python=$("$root/bindings/python/test.sh" which python)
. "$root/bindings/go/env.sh"
(cd "$root/Benchmarks/go" && go build -o "$programs/go_follow" follow.go)
readers=(--reader "ours_go=$programs/go_follow {DIR}"
    --reader "ours_python=$python $root/Benchmarks/python/follow.py {DIR}")
peers=()
[ -n "${QUICK:-}${OURS:-}" ] || . "$root/Benchmarks/peers/build.sh"

settings=(--hammer 3)
[ -z "${QUICK:-}" ] || settings=(--updates 24 --rounds 2 --interval 100 --wait 10 --retries 1)
exec "$root/bindings/python/test.sh" python "$root/Benchmarks/reload/reload.py" \
    --programs "$programs" "${readers[@]}" "${peers[@]}" "${settings[@]}" "$@"
