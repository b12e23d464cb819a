#!/usr/bin/env bash
# Builds the twin and the world that it and Portitor's controller work on unless that is done already, and prints
# the folder that holds them: in the cache of the test tools, under a name that changes with their sources.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../../tools/toolchain.sh"

# build ENTRY
build() {
    local bin tmp
    bin=$(toolchain_go)
    tmp=$(mktemp -d "$1.tmp.XXXXXX")
    echo "building the controller's twin, two minutes the first time" >&2
    (
        cd "$here"
        . "$tools_dir/recipes/go-env.sh"
        PATH=$bin:$PATH
        go build -ldflags '-s -w' -o "$tmp/controller_twin" .
        go build -ldflags '-s -w' -o "$tmp/controller_world" ./world
    ) >&2
    publish "$tmp" "$1"
}

key=$(cat "$here"/*.go "$here"/*/*.go "$here"/go.mod "$here"/go.sum "$here/build.sh" \
    "$tools_dir/recipes/go-env.sh" | sha256sum)
entry=$tools_cache/controller-bench-${key:0:12}
once "$entry" build
echo "$entry"
