#!/bin/bash
# Measures the Go client beside what people use in Go today, fsnotify with a debounce and without;
# what follows is handed to the harness. Fails when a threshold is missed.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
. "$root/Benchmarks/peers.sh"
"$root/.ci/tools" fsnotify >&2
build_library
. "$root/bindings/go/env.sh"

for peer in seed_go go_nodebounce; do
    GOFLAGS= GO111MODULE=off GOPATH=$peers/go:/usr/share/gocode \
        go build -o "$peers/bin/$peer" "cmd/$peer"
done
(cd "$root/Benchmarks/go" && go build -o "$programs/go_follow" follow.go)
measure_peers ours_go "$programs/go_follow {DIR}" seed_go,go_nodebounce "$@"
