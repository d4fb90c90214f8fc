#!/bin/bash
# Runs the tests of the Go binding.
#
#     test.sh [PREFIX [ARGUMENT...]]   where libcmreload is installed, the tree's build/ unless told
#                                      otherwise; what `go test` is told instead of -race -count=1
set -eu
prefix=${1:-}
shift || true
. "$(dirname "$0")/env.sh"
cd "$root/bindings/go"

unformatted=$("$(go env GOROOT)/bin/gofmt" -l .)
if [ -n "$unformatted" ]; then
    printf 'not as gofmt writes it: %s\n0 passed, 1 failed\n' "$unformatted"
    exit 1
fi
go vet ./...
echo "2 passed, 0 failed"

# A Swift runtime that catches crashes would hide how a test died.
export SWIFT_BACKTRACE=enable=no
[ $# -gt 0 ] || set -- -race -count=1
GODEBUG=cgocheck=1 exec go test -v "$@" ./...
