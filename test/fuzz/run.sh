#!/usr/bin/env bash
# Runs each fuzz target of the asan preset, its corpus first and then inputs made of it; fails on the first input that
# breaks one. The same number of inputs on every machine, so that what is found does not hang on its speed.
#
#   run.sh [INPUTS]      default: 20000 for each target
set -euo pipefail
cd "$(dirname "$0")/../.."
inputs=${1:-20000}
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

# fuzz NAME: prints one line, and what broke it.
fuzz() {
    local name=$1 mine=$found/$1
    mkdir -p "$mine/new"
    if ! build/asan/test/fuzz/fuzz_"$name" -runs="$inputs" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$mine/" "$mine/new" test/fuzz/corpus/"$name" 2>"$mine/log"; then
        echo "FAILED: $name"
        tail -n 40 "$mine/log"
        for input in "$mine"/crash-* "$mine"/timeout-* "$mine"/oom-*; do
            [ -f "$input" ] && echo "the input, in base64: $(base64 -w0 "$input")"
        done
        return 1
    fi
    printf '%-20s inputs: %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$mine/log")"
}
export -f fuzz
export inputs found
for source in test/fuzz/*.cpp; do basename "$source" .cpp; done | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
