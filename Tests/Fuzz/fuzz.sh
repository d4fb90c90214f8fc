#!/bin/bash
# Fuzzes what reads bytes of others: Tests/Fuzz/fuzz.sh TARGET|all [SECONDS [OPTION…]]. What breaks it
# is left in .build-fuzz; an input worth keeping goes into corpus/, which the ordinary tests replay.
#
# Formats, schemas, patterns and paths are fuzzed within the sources of Config; mount and abi know
# the header alone, and a library that is built to be watched.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-all}
seconds=${2:-60}
fuzzer=.build-fuzz/$target-fuzzer

if [ "$target" = all ]; then
    for target in json yaml toml properties dotenv ini schema pattern path mount abi; do
        Tests/Fuzz/fuzz.sh $target "$seconds" "${@:3}"
    done
    exit
fi

within_config() { # SOURCE
    clang -c -O1 -g -ISources/CYAML/include -o .build-fuzz/memory.o Sources/CYAML/memory.c
    swiftc -O -wmo -parse-as-library -swift-version 6 -package-name cmreload -module-name Fuzzer \
        -enable-experimental-feature BuiltinModule -sanitize=fuzzer,address -D "${target^^}" \
        -I Sources/CYAML/include -o "$fuzzer" $(find Sources/Config -name '*.swift') \
        "Tests/Fuzz/$1.swift" Tests/Fuzz/FuzzMemory.swift .build-fuzz/memory.o -l:libyaml.a \
        $(printf -- '-Xlinker --wrap=%s ' malloc realloc free strdup)
}

through_interface() {
    swift build -q -c release --scratch-path .build-fuzz/swift --product cmreload \
        --sanitize=address -Xswiftc -sanitize=fuzzer
    ln -sfn swift/release/libcmreload.so .build-fuzz/libcmreload.so.1
    clang -fuse-ld=lld -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=fuzzer,address -Iinclude \
        -o "$fuzzer" "Tests/Fuzz/$target.c" Tests/Fuzz/fuzz.c -rdynamic -pthread \
        -L.build-fuzz -l:libcmreload.so.1 -Wl,-rpath,"$PWD/.build-fuzz"
}

mkdir -p ".build-fuzz/$target"
case $target in
json | yaml | toml | properties | dotenv | ini) within_config FormatFuzzer ;;
schema) within_config SchemaFuzzer ;;
pattern) within_config PatternFuzzer ;;
path) within_config PathFuzzer ;;
mount | abi) through_interface ;;
*) echo "fuzz.sh: there is no fuzzer for $target" >&2; exit 2 ;;
esac
SWIFT_BACKTRACE=enable=no "$fuzzer" -max_total_time="$seconds" -dict="Tests/Fuzz/$target.dict" \
    -artifact_prefix=".build-fuzz/$target-" -timeout=10 -print_final_stats=1 ".build-fuzz/$target" \
    "Tests/Fuzz/corpus/$target" "${@:3}"
