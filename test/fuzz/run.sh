#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds from its corpus; fails on the first input that breaks one.
#
#   run.sh [SECONDS]      default: 10 for each target
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz | tail -n 1
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for source in test/fuzz/*.cpp; do
    name=$(basename "$source" .cpp)
    mkdir -p "$found/$name"
    printf '%-20s ' "$name"
    if ! build/fuzz/test/fuzz/fuzz_"$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$found/" "$found/$name" test/fuzz/corpus/"$name" 2>"$found/log"; then
        tail -n 40 "$found/log"
        for input in "$found"/crash-* "$found"/timeout-* "$found"/oom-*; do
            [ -f "$input" ] && echo "the input, in base64: $(base64 -w0 "$input")"
        done
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */inputs: /p' "$found/log"
done
