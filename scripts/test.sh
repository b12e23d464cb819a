#!/usr/bin/env bash
# Runs all tests on a fresh Debian 12 machine: lint, unit tests (plain and under sanitizers), and everything on real
# parts. Ends with a count. Needs root: it installs packages and makes network namespaces.
set -uo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test: run it as root: it installs packages and makes network namespaces" >&2; exit 1; }

passed=0
failed=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

heading() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# A check that passes or fails as a whole.
check() {
    heading "$*"
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $*"; fi
}

# What nothing else can go on without.
need() {
    heading "$*"
    "$@" || { echo "FAILED: $*"; printf '%d passed, %d failed\n' "$passed" $((failed + 1)); exit 1; }
}

# Adds the counts of a JUnit report; a runner that ended badly without saying so counts as one failure.
count() {
    local report=$1 code=$2 counts
    counts=$(/usr/bin/python3 - "$report" <<'PY' || echo "0 1"
import sys, xml.etree.ElementTree as tree
suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
total = sum(int(s.get("tests", 0)) for s in suites)
bad = sum(int(s.get("failures", 0)) + int(s.get("errors", 0)) for s in suites)
skipped = sum(int(s.get("skipped", 0) or 0) for s in suites)
print(total - bad - skipped, bad)
PY
    )
    local good=${counts% *} bad=${counts#* }
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    passed=$((passed + good))
    failed=$((failed + bad))
}

unit_tests() {
    heading "unit tests, $1"
    ctest --preset "$1" --output-junit "$results/unit-$1.xml" >"$results/unit-$1.log" 2>&1
    local code=$?
    [ $code = 0 ] || cat "$results/unit-$1.log"
    tail -n 4 "$results/unit-$1.log"
    count "$results/unit-$1.xml" $code
}

real_parts() {
    local name=$1
    shift
    heading "real parts: $name"
    /usr/bin/python3 -m pytest -q --tb=short -p no:cacheprovider --junitxml="$results/$name.xml" "$@"
    count "$results/$name.xml" $?
}

need scripts/install-deps.sh
check test/lint/includes.py
check test/lint/coroutines.py --self-test
check test/lint/coroutines.py
check test/lint/format.sh
check test/lint/tidy.py
check test/fuzz/run.sh
need scripts/build.sh release
unit_tests release
real_parts image test/image
need scripts/build.sh asan
unit_tests asan
need scripts/build.sh tsan
unit_tests tsan
need test/tools/build.sh
PORTITOR_NPM_DIR=$(test/tools/build.sh --print | sed -n 's/^NPM=//p')
PATH="$(test/tools/build.sh --print | sed -n 's/^BIN=//p'):$PATH"
export PORTITOR_NPM_DIR PATH
real_parts cluster test/cluster
real_parts chart test/chart
real_parts kube test/integration
real_parts x402 test/x402
real_parts e2e test/e2e
real_parts lifecycle test/lifecycle
heading "real parts: the main job under AddressSanitizer"
export PORTITOR_BIN=build/asan/portitor
real_parts main-job-asan test/e2e/test_main_job.py

printf '\nin %d s\n%d passed, %d failed\n' "$SECONDS" "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
