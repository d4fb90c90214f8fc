#!/bin/bash
# Fuzzes what reads bytes of others: Tests/Fuzz/fuzz.sh TARGET|all [SECONDS [OPTION…]]. What breaks it
# is left in .build-fuzz; an input worth keeping goes into corpus/, which the ordinary tests replay.
#
# One library that is built to be watched serves all: mount and abi know its header alone, the
# others take the parts of Config out of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
targets=(json yaml toml properties dotenv ini schema pattern path mount abi)
[ "${1:-all}" = all ] || targets=("$1")
seconds=${2:-60}
options=("${@:3}")
built=.build-fuzz/swift/release
# What has no threads does the same again for the same -seed: hashes and addresses are not random,
# where a container lets its processes choose that.
repeatable=(env SWIFT_DETERMINISTIC_HASHING=1)
! setarch -R true 2>/dev/null || repeatable+=(setarch -R)

within_config() { # SOURCE
    swiftc -O -parse-as-library -swift-version 6 -sanitize=fuzzer,address -D "${target^^}" \
        -I "$built/Modules" -I Sources/CYAML/include -o "$fuzzer" \
        "Tests/Fuzz/$1.swift" Tests/Fuzz/FuzzMemory.swift "$built/CYAML.build/memory.c.o" \
        $(find Sources/Config -name '*.swift' -printf "$built/Config.build/%f.o ") -l:libyaml.a \
        $(printf -- '-Xlinker --wrap=%s ' malloc realloc free strdup)
}

through_interface() {
    clang -fuse-ld=lld -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=fuzzer,address -Iinclude \
        -o "$fuzzer" "Tests/Fuzz/$target.c" Tests/Fuzz/fuzz.c -rdynamic -pthread \
        -L.build-fuzz -l:libcmreload.so.1 -Wl,-rpath,"$PWD/.build-fuzz"
}

swift build -q -c release --scratch-path .build-fuzz/swift --product cmreload \
    --sanitize=address -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing
ln -sfn swift/release/libcmreload.so .build-fuzz/libcmreload.so.1

for target in "${targets[@]}"; do
    fuzzer=.build-fuzz/$target-fuzzer
    case $target in
    json | yaml | toml | properties | dotenv | ini) within_config FormatFuzzer ;;
    schema) within_config SchemaFuzzer ;;
    pattern) within_config PatternFuzzer ;;
    path) within_config PathFuzzer ;;
    mount | abi) through_interface ;;
    *) echo "fuzz.sh: there is no fuzzer for $target" >&2; exit 2 ;;
    esac
    mkdir -p ".build-fuzz/$target"
    SWIFT_BACKTRACE=enable=no "${repeatable[@]}" "$fuzzer" -max_total_time="$seconds" -timeout=10 \
        -dict="Tests/Fuzz/$target.dict" -artifact_prefix=".build-fuzz/$target-" \
        -print_final_stats=1 ".build-fuzz/$target" "Tests/Fuzz/corpus/$target" "${options[@]}"
    echo "1 passed, 0 failed ($target)"
done
