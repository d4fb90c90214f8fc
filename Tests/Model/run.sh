#!/bin/bash
# Builds the model test against a library and runs it: the lives that are kept, then lives made by
# chance, from a seed that is always the same and, but for CI, from one that never is: CI judges a
# change, and what a new life finds is most often older.
#
#   run.sh [PREFIX] [--address] [--seconds S]     for so long each; 5 seconds
#   run.sh [PREFIX] [--address] --seed N          one life, as it was printed
#   run.sh [PREFIX] [--address] --life 'mount mount history 3; restart; write 0 1 2; reload'
#
# PREFIX holds include/ and lib/; without one it is the tree's build/. With --address the host is
# under AddressSanitizer, and so is the library of build/address. With --wrong FUNCTION the function
# is wrong, as failing/ has it.
set -u
prefix=$(realpath "$(dirname "$0")/../../build")
if [ $# -gt 0 ] && [ -d "$1/include" ]; then prefix=$(realpath "$1"); shift; fi
cd "$(dirname "$0")/../.."
compile=(cc -O2) seconds=5 chosen=() wrong=()
while [ $# -gt 0 ]; do
    case $1 in
        --address)
            compile=(clang -fuse-ld=lld -O1 -fsanitize=address,undefined -fno-sanitize-recover=all)
            ;;
        --wrong) wrong=("Tests/Model/failing/$2.c" "-Wl,--wrap=$2"); shift ;;
        --seconds) seconds=$2; shift ;;
        --seed | --life) chosen=("$1" "$2"); shift ;;
        *) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
    esac
    shift
done
# A Swift runtime that catches crashes would hide how a life ended.
export SWIFT_BACKTRACE=enable=no
# In memory, where a step takes a tenth of the time.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm

program=build/model/model
mkdir -p build/model
"${compile[@]}" -std=gnu11 -g -Wall -Wextra -Werror -I"$prefix/include" -o $program \
    Tests/Model/*.c "${wrong[@]}" -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload -pthread ||
    exit 1
if [ ${#chosen[@]} -gt 0 ]; then exec $program "${chosen[@]}"; fi
status=0
$program --kept Tests/Model/kept.lives || status=1
$program --seed 1 --seconds "$seconds" || status=1
[ -n "${CI:-}" ] || $program --seconds "$seconds" || status=1
exit $status
