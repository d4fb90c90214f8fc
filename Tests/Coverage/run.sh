#!/bin/bash
# Measures which lines of Sources the tests run: builds the normal build once more, in a place of its
# own, with counters; runs the suites that test it; and has coverage.py judge. The suites count their
# own tests elsewhere: here it matters that they ran.
#
#   Tests/Coverage/run.sh [SUITE…]     swift abi scenarios fuzz; all when left out. What others found
#                                      stays: `rm -r build/coverage/raw` begins anew
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
scratch=.build-coverage
prefix=build/coverage
raw=$root/$prefix/raw
tools=$(dirname "$(realpath "$(command -v swift)")")
.ci/tools swift gcc libyaml python3 || exit 1

swift build -q --build-tests --enable-code-coverage --scratch-path $scratch || exit 1
mkdir -p $prefix/lib "$raw"
ln -sfn ../../include $prefix/include
ln -sfn ../../../$scratch/debug/libcmreload.so $prefix/lib/libcmreload.so.1
ln -sfn libcmreload.so.1 $prefix/lib/libcmreload.so
# Some tests become another user.
chmod 1777 "$raw"
# Counting takes time, and so deadlines stretch.
export LLVM_PROFILE_FILE=$raw/%m-%p.profraw SWIFT_BACKTRACE=enable=no ABITEST_PATIENCE=10

broken=()
ran() { # NAME COMMAND…
    local name=$1 log=$prefix/$1.log
    shift
    "$@" >"$log" 2>&1 || { tail -n 40 "$log"; broken+=("$name"); }
}
for suite in ${*:-swift abi scenarios fuzz}; do
    case $suite in
        swift)
            ran swift swift test --skip-build --disable-xctest --enable-code-coverage \
                --scratch-path $scratch
            cp $scratch/debug/codecov/*.profraw "$raw"
            ;;
        abi) ran abi Tests/ABITests/run.sh $prefix ;;
        scenarios) ran scenarios Tests/Scenarios/run.sh $prefix ;;
        fuzz) ran fuzz Tests/Fuzz/replay.sh $prefix ;;
    esac
done

"$tools/llvm-profdata" merge -o $prefix/all.profdata "$raw"/*.profraw || exit 1
"$tools/llvm-cov" export --format=text --instr-profile $prefix/all.profdata \
    $scratch/debug/cmreloadPackageTests.xctest -object $scratch/debug/libcmreload.so Sources \
    >$prefix/lines.json || exit 1
[ ${#broken[@]} -eq 0 ] || echo "failed: suites: ${broken[*]}"
Tests/Coverage/coverage.py $prefix/lines.json
status=$?
[ ${#broken[@]} -eq 0 ] && exit $status
echo "0 passed, ${#broken[@]} failed"
exit 1
