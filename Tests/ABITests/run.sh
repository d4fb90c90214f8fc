#!/bin/bash
# Builds each .c file of this folder, with the harness abitest.c, into a program of its own against
# an installed library, and runs it.
#
#   run.sh [PREFIX] [--address | --thread | --valgrind] [--repeat N] [NAME…]
#
# PREFIX holds include/ and lib/; without one it is the tree's build/. The sanitizers use the Swift
# toolchain's clang, whose runtime a sanitized library shares. With --repeat a program is one test,
# which passes when all its runs do.
set -u
prefix=$(realpath "$(dirname "$0")/../../build")
if [ $# -gt 0 ] && [ -d "$1/include" ]; then prefix=$(realpath "$1"); shift; fi
cd "$(dirname "$0")/../.."

# A Swift runtime that catches crashes would hide how a program died.
export SWIFT_BACKTRACE=enable=no

compile=(cc -O1) wrap=() limit=120 repeat=1 variant=plain names=()
while [ $# -gt 0 ]; do
    case $1 in
        --address)
            variant=address
            compile=(clang -fuse-ld=lld -O1 -fsanitize=address,undefined -fno-sanitize-recover=all)
            export ASAN_OPTIONS=detect_stack_use_after_return=1:${ASAN_OPTIONS:-}
            ;;
        --thread)
            variant=thread
            toolchain=$(dirname "$(realpath "$(command -v swift)")")/../lib/swift/linux
            compile=(clang -O1 -fsanitize=thread "-L$toolchain" "-Wl,-rpath,$toolchain"
                -ldispatch -lBlocksRuntime)
            ;;
        --valgrind)
            variant=valgrind limit=600
            export ABITEST_FORK_ONLY=1
            compile=(cc -O0)
            wrap=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
                --errors-for-leak-kinds=definite --fair-sched=yes)
            ;;
        --repeat) repeat=$2; shift ;;
        *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} -eq 0 ]; then
    for source in Tests/ABITests/*.c; do
        [ "$(basename "$source")" = abitest.c ] || names+=("$(basename "$source" .c)")
    done
fi

# Sanitizers and valgrind cost time: deadlines stretch by this factor.
[ $variant = plain ] || export ABITEST_PATIENCE=10

folder=build/abi/$(basename "$prefix")-$variant
mkdir -p "$folder"
bad=0 broken=0
broke() { echo "FAILED  $1"; broken=$((broken + 1)); }

# Bound at once: a loader that binds late saves registers on the stack, where secrets are looked for.
build() {
    "${compile[@]}" -std=gnu11 -g -Wall -Wextra -Werror -I"$prefix/include" -o "$folder/$1" \
        "Tests/ABITests/$1.c" Tests/ABITests/abitest.c \
        -L"$prefix/lib" -Wl,-z,now -Wl,-rpath,"$prefix/lib" -lcmreload -pthread -ldl -lm
}
# Valgrind names system calls that it does not know: the library has another way then.
once() {
    local tool=("${wrap[@]}")
    # What only the parent's threads knew of is lost in a forked child, and no leak.
    case "$variant $1" in "valgrind fork" | "valgrind sensitive") tool+=(--leak-check=no) ;; esac
    timeout --kill-after=5 $limit "${tool[@]}" "$folder/$1" 2>&1 | grep -av '^--[0-9]*-- '
    return "${PIPESTATUS[0]}"
}

for name in "${names[@]}"; do
    echo "== $name"
    if [ "$variant $name" = "thread fork" ]; then
        echo "SKIPPED fork: ThreadSanitizer allows no threads in a child of a process with threads"
    elif [ "$variant $name" = "thread schema" ]; then
        echo "SKIPPED schema: of what changes in place in a list the compiler tells" \
            "ThreadSanitizer a wrong place"
    elif [ "$variant $name ${prefix##*/}" = "address sensitive address" ]; then
        echo "SKIPPED sensitive: AddressSanitizer's own memory is too much to look through"
    elif ! build "$name"; then
        broke "$name does not compile"
    elif [ "$repeat" = 1 ]; then
        once "$name" | tee "$folder/$name.log"
        status=${PIPESTATUS[0]}
        [ "$status" -eq 0 ] || bad=1
        # A program that fails counts its failures itself; one that dies does not get that far.
        [ "$status" -eq 0 ] || grep -q '^[0-9]* passed, [1-9][0-9]* failed' "$folder/$name.log" ||
            broke "$name ended with status $status"
    else
        for ((run = 1; run <= repeat; run++)); do
            once "$name" >"$folder/$name.log" 2>&1 && continue
            tail -n 30 "$folder/$name.log"
            broke "$name, run $run of $repeat"
            break
        done
        [ "$run" -gt "$repeat" ] && echo "1 passed, 0 failed ($name, $repeat times)"
    fi
done
[ $broken -eq 0 ] || echo "0 passed, $broken failed"
exit $((bad + broken > 0))
