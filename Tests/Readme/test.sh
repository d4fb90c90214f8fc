#!/bin/bash
# Runs what README.md shows: its program against a real mount, its functions as part of another, and its install
# lines against a prefix.
#
#     test.sh [PREFIX]        where libcmreload is installed; the tree's build/ unless told otherwise
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
prefix=$(cd "${1:-$root/build}" && pwd) || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 deadline=5
export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
CC=${CC:-$(command -v cc || command -v gcc || command -v clang)}
flags=("-I$prefix/include" "-L$prefix/lib" -lcmreload)

check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
    fi
}

# block LANGUAGE NUMBER: that block of code of the README's.
block() {
    awk -v language="$1" -v number="$2" '
        /^```/ { if (inside) { inside = 0 } else if ($0 == "```" language) { inside = ++count == number }; next }
        inside' "$root/README.md"
}

hears() {
    local line
    while IFS= read -r -t $deadline -u $output line; do
        [ "$line" = "$1" ] && return 0
        echo "      heard: $line"
    done
    echo "      never heard: $1"
    return 1
}

# The program, on another mount than /etc/config and with its lines unbuffered.
mkdir "$work/config"
block c 1 | sed "s|/etc/config|$work/config|" > "$work/program.c"
make -s -C "$root/bindings/c/examples" CC="$CC" OUT="$work/bin" CMRELOAD_CFLAGS="${flags[0]}" \
    CMRELOAD_LIBS="${flags[1]} ${flags[2]}" "$work/bin/cmr-write" || exit 1
update() { "$work/bin/cmr-write" "$work/config" "$@"; }
check "the README begins with a program" grep -q 'int main(void)' "$work/program.c"
check "of at most 15 lines" [ "$(wc -l < "$work/program.c")" -le 15 ]
check "that compiles" "$CC" -Wall -Werror -o "$work/program" "$work/program.c" "${flags[@]}"

update log_level=info
mkfifo "$work/input" "$work/output"
exec {input}<> "$work/input"
stdbuf -oL "$work/program" < "$work/input" > "$work/output" 2>&1 &
program=$!
exec {output}< "$work/output"
check "prints version 1" hears "version 1: log_level is info"
update log_level=debug
check "prints version 2" hears "version 2: log_level is debug"
echo >&$input
check "and ends when it is told to" wait "$program"

# The functions under "Reading" compile and read.
{
    printf '#include <cmreload.h>\n#include <stdio.h>\n'
    block c 2
    block c 3
    printf 'int main(int argc, char **argv) {\n    cmr_watcher *watcher = NULL;\n    cmr_watcher_create(&watcher);\n'
    printf '    cmr_watcher_add_mount(watcher, argv[argc - 1], NULL);\n    if (cmr_watcher_start(watcher, NULL) != CMR_OK)\n'
    printf '        return 1;\n    configure(watcher);\n    bind_limit(watcher);\n'
    printf '    printf("%%d %%d\\n", is_too_many(8), is_too_many(7));\n    cmr_watcher_destroy(watcher);\n}\n'
} > "$work/reading.c"
update 'features.json={"dark_mode": true}' 'limits.json={"requests": [7]}' timeout=250ms
check "the functions under Reading compile" "$CC" -Wall -Wextra -Werror -o "$work/reading" "$work/reading.c" "${flags[@]}"
check "and read" [ "$("$work/reading" "$work/config")" = "dark 1, limit 7, timeout 250000000
1 0" ]

# The compiler line under "Install", from where the archive would lie.
if [ -f "$prefix/lib/pkgconfig/cmreload.pc" ] && command -v pkg-config > /dev/null; then
    line=$(sed -n 's/^    cc \(.*\)/\1/p' "$root/README.md")
    cp "$work/reading.c" "$work/service.c"
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    check "the compiler line under Install works" sh -c "cd '$work' && '$CC' $line"
fi

version=$(sed -n 's/^#define CMR_VERSION[A-Z_]* "\(.*\)"$/\1/p' "$root/include/cmreload.h")
check "the archive is named as this version is" grep -q "libcmreload-$version-linux-x86_64.tar.gz" "$root/README.md"
check "CHANGELOG.md begins with this version" [ "$(sed -n 's/^## \([0-9.]*\) .*/\1/p' "$root/CHANGELOG.md" | head -1)" = "$version" ]
files=$(grep -o '](\([^)#]*\))' "$root"/*.md | sed 's/.*](\(.*\))/\1/' | grep -v '^http' | sort -u)
for file in $files; do check "there is $file" [ -e "$root/$file" ]; done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
