#!/bin/bash
# Builds the writer and the hosts of the soak and runs it against the library as it ships:
#
#   Tests/Soak/run.sh [MINUTES [OPTION…]]     options are soak.py's; one minute when left out
#
#   CMRELOAD_PREFIX=…   tests a library that is installed there instead of building this one
#
# What was observed is in build/soak/samples.csv.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
minutes=${1:-1}
shift || true
prefix=${CMRELOAD_PREFIX:-$root/build}
programs=$root/build/soak
mkdir -p "$programs"
[ -n "${CMRELOAD_PREFIX:-}" ] || make -s -C "$root" all
"$root/.ci/tools" gcc python3 pkg-config

flags=(-std=gnu11 -O2 -g -Wall -Wextra -Werror -I"$root/Benchmarks/mount" -I"$root/Tests/Stress"
    -I"$prefix/include")
mounts=("$root"/Benchmarks/mount/{kubelet,shape}.c)
cc "${flags[@]}" -o "$programs/writer" "$root/Tests/Soak/writer.c" "${mounts[@]}"
cc "${flags[@]}" -o "$programs/host" "$root/Tests/Soak/host.c" "$root/Tests/Stress/stress.c" \
    "${mounts[@]}" -pthread -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload
. "$root/bindings/go/env.sh"
(cd "$root/Tests/Soak/go" && go build -o "$programs/go-host" .)

export CMRELOAD_LIBRARY=$prefix/lib/libcmreload.so.1 PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$root/bindings/python/src
exec python3 "$root/Tests/Soak/soak.py" "$programs" "$minutes" "$@"
