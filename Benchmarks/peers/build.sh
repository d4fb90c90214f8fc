# Sourced, after setup.sh and Go's env.sh: builds what people use today, and names it in the array
# `peers`, as arguments of reload.py. Go's packages are Debian's, Python's are PyPI's; one that is
# not to be had is left out, and the thresholds that need it are told as not measured.
"$root/.ci/tools" --optional fsnotify viper >&2
"$root/.ci/venv" watchdog==7.1.0 watchfiles==1.3.0 >&2

peers=()
if build_go_peer fsnotify; then
    peers+=(--peer "fsnotify=$programs/peer_fsnotify {DIR}"
        --peer "fsnotify_debounced=$programs/peer_fsnotify {DIR} 100ms")
fi
build_go_peer viper && peers+=(--peer "viper=$programs/peer_viper {DIR}")

python=$root/build/venv/bin/python
follow=$root/Benchmarks/peers/python
peers+=(--peer "watchdog=$python $follow/follow_watchdog.py {DIR}"
    --peer "watchdog_debounced=$python $follow/follow_watchdog.py {DIR} 0.1"
    --peer "watchfiles=$python $follow/follow_watchfiles.py {DIR}")
