#!/bin/sh
# Fails when a C++ file is not as clang-format would write it, or has lines that are too long all the same.
# `format.sh --fix` rewrites the former.
set -eu
cd "$(dirname "$0")/../.."
mode="--dry-run --Werror"
[ "${1:-}" = "--fix" ] && mode="-i"
# shellcheck disable=SC2086
find include src examples test \( -name '*.hpp' -o -name '*.cpp' \) -print0 | xargs -0 clang-format-14 $mode
test/lint/columns.py
echo "format: good"
