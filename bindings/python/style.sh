#!/bin/bash
# Whether the types hold, and whether `make format` would change a Python file of the package.
set -u
cd "$(dirname "$0")"
. ../../Tests/Packaging/checks.sh

check "mypy --strict finds nothing" ./test.sh mypy
check "ruff finds nothing" ./test.sh ruff check
check "ruff would format nothing" ./test.sh ruff format --check

summary
