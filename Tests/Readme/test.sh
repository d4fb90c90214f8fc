#!/bin/bash
# Runs what README.md shows: its program against a real mount, its functions as part of others, and its install
# lines with an archive of a prefix.
#
#     test.sh [PREFIX]        where libcmreload is installed; the tree's build/ unless told otherwise
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
prefix=$(cd "${1:-$root/build}" && pwd) || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 deadline=5
# Programs are linked with the place of the library; those of the README find it as the README says.
unset LD_LIBRARY_PATH PKG_CONFIG_PATH
CC=${CC:-$(command -v cc || command -v gcc || command -v clang)}
flags=("-I$prefix/include" "-L$prefix/lib" "-Wl,-rpath,$prefix/lib" -lcmreload)

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
block c 1 | sed "s|/etc/config|$work/config|" > "$work/program.c"
make -s -C "$root/bindings/c/examples" CC="$CC" OUT="$work/bin" CMRELOAD_CFLAGS="${flags[0]}" \
    CMRELOAD_LIBS="${flags[*]:1}" "$work/bin/cmr-write" || exit 1
update() { "$work/bin/cmr-write" "$work/config" "$@"; }
check "the README begins with a program" grep -q 'int main(void)' "$work/program.c"
check "of at most 15 lines" [ "$(wc -l < "$work/program.c")" -le 15 ]
check "that compiles" "$CC" -Wall -Werror -o "$work/program" "$work/program.c" "${flags[@]}"

check "that says why it does not start" \
    [ "$("$work/program" < /dev/null)" = "the source is missing: No such file or directory" ]

mkdir "$work/config"
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
shown=$'dark 1, limit 7, timeout 250000000\n1 0'
check "and read" [ "$("$work/reading" "$work/config")" = "$shown" ]

# The function under "Safe change" guards.
{
    printf '#include <cmreload.h>\n#include <stdio.h>\n#include <string.h>\n'
    block c 4
    printf 'int main(int argc, char **argv) {\n    const char *schema = argv[argc - 1];\n'
    printf '    cmr_watcher *watcher = guarded(schema, strlen(schema), NULL);\n'
    printf '    cmr_watcher_add_mount(watcher, argv[argc - 2], NULL);\n'
    printf '    puts(cmr_status_name(cmr_watcher_start(watcher, NULL)));\n    cmr_watcher_destroy(watcher);\n}\n'
} > "$work/guarded.c"
guarded() { "$work/guarded" "$work/config" "{\"properties\": {\"dark_mode\": {\"type\": \"$1\"}}}"; }
check "the function under Safe change compiles" \
    "$CC" -Wall -Wextra -Werror -o "$work/guarded" "$work/guarded.c" "${flags[@]}"
check "and lets pass what the schema allows" [ "$(guarded boolean)" = CMR_OK ]
check "and nothing else" [ "$(guarded string)" = CMR_E_REJECTED ]

# The lines under "Install", in a shell that knows nothing else, with an archive of the prefix.
version=$(sed -n 's/^#define CMR_VERSION[A-Z_]* "\(.*\)"$/\1/p' "$root/include/cmreload.h")
name=libcmreload-$version-linux-x86_64
installed() {
    {
        sed -n '/^From the archive/,/^Go /s/^    //p' "$root/README.md" | sed "s|^cc |$CC |"
        echo "./a.out '$work/config'"
    } | (cd "$work/install" && bash -e)
}
if command -v pkg-config > /dev/null; then
    mkdir "$work/install"
    cp "$work/reading.c" "$work/install/service.c"
    tar -C "$prefix" --transform "s|^|$name/|S" -czf "$work/install/$name.tar.gz" \
        include/cmreload.h lib/libcmreload.so lib/libcmreload.so.1 lib/pkgconfig/cmreload.pc
    check "the lines under Install make a program that runs" [ "$(installed)" = "$shown" ]
else
    echo "SKIPPED the lines under Install: pkg-config is missing"
fi

check "the archive is named as this version is" grep -q "$name.tar.gz" "$root/README.md"
check "CHANGELOG.md begins with this version" [ "$(sed -n 's/^## \([0-9.]*\) .*/\1/p' "$root/CHANGELOG.md" | head -1)" = "$version" ]
files=$(grep -o '](\([^)#]*\))' "$root"/*.md | sed 's/.*](\(.*\))/\1/' | grep -v '^http' | sort -u)
for file in $files; do check "there is $file" [ -e "$root/$file" ]; done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
