#!/bin/bash
# `make bench`: runs every benchmark, prints its table and checks its thresholds; QUICK=1 is
# shorter. Fails when a threshold is missed or a part could not be measured, after all have run.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missed=()
for part in reload reads json yaml formats schema footprint python go; do
    [ -x "$here/$part/run.sh" ] || continue
    echo "## $part"
    echo
    "$here/$part/run.sh" || missed+=("$part")
    echo
done
if [ ${#missed[@]} -gt 0 ]; then
    echo "missed: ${missed[*]}"
    exit 1
fi
echo "all thresholds met"
