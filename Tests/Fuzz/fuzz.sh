#!/bin/bash
# Fuzzes a parser: Tests/Fuzz/fuzz.sh json [SECONDS]. What breaks it is left in .build-fuzz; an input worth keeping
# goes into corpus/, which the ordinary tests replay.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-json}
seconds=${2:-60}
case $target in
json) fuzzer=JSONFuzzer ;;
*) echo "fuzz.sh: there is no fuzzer for $target" >&2; exit 2 ;;
esac
mkdir -p ".build-fuzz/$target"
swiftc -O -parse-as-library -swift-version 6 -package-name cmreload -module-name "$fuzzer" \
    -enable-experimental-feature BuiltinModule -sanitize=fuzzer,address \
    -o ".build-fuzz/$fuzzer" $(find Sources/Config -name '*.swift') "Tests/Fuzz/$fuzzer.swift"
SWIFT_BACKTRACE=enable=no ".build-fuzz/$fuzzer" -max_total_time="$seconds" -dict="Tests/Fuzz/$target.dict" \
    -artifact_prefix=".build-fuzz/" -timeout=10 -print_final_stats=1 ".build-fuzz/$target" "Tests/Fuzz/corpus/$target"
