#!/bin/bash
# Measures the Python client beside what people use in Python today, watchdog with a debounce and
# watchfiles, with the harness in ../shared/peers where that lies beside the project; what follows is
# handed to its bench_reload.py. Fails when a threshold is missed.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
peers=$root/../shared/peers
if [ ! -d "$peers" ]; then
    echo "SKIPPED peers: there is no ../shared/peers"
    exit 0
fi
"$root/.ci/tools" gcc g++ python3 python3-venv >&2
build_library

# The harness builds into its own folder, and reads the samples from the one beside it.
work=$programs/shared
rm -rf "$work" && mkdir -p "$work"
cp -r "$peers" "$root/../shared/seed" "$work" && chmod -R u+w "$work"
cd "$work/peers"
mkdir -p bin out mnt scratch
python3 extract_seed.py
gcc -O2 -Wno-format-truncation -o bin/mount_writer src/mount_writer.c
g++ -O2 -o bin/floor_c src/floor_c.cc

venv=$programs/peers-venv
[ -d "$venv" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check watchdog watchfiles

export CMRELOAD_LIBRARY=$prefix/lib/libcmreload.so.1 PYTHONPATH=$root/bindings/python/src
export PEERS_PYTHON=$venv/bin/python
"$venv/bin/python" bench_reload.py --peers floor_c,seed_python,py_watchfiles_min --shapes S \
    --adapter "ours_py=$venv/bin/python $root/Benchmarks/python/follow.py {DIR}" \
    --json "$programs/peers.json" "$@"
exec "$venv/bin/python" "$root/Benchmarks/python/peers.py" "$programs/peers.json"
