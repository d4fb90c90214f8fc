#!/bin/bash
# Fuzzes what reads bytes of others: Tests/Fuzz/fuzz.sh TARGET [SECONDS]. What breaks it is left in
# .build-fuzz; an input worth keeping goes into corpus/, which the ordinary tests replay.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-json}
seconds=${2:-60}
case $target in
json | yaml | toml | properties | dotenv | ini) source=FormatFuzzer ;;
schema) source=SchemaFuzzer ;;
pattern) source=PatternFuzzer ;;
*) echo "fuzz.sh: there is no fuzzer for $target" >&2; exit 2 ;;
esac
mkdir -p ".build-fuzz/$target"
fuzzer=.build-fuzz/$target-fuzzer
clang -c -O1 -g -ISources/CYAML/include -o .build-fuzz/memory.o Sources/CYAML/memory.c
swiftc -O -parse-as-library -swift-version 6 -package-name cmreload -module-name Fuzzer \
    -enable-experimental-feature BuiltinModule -sanitize=fuzzer,address -D "${target^^}" \
    -I Sources/CYAML/include -o "$fuzzer" $(find Sources/Config -name '*.swift') \
    "Tests/Fuzz/$source.swift" .build-fuzz/memory.o -l:libyaml.a \
    $(printf -- '-Xlinker --wrap=%s ' malloc realloc free strdup)
SWIFT_BACKTRACE=enable=no "$fuzzer" -max_total_time="$seconds" -dict="Tests/Fuzz/$target.dict" \
    -artifact_prefix=".build-fuzz/" -timeout=10 -print_final_stats=1 ".build-fuzz/$target" \
    "Tests/Fuzz/corpus/$target"
