#!/bin/bash
# Judges the metrics with Prometheus's own tool, promtool.
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
if command -v promtool >/dev/null; then
    check "promtool accepts the metrics of all watchers" promtool_accepts "$work/all.prom"
    check "promtool accepts the metrics of one watcher" promtool_accepts "$work/one.prom"
else
    skip "promtool accepts the metrics: there is no promtool (apt-get install prometheus)"
fi

summary
