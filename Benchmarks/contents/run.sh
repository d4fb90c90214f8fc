#!/bin/bash
# Builds and runs the benchmark of what an update costs by the number of keys and the size of a value;
# what follows is handed to contents.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
build_followers
exec python3 "$root/Benchmarks/contents/contents.py" --programs "$programs" "$@"
