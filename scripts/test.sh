#!/usr/bin/env bash
# Runs all tests on a fresh Debian 12 machine: lint, unit tests (plain and under sanitizers), fuzzing, and everything on
# real parts. Ends with the time of each part, the slowest tests, and a count. Needs root: it installs packages and
# makes network namespaces. CONTRIBUTING.md says how to run a part of it.
set -uo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test: run it as root: it installs packages and makes network namespaces" >&2; exit 1; }

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# run NAME COMMAND...: a part; its outcome is what it exits with.
run() {
    local name=$1 since=$SECONDS code
    shift
    printf '\n== %s\n' "$name"
    "$@"
    code=$?
    took=$((SECONDS - since))
    return $code
}

# note NAME [OUTCOME]: writes down how long the last part took, and how it ended where no report says so.
note() { printf '%s\t%s\t%s\n' "$1" "$took" "${2:-}" >>"$results/parts.tsv"; }

end() {
    scripts/test_report.py "$results" "$SECONDS"
    exit
}

# A check that passes or fails as a whole.
check() {
    if run "$@"; then note "$1" passed; else note "$1" failed; fi
}

# What nothing else can go on without.
need() {
    if run "$@"; then note "$1"; else note "$1" failed; end; fi
}

# reported NAME REPORTS COMMAND...: tests that leave JUnit reports (a pattern). One that ends badly without a
# failure in it counts as one.
reported() {
    local name=$1 reports=$2
    shift 2
    if run "$name" "$@" || grep -qsE '<(failure|error)[ >]' "$results"/$reports; then note "$name"; else note "$name" failed; fi
}

unit_tests() {
    reported "unit tests, $1" "unit-$1-*.xml" scripts/unit_tests.py "$1" "$results"
}

need "packages" scripts/install-deps.sh
check "lint: includes" test/lint/includes.py
check "lint: format" test/lint/format.sh
check "lint: clang-tidy" test/lint/tidy.py --within 600
need "build: release" scripts/build.sh release
unit_tests release
need "build: asan" scripts/build.sh asan
unit_tests asan
check "fuzzing" test/fuzz/run.sh
need "build: tsan" scripts/build.sh tsan
unit_tests tsan
need "real parts: build" test/tools/build.sh
PORTITOR_NPM_DIR=$(test/tools/build.sh --print | sed -n 's/^NPM=//p')
PATH="$(test/tools/build.sh --print | sed -n 's/^BIN=//p'):$PATH"
export PORTITOR_NPM_DIR PATH
reported "real parts" real-parts.xml \
    /usr/bin/python3 -m pytest -q -n 3 --tb=short --junitxml="$results/real-parts.xml" test
end
