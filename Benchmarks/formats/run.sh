#!/bin/bash
# Builds and runs the benchmark of TOML's, properties', dotenv's and INI's parsers; what follows is
# handed to compare.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
cd "$root/Benchmarks"
need_tools
mkdir -p "$programs"

build_parsers
cxx_program formats formats/formats.cc formats/texts.cc "${parsers[@]}"

quick=()
[ -z "${QUICK:-}" ] || quick=(--rounds 11 --wait 10)
exec python3 compare.py formats lines --program "$programs/formats" "${quick[@]}" "$@"
