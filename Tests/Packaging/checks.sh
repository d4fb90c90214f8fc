# For the shell tests of this folder: `check "sentence" command…` runs a command quietly and counts
# it, `summary` prints what was counted and ends. `skip` names what could not be tried; where CI is
# set that is a failure.
passed=0 failed=0

check() {
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok      $sentence"
    else
        failed=$((failed + 1))
        echo "FAILED  $sentence"
        [ -z "$output" ] || sed 's/^/        /' <<<"$output"
    fi
}

skip() {
    if [ -n "${CI:-}" ]; then
        check "$1" false
    else
        echo "SKIPPED $1"
    fi
}

# Whether a command prints exactly a text.
prints() {
    local expected=$1 actual
    shift
    actual=$("$@") || return
    [ "$actual" = "$expected" ] && return
    printf 'expected: %s\nactual:   %s\n' "$expected" "$actual"
    return 1
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
