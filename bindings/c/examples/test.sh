#!/bin/bash
# Runs the example programs for real and checks what they print; every wait is on a line, with a deadline.
#
#     test.sh [PREFIX]        where libcmreload is installed; the tree's build/ unless told otherwise
set -u
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "${1:-$here/../../../build}" && pwd) || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mount=$work/config
passed=0 failed=0 deadline=5

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
CC=${CC:-$(command -v cc || command -v gcc || command -v clang)}
flags=()
[ -f "$PKG_CONFIG_PATH/cmreload.pc" ] && command -v pkg-config > /dev/null ||
    flags=("CMRELOAD_CFLAGS=-I$prefix/include" "CMRELOAD_LIBS=-L$prefix/lib -lcmreload")
make -s -C "$here" CC="$CC" OUT="$work/bin" "${flags[@]}" || exit 1

# check NAME COMMAND...: the command succeeds.
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

# run PROGRAM ARGUMENT...: in the background, between two pipes; its standard error joins its output.
mkfifo "$work/input" "$work/output"
exec {input}<> "$work/input"
run() {
    "$work/bin/$1" "${@:2}" < "$work/input" > "$work/output" 2>&1 &
    program=$!
    exec {output}< "$work/output"
}

# hears PATTERN: a line that matches arrives in time; lines before it are passed over.
hears() {
    local line until=$((SECONDS + deadline))
    while [ $SECONDS -lt $until ] && IFS= read -r -t $deadline -u $output line; do
        heard=$line
        [[ $line =~ $1 ]] && return 0
    done
    echo "      waited for: $1, last line: ${heard-none}"
    return 1
}

says() { echo "$1" >&$input; }
update() { "$work/bin/cmr-write" "$mount" "$@"; }

# ends SIGNAL STATUS: the program ends with that status. Its output must end first, in time.
ends() {
    local line until=$((SECONDS + deadline)) result
    [ "$1" = none ] || kill -s "$1" "$program"
    while [ $SECONDS -lt $until ] && IFS= read -r -t $deadline -u $output line; do heard=$line; done
    exec {output}<&-
    [ $SECONDS -lt $until ] || kill -s KILL "$program"
    wait "$program" 2> /dev/null
    result=$?
    [ $result = "$2" ] || { echo "      exit status $result instead of $2"; return 1; }
}

refuses() { ! "$@" > "$work/refusal" 2>&1; }
same() { [ "$1" = "$2" ] || { echo "      '$1' instead of '$2'"; return 1; }; }

echo "# cmr-write"
mkdir "$mount"
check "a mount is written" update log_level=info 'features.json={"dark_mode": false}' user/labels=a
check "..data names a timestamped directory" test -d "$mount/..data" -a -L "$mount/..data"
check "keys are links through ..data" same "$(readlink "$mount/log_level")" ..data/log_level
check "a nested key is linked by its first directory" same "$(readlink "$mount/user")" ..data/user
generation=$(readlink "$mount/..data")
check "the same content is written again" update log_level=info 'features.json={"dark_mode": false}' user/labels=a
check "and writes nothing" same "$(readlink "$mount/..data")" "$generation"
printf 'two\nlines' > "$work/file"
check "a key comes from a file, the others go" update "text=@$work/file"
check "byte by byte" cmp "$work/file" "$mount/text"
check "the links of the others are gone" same "$(ls "$mount")" text
check "the old directory is gone" test ! -e "$mount/$generation"
check "no directory, no mount" refuses "$work/bin/cmr-write" "$work/absent" a=1
check "a key without a value is refused" refuses update a
check "a key that begins with two dots is refused" refuses update ..a=1

echo "# watch"
update log_level=info banner=Welcome
run watch "$mount"
check "prints version 1" hears '^version 1$'
check "with its keys" hears '^  banner = Welcome$'
check "all of them" hears '^  log_level = info$'
update log_level=debug banner=Welcome
check "prints version 2" hears '^version 2$'
check "with the new value" hears '^  log_level = debug$'
update log_level=debug 'broken.json={'
check "keeps the version when a key does not parse" hears '^keeping version 2: '
update log_level=debug
check "goes on with the next good one" hears '^version 3$'
check "and says what is gone" hears '^  banner is gone$'
check "ends on SIGTERM" ends TERM 0
run watch "$work/absent"
check "a missing mount is said" hears '^watch: .*absent: '
check "and ends it" ends none 1

echo "# service"
update log_level=info 'features.json={"dark_mode": false}'
run service "$mount"
check "hears of version 1" hears ' version 1 changed 2$'
check "with its values" hears '^  \+ features.json \{"dark_mode": ?false\}$'
says "get log_level"
check "a worker reads" hears '^answer version 1 log_level = "info"$'
update log_level=debug 'features.json={"dark_mode": true}'
check "hears of version 2" hears ' version 2 changed 2$'
check "with old and new values" hears '^  ~ log_level "info" -> "debug"$'
says "get features.json#/dark_mode"
check "a worker reads the new version" hears '^answer version 2 features.json#/dark_mode = true$'
says "get absent"
check "a worker says that a key is absent" hears '^answer version 2 absent = CMR_E_NOT_FOUND$'
served_dark() {
    local until=$((SECONDS + deadline))
    while [ $SECONDS -lt $until ]; do
        says status
        hears '^status healthy version 2 ' || return 1
        [[ $heard =~ dark\ [1-9] ]] && return 0
    done
    return 1
}
check "ordinary requests see the flag" served_dark
update log_level=warn $'features.json={\n  "dark_mode": false,\n  "beta" true\n}'
check "hears of the rejection, with line and column" hears ' rejected features.json:3:10: .*; version 2 stays$'
says status
check "is unhealthy" hears '^status unhealthy version 2 '
says "get log_level"
check "a worker still reads version 2" hears '^answer version 2 log_level = "debug"$'
update log_level=warn 'features.json={"dark_mode": false}'
check "hears of version 3" hears ' version 3 changed 2$'
reloaded() {
    local until=$((SECONDS + deadline))
    kill -s HUP "$program"
    while [ $SECONDS -lt $until ]; do
        says status
        hears '^status healthy version 3 ' || return 1
        [[ $heard =~ unchanged\ [1-9] ]] && return 0
    done
    return 1
}
check "SIGHUP reloads, and finds nothing new" reloaded
rm -rf "$mount"
check "hears of the lost mount" hears ' lost .*; version 3 stays$'
mkdir "$mount" && update log_level=error 'features.json={"dark_mode": false}'
check "hears that it is back" hears ' recovered'
check "with what is new in it" hears '^  ~ log_level "warn" -> "error"$'
check "ends on SIGTERM" ends TERM 0
check "and has served" [ "${heard#ended after [1-9]}" != "$heard" ]

echo "# service: safe change"
cat > "$work/schema.json" << 'SCHEMA'
{"properties": {"dark_mode": {"type": "boolean"}, "rate": {"type": "integer", "maximum": 100}}}
SCHEMA
metrics=$work/service.prom
update log_level=info 'features.json={"dark_mode": false}'
run service --schema "$work/schema.json" --confirm 60000 --metrics "$metrics" "$mount"
check "hears of version 1" hears ' version 1 changed 2$'
update log_level=info $'features.json={"dark_mode": 1,\n "rate": 101}'
check "the schema rejects" hears ' rejected features.json:1:15: type at /dark_mode: .*; version 1 stays$'
check "all that it found is told" hears '^  ! features.json/rate: expected '
update log_level=info 'features.json={"dark_mode": false, "beta_search": true}'
check "the veto rejects" hears ' rejected features.json:0:0: beta_search is made for dark_mode only; version 1 stays$'
update log_level=info 'features.json={"dark_mode": true, "beta_search": true}'
check "what passes both comes" hears ' version 2 changed 1$'
says "confirm 2"
says "confirm 9"
check "a version that is not there cannot be confirmed" hears '^not confirmed: CMR_E_NOT_FOUND$'
wrote() {
    local until=$((SECONDS + deadline))
    while [ $SECONDS -lt $until ]; do grep -qs "$1" "$metrics" && return 0; done
    return 1
}
check "metrics are written" wrote '^config_version{watcher="service"} 2$'
check "what was rejected is counted" wrote '^config_reload_total{watcher="service",status="rejected"} 2$\|^config_reload_total{status="rejected",watcher="service"} 2$'
check "--rollback tells it to go back" "$work/bin/service" --rollback "$program"
check "it goes back" hears ' version 3 changed 1 by going back$'
check "to the old value" hears '^  ~ features.json .* -> \{"dark_mode": ?false\}$'
"$work/bin/service" --rollback "$program"
check "there is nothing further back" hears '^cannot go back: '
check "ends on SIGTERM" ends TERM 0
run service --confirm 300 "$mount"
check "starts again" hears ' version 1 changed 2$'
update log_level=trace 'features.json={"dark_mode": true}'
check "a version comes" hears ' version 2 changed 2$'
check "and goes, when nobody confirms it" hears ' version 3 changed 2 by going back$'
check "ends on SIGINT" ends INT 0
echo "{" > "$work/schema.json"
run service --schema "$work/schema.json" "$mount"
check "a schema that is wrong is said" hears '^service: features.json: '
check "and ends it" ends none 1
check "an unknown option is refused" refuses "$work/bin/service" --unknown "$mount"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
