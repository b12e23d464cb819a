# shellcheck shell=bash
# Builds the baselines in Go; sourced by the build.sh of each.

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$bench_dir/../tools/toolchain.sh"

# go_programs NAME FOLDER PROGRAM=PACKAGE...: builds a module's programs unless that is done already, and prints the
# folder that holds them: in the cache of the test tools, under NAME and a key that changes with their sources.
go_programs() {
    local name=$1 folder=$2 programs=("${@:3}") key entry
    key=$(find "$folder" "$bench_dir/go.sh" "$tools_dir/recipes/go-env.sh" -type f -print0 | sort -z | xargs -0 cat |
        sha256sum)
    entry=$tools_cache/$name-${key:0:12}
    once "$entry" build_programs
    echo "$entry"
}

# build_programs ENTRY: of go_programs' folder.
build_programs() {
    local bin tmp each
    bin=$(toolchain_go)
    tmp=$(mktemp -d "$1.tmp.XXXXXX")
    echo "building $name, up to two minutes the first time" >&2
    (
        cd "$folder"
        . "$tools_dir/recipes/go-env.sh"
        PATH=$bin:$PATH
        for each in "${programs[@]}"; do
            go build -ldflags '-s -w' -o "$tmp/${each%%=*}" "${each#*=}"
        done
    ) >&2
    publish "$tmp" "$1"
}
