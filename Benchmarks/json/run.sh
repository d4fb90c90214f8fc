#!/bin/bash
# Builds and runs the benchmark of the JSON parser; what follows is handed to compare.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
mkdir -p "$programs"

# The parser from the library's own sources, compiled as they are for the library that ships.
swiftc -O -wmo -parse-as-library -swift-version 6 -package-name cmreload -module-name ConfigBench \
    -enable-experimental-feature Embedded -enable-experimental-feature BuiltinModule \
    -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny \
    -enable-upcoming-feature MemberImportVisibility -warnings-as-errors \
    -I "$root/Sources/CYAML" -c -o "$programs/parser.o" $(find "$root/Sources/Config" -name '*.swift') json/Driver.swift
cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/shape.o" mount/shape.c
unicode=$(dirname "$(readlink -f "$(command -v swiftc)")")/../lib/swift/embedded/$(uname -m)-unknown-linux-gnu
cxx_program json json/json.cc json/documents.cc "$programs/parser.o" "$programs/shape.o" \
    "$unicode/libswiftUnicodeDataTables.a" -lsimdjson -l:libyaml.a

quick=()
[ -z "${QUICK:-}" ] || quick=(--rounds 11 --wait 10)
exec python3 json/compare.py --program "$programs/json" "${quick[@]}" "$@"
