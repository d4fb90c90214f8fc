#!/bin/bash
# Replays what the fuzzers of the C interface keep against an installed library: replay.sh [PREFIX].
# The corpora of the others are replayed by the Swift tests.
set -eu
prefix=$(realpath "${1:-$(dirname "$0")/../../build}")
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for target in mount abi; do
    ${CC:-cc} -std=gnu11 -g -Wall -Wextra -Werror ${CFLAGS:--O1} "-I$prefix/include" \
        -o "$out/$target" "$target.c" fuzz.c replay.c \
        "-L$prefix/lib" "-Wl,-rpath,$prefix/lib" -lcmreload -pthread
    SWIFT_BACKTRACE=enable=no "$out/$target" "corpus/$target"/*
done
