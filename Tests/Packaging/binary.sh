#!/bin/bash
# What the shipped library is from outside: its size, what it exports, what it needs of the machine
# it runs on. Takes the library to look at, by default the one that `make` builds.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

library=${1:-build/lib/libcmreload.so.1}
# A ninth of it is libyaml.
largest_size=600000
newest_glibc=2.34

exported() { nm -D -g --defined-only "$library" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort; }
mapped() {
    sed -n 's/^ *\(cmr_[a-z0-9_]*\);$/\1@@CMRELOAD_1.0/p' Sources/CMReload/exports.map |
        LC_ALL=C sort
}
dynamic() { readelf -dW "$library" | sed -n "s/.*($1).*\[\(.*\)\]/\1/p"; }

# The functions that the header declares and does not define itself, by the compiler's reading of
# it.
declared() {
    clang -std=c11 -fsyntax-only -Xclang -ast-dump=json include/cmreload.h | python3 -c '
import json, sys
for node in json.load(sys.stdin)["inner"]:
    if node["kind"] == "FunctionDecl" and node["name"].startswith("cmr_"):
        if not node.get("inline"):
            print(node["name"] + "@@CMRELOAD_1.0")' | LC_ALL=C sort
}

fits() {
    local size
    size=$(stat -Lc %s "$library")
    echo "$size bytes"
    [ "$size" -le $largest_size ]
}

# A page more of zeros is a mapping more, which takes the loader a tenth of its time.
maps_few_pages() {
    local start size pages=0
    while read -r start size; do
        pages=$((pages + (start + size + 4095) / 4096 - start / 4096))
    done < <(readelf -lW "$library" | awk '$1 == "LOAD" && / RW / { print $3, $6 }')
    echo "$pages pages are written to"
    [ $pages -gt 0 ] && [ $pages -le 4 ]
}

old_glibc_suffices() {
    local newest
    newest=$(objdump -T "$library" | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -Vu | tail -n 1)
    echo "needs glibc $newest"
    [ "$(printf '%s\n' "$newest" $newest_glibc | sort -V | tail -n 1)" = $newest_glibc ]
}

# Every undefined symbol carries the version of a glibc that has it; without one nobody provides it,
# and a program that links against the library would have to.
nothing_is_missing() { ! nm -D --undefined-only "$library" | grep -v -e @ -e ' w '; }

# Whether two of the lists above are one; says what only one of them has.
agree() { diff <("$1") <("$2"); }

# Position independent to the last page, no executable stack: nothing that a hardened host would
# refuse.
no_text_relocations() { ! readelf -dW "$library" | grep TEXTREL; }
stack_is_data() { readelf -lW "$library" | grep GNU_STACK | grep -q ' RW '; }
is_sealed() { readelf -dW "$library" | grep BIND_NOW && readelf -lW "$library" | grep GNU_RELRO; }
names_no_folder() { ! strings -a "$library" | grep -F -e "$PWD" -e "${HOME:-$PWD}/"; }
is_stripped() { ! readelf -SW "$library" | grep -e ' \.symtab' -e ' \.debug_'; }

check "is at most $largest_size bytes" fits
check "is stripped" is_stripped
check "has at most four pages that are written to" maps_few_pages
check "exports exactly what exports.map lists" agree mapped exported
check "exports exactly what the header declares" agree declared exported
check "has its SONAME" prints libcmreload.so.1 dynamic SONAME
check "needs libc alone" prints libc.so.6 dynamic NEEDED
check "lacks no symbol" nothing_is_missing
check "looks for libraries where the system does, nowhere else" prints "" dynamic RUNPATH
check "needs no glibc newer than $newest_glibc" old_glibc_suffices
check "says so in README.md" grep -q "with glibc $newest_glibc or newer" README.md
check "has no text relocations" no_text_relocations
check "has no executable stack" stack_is_data
check "seals its tables once it is loaded" is_sealed
check "names no folder of the machine that built it" names_no_folder

summary
