#!/bin/bash
# Builds and runs the stress programs against the library as it ships:
#
#   Tests/Stress/run.sh [SECONDS] [PROGRAM…]     of writing without a pause; 60 when left out
#
#   CMRELOAD_PREFIX=…   tests a library that is installed there instead of building this one
#   CC=… CFLAGS=…       for example clang and -fsanitize=address
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-60}
shift
prefix=${CMRELOAD_PREFIX:-$root/build}
programs=$root/build/stress
mkdir -p "$programs"
[ -n "${CMRELOAD_PREFIX:-}" ] || make -s -C "$root" all || exit 1
# In memory, where swaps follow each other several times faster than on a disk.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm

failed=()
for program in ${*:-start_race blocked_callbacks hold rollback consistency}; do
    # shellcheck disable=SC2086 # flags are words
    ${CC:-cc} -std=gnu11 -O2 -g -Wall -Wextra -Werror ${CFLAGS:-} \
        -I"$root/Benchmarks/mount" -I"$prefix/include" -o "$programs/$program" \
        "$root/Tests/Stress/$program.c" "$root"/Tests/Stress/{stress,loads}.c \
        "$root/Benchmarks/mount/kubelet.c" "$root/Benchmarks/mount/shape.c" \
        -pthread -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload || exit 1
    echo "== $program"
    arguments=()
    [ "$program" != consistency ] || arguments=("$seconds")
    "$programs/$program" "${arguments[@]}" || failed+=("$program")
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
