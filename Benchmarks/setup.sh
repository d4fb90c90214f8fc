# Sourced by every run.sh here: where things are, and what they are built with. Run by itself it
# builds nothing; each part builds its own programs into build/bench.
#
#   QUICK=1             fewer updates and shorter loops: a look, not a measurement
#   CMRELOAD_PREFIX=…   measures a library that is installed there instead of building this one

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=$root/build/bench
prefix=${CMRELOAD_PREFIX:-$root/build}
benchmark_flags=(-O2 -Wall -Wextra -Werror -I"$root/Benchmarks" -I"$root/Benchmarks/mount"
    -I"$prefix/include")
library_flags=(-L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload)
export PYTHONDONTWRITEBYTECODE=1

build_library() {
    [ -n "${CMRELOAD_PREFIX:-}" ] || make -s -C "$root" all
    mkdir -p "$programs"
}

# The compilers and Python; libyaml, which the library has in it; and simdjson, which the floors
# parse with and the library never needs.
need_tools() {
    "$root/.ci/tools" gcc g++ python3 simdjson libyaml >&2
}

c_program() { # NAME SOURCE… [FLAG…]
    local name=$1
    shift
    cc -std=gnu11 "${benchmark_flags[@]}" -o "$programs/$name" "$@"
}

cxx_program() { # NAME SOURCE… [FLAG…]
    local name=$1
    shift
    c++ -std=c++17 "${benchmark_flags[@]}" -o "$programs/$name" "$@"
}

# What follows a mount, and what writes it: the floor in C, ours, and the kubelet's steps.
build_followers() {
    need_tools
    build_library
    local here=$root/Benchmarks
    cc -std=gnu11 "${benchmark_flags[@]}" -c -o "$programs/shape.o" "$here/mount/shape.c"
    c_program writer "$here"/mount/{writer,kubelet,shape}.c
    c_program ours "$here/reload/ours.c" "$here/mount/shape.c" "${library_flags[@]}"
    cxx_program floor_c "$here/reload/floor.cc" "$programs/shape.o"
}

# Config from the library's own sources, as Package.swift compiles it for the library that ships, and
# a driver: compile_config MODULE DRIVER OBJECT. What links the object takes "${config_linkage[@]}".
compile_config() {
    cc -O2 -fPIC -I"$root/Sources/CYAML/include" -c -o "$programs/yaml_memory.o" \
        "$root/Sources/CYAML/memory.c"
    # Three parts share the parsers.
    [ -z "$(find "$root/Sources/Config" "$2" "$3" -newer "$3" 2>&1)" ] && return
    swiftc -Osize -enforce-exclusivity=unchecked -Xfrontend -mergeable-traps \
        -Xllvm -sil-disable-pass=closure-specialize \
        -wmo -parse-as-library -swift-version 6 -package-name cmreload \
        -module-name "$1" -enable-experimental-feature Embedded \
        -enable-experimental-feature BuiltinModule \
        -enable-upcoming-feature InternalImportsByDefault \
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility \
        -warnings-as-errors -Xcc -fPIC -I "$root/Sources/CYAML/include" -c -o "$3" \
        $(find "$root/Sources/Config" -name '*.swift') "$2"
}
config_linkage=("$programs/yaml_memory.o" -l:libyaml.a
    -Wl,--wrap=malloc,--wrap=realloc,--wrap=free,--wrap=strdup)

# The parsers; a program that measures them is linked with "${parsers[@]}".
build_parsers() {
    compile_config ConfigBench "$root/Benchmarks/ParserDriver.swift" "$programs/parsers.o"
    parsers=("$programs/parsers.o" "${config_linkage[@]}")
}

# A program in Go that uses a package of Debian's; Go's env.sh was sourced before.
build_go_peer() { # NAME
    GOFLAGS= GO111MODULE=off GOPATH=$root/Benchmarks/peers/go:/usr/share/gocode \
        go build -o "$programs/peer_$1" "$root/Benchmarks/peers/go/src/$1/main.go"
}
