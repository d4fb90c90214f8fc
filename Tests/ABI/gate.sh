#!/bin/bash
# Whether the interface still is what the last release promised, and only more than that. Both are
# made into a library that does nothing (stub.py), with the compiler of the day, and compared by
# abidiff; the shipped library is tied to that of today by its symbols.
#
#   Tests/ABI/gate.sh [LIBRARY]      by default the one that `make` builds
#   Tests/ABI/gate.sh --accept       a release: what there is now is what the next ones must keep
#
# released.c and released.map are the interface of the last release.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

if [ "${1:-}" = --accept ]; then
    Tests/ABI/stub.py include/cmreload.h >Tests/ABI/released.c
    cp Sources/CMReload/exports.map Tests/ABI/released.map
    exit
fi
library=${1:-build/lib/libcmreload.so.1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Builds a stub library: what a header declares, exported as a map says.
build() { # SOURCE MAP NAME
    gcc -std=gnu11 -g -shared -fPIC ${CFLAGS:--Wall -Wextra -Wno-unused-parameter -Werror} \
        -Wl,--version-script="$2" -Wl,-soname=libcmreload.so.1 -o "$work/$3.so" "$1"
}
released() { build Tests/ABI/released.c Tests/ABI/released.map released; }
current() {
    Tests/ABI/stub.py include/cmreload.h >"$work/current.c"
    build "$work/current.c" Sources/CMReload/exports.map current
}

symbols() { nm -D -g --defined-only "$1" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort; }
tied() { diff <(symbols "$work/current.so") <(symbols "$library"); }

compatible() { # STUB
    abidiff --no-added-syms --suppressions Tests/ABI/grown.suppr "$work/released.so" "$1"
}

# The lines "NAME = NUMBER" of enums: no symbol knows them.
numbers() { grep -oE '\bCMR_[A-Z0-9_]+ = -?[0-9]+' "$1" | LC_ALL=C sort; }
keeps_numbers() { # SOURCE
    ! LC_ALL=C comm -23 <(numbers Tests/ABI/released.c) <(numbers "$1") | grep .
}
repeats_no_number() { # SOURCE
    ! numbers "$1" | sed -E 's/^(CMR_E|CMR_[A-Z]+)_\w+ = /\1 /' | sort | uniq -d | grep .
}

# The lines "NODE NAME" of a map.
nodes() {
    awk '/^CMRELOAD_/ { node = $1 } /^ +cmr_/ { print node, substr($1, 1, length($1) - 1) }' "$1" |
        LC_ALL=C sort
}
# A node that was released loses nothing and gains nothing; one whose release is still to come may
# gain.
keeps_nodes() { # MAP
    local lost gained version
    lost=$(LC_ALL=C comm -23 <(nodes Tests/ABI/released.map) <(nodes "$1"))
    gained=$(LC_ALL=C comm -13 <(nodes Tests/ABI/released.map) <(nodes "$1"))
    [ -z "$lost" ] || { echo "lost: $lost"; return 1; }
    while read -r node name; do
        version=${node#CMRELOAD_}
        [ -z "$node" ] || grep -q "^## $version\.0 — Unreleased" "${CHANGELOG:-CHANGELOG.md}" ||
            { echo "$name cannot join $node, which is released"; return 1; }
    done <<<"$gained"
}

check "the interface of the last release can be built" released
check "the header can be built without the library" current
check "the library exports what the header declares, under the same versions" tied
check "programs of the last release find what they knew" compatible "$work/current.so"
check "numbers are what they were" keeps_numbers "$work/current.c"
check "no number is used twice" repeats_no_number "$work/current.c"
check "exports.map is appended to, never edited" keeps_nodes Sources/CMReload/exports.map

# That the gate closes: each change is made to the header, and must be noticed; the last ones are
# allowed.
changed() { # EXPRESSION
    sed -E "$1" include/cmreload.h >"$work/changed.h"
    ! cmp -s include/cmreload.h "$work/changed.h" || { echo "nothing was changed"; return 2; }
    Tests/ABI/stub.py "$work/changed.h" >"$work/changed.c"
    sed '/cmr_free;/i\        cmr_more;' Sources/CMReload/exports.map >"$work/changed.map"
    CFLAGS=-w build "$work/changed.c" "$work/changed.map" changed
}
# For the reason that is given, not because something else went wrong.
refuses() { # EXPRESSION REASON
    changed "$1" || return
    compatible "$work/changed.so" >"$work/output" && return 1
    grep -q -e "$2" "$work/output" || { cat "$work/output"; return 1; }
}
allows() { changed "$1" && compatible "$work/changed.so"; }
refuses_number() { changed "$1" && ! keeps_numbers "$work/changed.c"; }
refuses_map() {
    sed -E "$1" Sources/CMReload/exports.map >"$work/changed.map"
    ! keeps_nodes "$work/changed.map"
}
# As the change log will stand once 1.0.0 is out.
joins_released() {
    sed 's/^## 1\.0\.0 — .*/## 1.0.0 — 2027-01-01/' CHANGELOG.md >"$work/CHANGELOG.md"
    CHANGELOG=$work/CHANGELOG.md refuses_map '/cmr_free;/i\        cmr_more;' &&
        CHANGELOG=$work/CHANGELOG.md keeps_nodes Tests/ABI/released.map
}

check "notices a struct without struct_size that grows" \
    refuses 's/^(    uint32_t kind;     .*)/\1 uint64_t more;/' 'struct cmr_change'
check "notices a member in the middle of a struct" \
    refuses 's/^(    int32_t os_errno;.*)/\1 int x, y;/' 'struct cmr_error'
check "notices a function that is gone" \
    refuses 's/^void cmr_free\(.*//' '^1 Removed function'
check "notices one more argument" \
    refuses 's/^void cmr_free\(void \*memory/&, int kind/' 'parameter 2 of type .int. was added'
check "notices another result" \
    refuses 's/^void cmr_free\(/int cmr_free(/' 'return type changed'
check "notices another argument of a callback" \
    refuses 's/(\(\*cmr_log_fn\)\(void \*context, )int32_t/\1int64_t/' 'typedef cmr_log_fn'
check "notices another number" refuses_number 's/(CMR_E_PARSE = )6/\17/'
check "notices a number that is gone" refuses_number 's/^ +CMR_EVENT_DRAINED = .*//'
check "notices a name that left exports.map" refuses_map '/cmr_free;/d'
check "notices a name that joins a version that is released" joins_released
check "notices a name that moved to another version" \
    refuses_map 's/^(CMRELOAD_)1\.0/\11.1/'
check "allows a function more" allows 's/^(void cmr_free\(.*)/\1 void cmr_more(void);/'
check "allows a struct with struct_size to grow at its end" \
    allows 's/^(    char message\[512\];.*)/\1 int64_t more;/'

summary
