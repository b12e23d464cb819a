#!/usr/bin/env bash
# Builds gate_go unless that is done already, and prints where it is.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../go.sh"

folder=$(go_programs gate-bench "$here" gate_go=.)
echo "$folder/gate_go"
