#!/bin/bash
# Sees that .ci/suite and .ci/summary notice every way in which a suite can go wrong: what judges all
# tests must not be the one thing that nothing judges.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

group=suites-$$
trap 'rm -rf "build/$group"' EXIT

# Runs one suite by itself and compares the summary's last line and its exit status.
ends() { # EXPECTED STATUS COMMAND…
    local expected=$1 status=$2 actual
    shift 2
    rm -rf "build/$group"
    LIMIT=1 .ci/suite "$group" one "$@" >/dev/null
    actual=$(.ci/summary "build/$group" | tail -n 1; exit "${PIPESTATUS[0]}")
    [ $? = "$status" ] && prints "$expected" echo "$actual"
}

run='Test run with 5 tests in 2 suites'
check "counts what passes" ends "3 passed, 0 failed" 0 echo "3 passed, 0 failed"
check "adds up programs" ends "5 passed, 0 failed" 0 printf '%s passed, 0 failed\n' 2 3
check "counts under a name" ends "3 passed, 0 failed" 0 echo "header: 3 passed, 0 failed"
check "counts Swift tests" ends "5 passed, 0 failed" 0 echo "✔ $run passed after 0.1 seconds."
check "counts Swift failures" ends "4 passed, 1 failed" 1 printf '%s\n' \
    '✘ Test "a sentence" failed after 0.1 seconds with 2 issues.' \
    "✘ $run failed after 0.1 seconds with 2 issues."
check "counts Go tests, those within others alone" ends "2 passed, 0 failed" 0 printf '%s\n' \
    '    --- PASS: TestAll/one (0.00s)' '    --- SKIP: TestAll/two (0.00s)' '--- PASS: TestAll (0.00s)' \
    '--- PASS: TestOther (0.10s)'
check "counts Go failures" ends "1 passed, 1 failed" 1 printf '%s\n' \
    '--- PASS: TestOne (0.00s)' '--- FAIL: TestTwo (0.00s)'
check "a failure fails" ends "2 passed, 1 failed" 1 echo "2 passed, 1 failed"
check "a failure is counted once" ends "2 passed, 1 failed" 1 \
    sh -c 'echo "2 passed, 1 failed"; exit 1'
check "a death after passing fails" ends "2 passed, 1 failed" 1 \
    sh -c 'echo "2 passed, 0 failed"; kill -SEGV $$'
check "silence fails" ends "0 passed, 1 failed" 1 true
check "no test at all fails" ends "0 passed, 1 failed" 1 echo "0 passed, 0 failed"
check "a program that is not there fails" ends "0 passed, 1 failed" 1 ./absent
check "a hang fails" ends "1 passed, 1 failed" 1 sh -c 'echo "1 passed, 0 failed"; sleep 60'
# The summary is what is left of a run elsewhere.
names() { # TEXT COMMAND…
    local text=$1
    shift
    rm -rf "build/$group"
    .ci/suite "$group" one "$@" >/dev/null
    .ci/summary "build/$group" | grep -q "^    FAILED .*$text"
}
check "the summary names what failed" names TestTwo printf '%s\n' \
    '--- PASS: TestOne (0.00s)' '--- FAIL: TestTwo (0.00s)'
check "the summary says why" names "not 3" printf '%s\n' \
    '    some_test.go:7: 2, not 3' '--- FAIL: TestTwo (0.00s)'
# A group that began so many seconds ago and ended now.
took() { # SECONDS
    rm -rf "build/$group"
    .ci/suite "$group/test" one echo "3 passed, 0 failed" >/dev/null
    touch -d "$1 seconds ago" "build/$group/test/began"
    .ci/summary "build/$group/test" | grep -Eq "^test  +$1 s, at most 600 wanted$" &&
        prints "3 passed, 0 failed" sh -c ".ci/summary build/$group/test | tail -n 1"
}
check "how long a group took is told, and is no test" took 700
skipped() { # LINE
    rm -rf "build/$group"
    .ci/suite "$group" one printf '%s\n' "$1" "1 passed, 0 failed" >/dev/null
    .ci/summary "build/$group" | grep -q "^    SKIPPED .*reads.it"
}
check "what Swift skips is told" skipped '➜  Test `reads it`() skipped: "it is not there"'
check "what Go skips is told" skipped '--- SKIP: Test/reads_it (0.00s)'
check "a group without suites fails" sh -c "! .ci/summary build/absent-$$"

summary
