#!/bin/bash
# Runs every scenario through the C interface, with events on a library thread and then through the descriptor;
# then the ones in failing/, each of which must fail where it says.
#
#     run.sh [PREFIX]         where libcmreload is installed; the tree's build/ unless told otherwise
#
# CC and CFLAGS build the interpreter, WRAPPER ("valgrind -q") runs it, DEADLINE is its patience in seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "${1:-$here/../../build}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

CC=${CC:-$(command -v cc || command -v gcc || command -v clang)}
# shellcheck disable=SC2086
$CC -std=gnu11 -g -Wall -Wextra -Werror ${CFLAGS:--O1} "-I$prefix/include" -o "$out/runner" "$here"/c/*.c \
    "-L$prefix/lib" -lcmreload -pthread
export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# A Swift runtime that catches crashes would hide how a story died.
export SWIFT_BACKTRACE=enable=no

cd "$here"
result=0
run() { ${WRAPPER:-} "$out/runner" "$@" || result=1; }
run --deadline "${DEADLINE:-5}" ./*.scenario
run --deadline "${DEADLINE:-5}" --manual ./*.scenario
run --deadline 1 --must-fail failing/*.scenario
exit $result
