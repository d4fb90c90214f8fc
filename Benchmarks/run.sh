#!/bin/bash
# `make bench`: builds and runs every benchmark, prints its tables and checks its thresholds, then
# writes the table of all and the plots into results/. QUICK=1 is shorter, checks fewer and writes
# nothing there. Fails when a threshold is missed of which that was not known, or when a part could not
# be measured; after all have run.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missed=()
for part in reload contents reads json yaml formats schema footprint python go; do
    # What is only drawn.
    [ -n "${QUICK:-}" ] && [ "$part" = contents ] && continue
    echo "## $part"
    echo
    "$here/$part/run.sh" || missed+=("$part")
    echo "($part: $SECONDS s since the start)"
    echo
done
"$here/results.sh" --took $SECONDS || missed+=(results)
if [ ${#missed[@]} -gt 0 ]; then
    echo "failed: ${missed[*]}, after $SECONDS s"
    exit 1
fi
echo "all thresholds are met that are not known to be missed, after $SECONDS s"
