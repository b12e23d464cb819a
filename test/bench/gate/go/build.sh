#!/usr/bin/env bash
# Builds gate_go unless that is done already, and prints where it is: in the cache of the test tools,
# under a name that changes with its sources.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../../tools/toolchain.sh"

# build ENTRY
build() {
    local bin tmp
    bin=$(toolchain_go)
    tmp=$(mktemp -d "$1.tmp.XXXXXX")
    echo "building gate_go" >&2
    (
        cd "$here"
        . "$tools_dir/recipes/go-env.sh"
        PATH=$bin:$PATH
        go build -ldflags '-s -w' -o "$tmp/gate_go" .
    ) >&2
    publish "$tmp" "$1"
}

key=$(cat "$here"/*.go "$here"/go.mod "$here"/go.sum "$here/build.sh" "$tools_dir/recipes/go-env.sh" | sha256sum)
entry=$tools_cache/gate-bench-${key:0:12}
once "$entry" build
echo "$entry/gate_go"
