#!/usr/bin/env bash
# Sets everything up on a fresh Debian 12 machine and walks through the main job on real parts, step by step.
# Needs root: it installs packages and makes a network namespace.
#
#   demo.sh            the walk
#   demo.sh --shell    a shell beside the running parts instead, to type what the README says; all ends with it
set -euo pipefail
cd "$(dirname "$0")/.."
case "$*" in
    '' | --shell) ;;
    -h | --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' scripts/demo.sh; exit ;;
    *) echo "usage: scripts/demo.sh [--shell]" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || { echo "demo: run it as root: it installs packages and makes a network namespace" >&2; exit 1; }
# What is typed is for the shell.
{
    scripts/install-deps.sh demo
    test/tools/build.sh
    scripts/build.sh release --target portitor
} </dev/null
case "$*" in
    --shell) exec /usr/bin/python3 test/e2e/demo_shell.py ;;
    *) exec /usr/bin/python3 test/e2e/demo.py ;;
esac
