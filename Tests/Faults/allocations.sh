#!/bin/bash
# Builds allocations.c against a library that goes without memory where a test wants it to, and runs
# it: Tests/Faults/allocations.sh [PREFIX] [TEST]. `make address` makes that library.
set -eu
cd "$(dirname "$0")/../.."
prefix=$(realpath "${1:-build/address}")
[ $# -eq 0 ] || shift
program=build/faults/allocations
mkdir -p build/faults
export SWIFT_BACKTRACE=enable=no ABITEST_PATIENCE=10
# Everything in the program is visible to the library, which asks it.
clang -fuse-ld=lld -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -std=gnu11 \
    -Wall -Wextra -Werror -I"$prefix/include" -o $program \
    Tests/Faults/allocations.c Tests/ABITests/abitest.c -rdynamic \
    -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload -pthread -ldl -lm
exec $program "$@"
