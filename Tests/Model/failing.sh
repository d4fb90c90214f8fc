#!/bin/bash
# Sees that the model test notices a library that is wrong, and says by which life: failing.sh [PREFIX].
# Each file of failing/ stands before the function that it is named after: one answers what is not so,
# one does nothing, one dies.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh
prefix=$(realpath "${1:-build}")
most_steps=12

model() { Tests/Model/run.sh "$prefix" "$@"; }
# Whether the one life fails, and not what builds it, or an option that says nothing.
differs() { [ -n "${!#}" ] && model "$@" | tee /dev/stderr | grep -qx '0 passed, 1 failed'; }

for file in Tests/Model/failing/*.c; do
    wrong=$(basename "$file" .c)
    # Under CI all lives are from the seed that is always the same.
    said=$(CI=true model --wrong "$wrong" --seconds 60)
    seed=$(sed -n 's/^that was --seed //p' <<<"$said")
    life=$(sed -n "s/^ *Tests\/Model\/run.sh --life '\(.*\)'$/\1/p" <<<"$said")
    steps=${life//[^;]/}
    check "$wrong: the seed that is printed differs again" \
        differs --wrong "$wrong" --seed "$seed"
    check "$wrong: the life is shrunk to $most_steps steps at most: $life" \
        test "${#steps}" -gt 0 -a "${#steps}" -le $most_steps
    check "$wrong: these differ again" differs --wrong "$wrong" --life "$life"
    check "$wrong: and do not where nothing is wrong" model --life "$life"
done
summary
