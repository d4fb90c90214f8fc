#!/bin/bash
# Tells of all thresholds in one table; what a whole run has measured goes into results/ as a table and
# plots. Measures nothing: `Benchmarks/results.sh` draws again what results/*.json hold; what follows is
# handed to results.py.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# Two and the fonts: what is drawn is the same wherever it is drawn.
"$root/bindings/python/test.sh" true
"$root/.ci/venv" matplotlib==3.11.2 >&2
export PYTHONDONTWRITEBYTECODE=1
exec "$root/build/venv/bin/python" "$root/Benchmarks/results.py" "$@"
