# Sourced by peers.sh of a language, after setup.sh: the harness in ../shared/peers, where that lies
# beside the project. It measures what people use today, and takes ours as an adapter. It builds into
# its own folder, and reads the samples from the one beside it, so both are copied.

peers=$programs/shared/peers
harness=$root/../shared/peers
if [ ! -d "$harness" ]; then
    echo "SKIPPED peers: there is no ../shared/peers"
    exit 0
fi
"$root/.ci/tools" gcc g++ python3 >&2
rm -rf "$programs/shared" && mkdir -p "$programs/shared"
cp -r "$harness" "$root/../shared/seed" "$programs/shared" && chmod -R u+w "$programs/shared"
(
    cd "$peers"
    mkdir -p bin out mnt scratch
    python3 extract_seed.py
    gcc -O2 -Wno-format-truncation -o bin/mount_writer src/mount_writer.c
    g++ -O2 -o bin/floor_c src/floor_c.cc
)

# Measures ours beside some of the harness's peers; what follows is handed to its bench_reload.py.
measure_peers() { # NAME COMMAND PEERS [ARGUMENT…]
    local name=$1 command=$2 others=$3
    shift 3
    python3 "$peers/bench_reload.py" --peers "floor_c,$others" --adapter "$name=$command" \
        --json "$programs/peers.json" "$@"
    python3 "$root/Benchmarks/peers.py" "$programs/peers.json" "$name"
}
