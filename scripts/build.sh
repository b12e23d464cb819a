#!/usr/bin/env bash
# Builds portitor with one of the presets (release, debug, asan, tsan); shows progress, and the log of a failure.
# What follows the preset goes to `cmake --build`: `build.sh release --target portitor` builds no tests.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
cmake --preset "$preset" -Wno-dev >/dev/null
cmake --build --preset "$preset" "${@:2}"
