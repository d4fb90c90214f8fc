#!/bin/bash
# Judges the metrics, and the rules and the dashboard that ask for them, with Prometheus's own tool,
# promtool.
#
#     test.sh [PREFIX]        where libcmreload is installed; the tree's build/ unless told otherwise
set -u
prefix=$(realpath "${1:-$(dirname "$0")/../../build}")
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/all" "$work/one"

check "a program that tells its metrics compiles" cc -Wall -Wextra -Werror -I"$prefix/include" \
    -o "$work/exposition" Tests/Observability/exposition.c \
    -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lcmreload
"$work/exposition" "$work/all" >"$work/all.prom"
"$work/exposition" "$work/one" one >"$work/one.prom"

# Lint, too, is an error.
promtool_accepts() { promtool check metrics <"$1"; }
no_series_twice() { ! grep -v '^#' "$1" | sed 's/ [^ ]*$//' | sort | uniq -d | grep .; }

check "all watchers tell a series for each name" \
    [ "$(grep -c '^config_version[{ ]' "$work/all.prom")" = 6 ]
check "no series stands twice in the exposition of all watchers" no_series_twice "$work/all.prom"
files=bindings/c/observability
names() { Tests/Observability/names.py "$work/all.prom" "$@"; }
complains() { names <(sed "$2" "$files/$3") | grep -F "$1"; }
check "rules and dashboard ask for what is told, and for all of it" \
    names $files/alerts.yaml $files/dashboard.json
check "and a metric that is not told is noticed" \
    complains "no metric config_versions" s/config_version/config_versions/ dashboard.json
check "and a label that is not told" complains "no label kind" s/mode=/kind=/ dashboard.json
check "and a label's value that is not told" complains "no status good" s/success/good/ alerts.yaml
check "the dashboard is JSON" python3 -m json.tool $files/dashboard.json /dev/null

if command -v promtool >/dev/null; then
    check "promtool accepts the metrics of all watchers" promtool_accepts "$work/all.prom"
    check "promtool accepts the metrics of one watcher" promtool_accepts "$work/one.prom"
    check "promtool accepts the alert rules" promtool check rules $files/alerts.yaml
    check "the alerts say what their stories expect" promtool test rules $files/alerts_test.yaml
else
    skip "promtool judges metrics and rules: there is no promtool (apt-get install prometheus)"
fi

summary
