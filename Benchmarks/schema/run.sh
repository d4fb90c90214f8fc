#!/bin/bash
# Builds and runs the benchmark of JSON Schema; what follows is handed to compare.py.
set -euo pipefail
. "$(dirname "$0")/../setup.sh"
. "$root/bindings/go/env.sh"
cd "$root/Benchmarks"
"$root/.ci/tools" gcc python3 pip3 libyaml >&2
"$root/.ci/tools" --optional gojsonschema >&2
mkdir -p "$programs"

# The validators that it is measured against, for this benchmark alone.
peers=$programs/python
if [ ! -d "$peers" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$peers.new" \
        fastjsonschema jsonschema-rs >&2
    mv "$peers.new" "$peers"
fi
export PYTHONPATH=$peers
go_peer=()
build_go_peer gojsonschema && go_peer=(--gojsonschema "$programs/peer_gojsonschema")

compile_config SchemaBench schema/Driver.swift "$programs/schema.o"
c_program schema.so -shared -fPIC schema/schema.c "$programs/schema.o" "${config_linkage[@]}"

quick=()
[ -z "${QUICK:-}" ] || quick=(--rounds 5 --wait 10)
exec python3 schema/compare.py --library "$programs/schema.so" "${go_peer[@]}" "${quick[@]}" "$@"
