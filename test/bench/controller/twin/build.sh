#!/usr/bin/env bash
# Builds the twin and the world that it and Portitor's controller work on unless that is done already, and prints the
# folder that holds them.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../go.sh"

go_programs controller-bench "$here" controller_twin=. controller_world=./world
