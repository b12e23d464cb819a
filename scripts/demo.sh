#!/usr/bin/env bash
# Sets everything up on a fresh Debian 12 machine and walks through the main job on real parts, step by step.
# Needs root: it installs packages and makes a network namespace.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "demo: run it as root: it installs packages and makes a network namespace" >&2; exit 1; }
scripts/install-deps.sh demo
test/tools/build.sh
scripts/build.sh release --target portitor
exec /usr/bin/python3 test/e2e/demo.py "$@"
