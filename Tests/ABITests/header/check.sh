#!/bin/bash
# Checks of include/cmreload.h alone, and of its agreement with exports.map and with built libraries.
#
#   Tests/ABITests/header/check.sh [libcmreload.so …]
#
# A missing compiler is said and passed over. Exit status 0 when all that ran passed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
header=$root/include/cmreload.h
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# check SENTENCE COMMAND…: runs the command and says how it went.
check() {
    local sentence=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok    $sentence"
    else
        failed=$((failed + 1))
        echo "FAIL  $sentence"
        sed 's/^/      /' "$work/output"
    fi
}

strict="-Wall -Wextra -pedantic -Werror -I$root/include"

compiles_alone() { # COMPILER LANGUAGE STANDARD
    echo '#include <cmreload.h>' >"$work/alone.$2"
    "$1" -std="$3" $strict -fsyntax-only "$work/alone.$2" &&
        "$1" -std="$3" $strict -fsyntax-only -x "$2" "$header"
}

no_long_line() {
    ! awk 'length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns"; bad = 1 }
           /[ \t]$/ || /\t/ { print FILENAME ":" FNR ": tab or trailing space"; bad = 1 }
           END { exit !bad }' "$header"
}

no_macro_too_many() {
    ! grep -nE '^ *# *define' "$header" |
        grep -vE 'define (CMRELOAD_H|CMR_VERSION(_MAJOR|_MINOR|_PATCH)?|CMR_[A-Z]+_INIT)( |$)'
}

version_text_is_the_numbers() {
    number() { sed -n "s/^#define CMR_VERSION_$1 //p" "$header"; }
    grep -qxF "#define CMR_VERSION \"$(number MAJOR).$(number MINOR).$(number PATCH)\"" "$header"
}

# Takes the program out of the opening comment, between "Quick start" and the rules.
quick_start_compiles() { # COMPILER STANDARD
    sed -n '/^ \* Quick start/,/^ \* Rules/p' "$header" | sed -n 's/^ \*   //p' >"$work/quick.c"
    [ "$(wc -l <"$work/quick.c")" -gt 15 ] && "$1" -std="$2" $strict -c "$work/quick.c" -o "$work/quick.o"
}

declared() {
    "$cc" -E -P -I"$root/include" "$header" | grep -v 'static inline' |
        grep -oE '\bcmr_[a-z0-9_]+\(' | tr -d '(' | sort -u
}

mapped() { grep -oE '^ +cmr_[a-z0-9_]+;' "$root/Sources/CMReload/exports.map" | tr -d ' ;' | sort; }

map_agrees() { diff <(declared) <(mapped) | grep '^[<>]' |
    sed 's/^</only in cmreload.h:/; s/^>/only in exports.map:/' >"$work/diff"; cat "$work/diff"; [ ! -s "$work/diff" ]; }

# Every symbol carries the node of the version that brought it, and nothing else is exported.
binary_agrees() {
    diff <(declared | sed 's/$/@@CMRELOAD_1.0/') \
         <(nm -D -g --defined-only "$1" | awk '$2 != "A" { print $3 }' | sort) | grep '^[<>]' |
        sed "s/^</only in cmreload.h:/; s/^>/only in the library:/" >"$work/diff"
    cat "$work/diff"
    [ ! -s "$work/diff" ]
}

soname_is_1() { readelf -d "$1" | grep -F SONAME | grep -F '[libcmreload.so.1]'; }

two_units_link() { # LIBRARY
    local name=${1##*/}
    $cc -std=c11 $strict -c "$here/include_twice.c" -o "$work/one.o" &&
        $cxx -std=c++17 $strict -c "$here/include_twice.cc" -o "$work/two.o" &&
        $cxx "$work/one.o" "$work/two.o" -L"${1%/*}" -l:"$name" -Wl,-rpath,"${1%/*}" -o "$work/both" &&
        ln -sfn "$(realpath "$1")" "$work/libcmreload.so.1" &&
        LD_LIBRARY_PATH=$work "$work/both"
}

compilers=
for pair in "gcc g++" "clang clang++"; do
    set -- $pair "$@"
    if command -v "$1" >/dev/null && command -v "$2" >/dev/null; then
        [ -n "$compilers" ] || { cc=$1; cxx=$2; }
        compilers="$compilers $1"
        for standard in c99 c11 c17; do
            check "compiles alone with $1 as $standard" compiles_alone "$1" c $standard
            check "its quick start compiles with $1 as $standard" quick_start_compiles "$1" $standard
        done
        check "compiles alone with $2 as c++17" compiles_alone "$2" c++ c++17
        check "structs have the layout of the ABI, without holes, with $1" \
            "$1" -std=c11 $strict -Wpadded -fsyntax-only "$here/layout.c"
    else
        echo "SKIPPED header: $1 is not installed"
    fi
    shift 2
done
[ -n "$compilers" ] || { echo "FAIL  there is no C compiler"; exit 1; }

check "has no line over 100 columns, no tab, no trailing space" no_long_line
check "has no macros but version and init" no_macro_too_many
check "states one version" version_text_is_the_numbers
check "documents every declaration, with the lines that apply" awk -f "$here/documented.awk" "$header"
check "declares what exports.map lists" map_agrees
for library in "$@"; do
    library=$(realpath "$library")
    check "declares what ${library#"$root"/} exports" binary_agrees "$library"
    check "${library#"$root"/} is libcmreload.so.1" soname_is_1 "$library"
    check "links from a C and a C++ unit against ${library#"$root"/}" two_units_link "$library"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
