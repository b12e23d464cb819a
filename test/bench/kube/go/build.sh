#!/usr/bin/env bash
# Builds kube_bench_go unless that is done already, and prints where it is.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../go.sh"

folder=$(go_programs kube-bench "$here" kube_bench_go=.)
echo "$folder/kube_bench_go"
