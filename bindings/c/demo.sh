#!/bin/sh
# Shows a reload from beginning to end: builds the example service against a prefix (by default the tree's
# build/) and lets demo.c direct it. Ends by itself; the exit status is 1 when something was not as expected.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "${1:-$here/../../build}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT INT TERM

CC=${CC:-$(command -v cc || command -v gcc || command -v clang)}
export CC
make -s -C "$here/examples" OUT="$out" CMRELOAD_CFLAGS="-I$prefix/include" CMRELOAD_LIBS="-L$prefix/lib -lcmreload" \
    "$out/service"
$CC -std=gnu11 -O2 -Wall -Wextra -Werror "-I$prefix/include" -o "$out/demo" "$here/demo.c" \
    "-L$prefix/lib" -lcmreload -pthread

LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$out/demo" "$out/service"
