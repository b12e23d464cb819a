#!/usr/bin/env bash
# Builds what the tests of a real cluster need: etcd, Kubernetes programs, Helm, Traefik, CRDs, npm packages.
#
#   build.sh [TOOL...]            builds what is missing, then prints where it is
#   build.sh --print [TOOL...]    prints where it is; fails when something is not built
#
# Printed, one NAME=VALUE a line, as far as the tools asked for (all of them by default) have it:
#   BIN                 a folder with all programs, and a fit `node`
#   GATEWAY_API_CRDS    a folder with the Gateway API's CRDs
#   TRAEFIK_CRDS, TRAEFIK_RBAC    folders with Traefik's CRDs and ClusterRoles
#   NPM                 a folder that holds node_modules
#
# Everything lands in ${PORTITOR_TOOLS_CACHE:-${XDG_CACHE_HOME:-~/.cache}/portitor/tools}. May be run
# several times at once. All in all 15 minutes on two cores the first time, well under a second later.
set -euo pipefail
shopt -s inherit_errexit

. "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"

say() { echo "$*" >&2; }
fail() { say "build.sh: $*"; exit 1; }

# elapsed SECONDS: as 1m05s
elapsed() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }

# missing TOOL...: those that are not built
missing() {
    local tool
    for tool; do
        [[ -d $(entry_of "$tool") ]] || echo "$tool"
    done
}

# The lock makes a second run wait, and so find everything built.
take_lock() {
    exec 8>"$tools_cache/build.lock"
    local since=$SECONDS
    until flock -w 15 8; do
        say "waiting for another build of the test tools, $(elapsed $((SECONDS - since)))"
    done
    rm -rf "$tools_cache"/.tmp-*
}

# build TOOL N TOTAL
build() {
    local tool=$1 what="$1 ($2 of $3)" wrapper log tmp since=$SECONDS next=$((SECONDS + 15))
    wrapper=$(wrapper_of "$tool")
    log=$tools_cache/logs/$tool.log
    mkdir -p "$tools_cache/logs"
    tmp=$(mktemp -d "$tools_cache/.tmp-$tool.XXXXXX")
    say "building $what"
    # A session of its own, so that an interrupted run can end the compilers too.
    (cd "$tools_dir/$wrapper" && exec setsid bash "$tools_dir/recipes/$wrapper.sh" "$tool" "$tmp") >"$log" 2>&1 8>&- &
    running=$!
    while kill -0 "$running" 2>/dev/null; do
        sleep 0.2
        if ((SECONDS >= next)); then
            say "building $what, $(elapsed $((SECONDS - since))) elapsed"
            next=$((SECONDS + 15))
        fi
    done
    wait "$running" || {
        running=
        rm -rf "$tmp"
        tail -n 15 "$log" >&2
        fail "could not build $tool; the full log: $log"
    }
    running=
    publish "$tmp" "$(entry_of "$tool")"
    say "built $what in $(elapsed $((SECONDS - since)))"
}

# build_all TOOL...
build_all() {
    local absent n=0 tool bin
    mkdir -p "$tools_cache"
    take_lock
    mapfile -t absent < <(missing "$@")
    for tool in "${absent[@]}"; do
        if [[ $tool != npm ]]; then
            bin=$(toolchain_go)
            PATH=$bin:$PATH
            break
        fi
    done
    for tool in "${absent[@]}"; do
        build "$tool" $((++n)) ${#absent[@]}
    done
    exec 8>&-
}

# view TOOL...: a folder whose bin/ links to all programs, so that one folder on the PATH is enough.
view() {
    local targets=() tool key tmp entry node
    for tool; do
        entry=$(entry_of "$tool")
        [[ ! -d $entry/bin ]] || targets+=("$entry"/bin/*)
        if [[ $tool == npm ]]; then
            node=$(toolchain_node)
            targets+=("$node/node")
        fi
    done
    key=$(printf '%s\n' "${targets[@]}" | sort | sha256sum)
    entry=$tools_cache/view-${key:0:12}
    if [[ ! -d $entry ]]; then
        tmp=$(mktemp -d "$tools_cache/.view.XXXXXX")
        mkdir "$tmp/bin"
        [[ ${#targets[@]} == 0 ]] || ln -s -t "$tmp/bin" "${targets[@]}"
        # Another run may have been first, with the same links.
        publish "$tmp" "$entry" 2>/dev/null || rm -rf "$tmp"
    fi
    echo "$entry"
}

# print_all TOOL...
print_all() {
    local tool entry folder
    folder=$(view "$@")
    echo "BIN=$folder/bin"
    for tool; do
        entry=$(entry_of "$tool")
        case $tool in
            gateway-api) echo "GATEWAY_API_CRDS=$entry/yaml/crds" ;;
            traefik) printf '%s\n' "TRAEFIK_CRDS=$entry/yaml/crds" "TRAEFIK_RBAC=$entry/yaml/rbac" ;;
            npm) echo "NPM=$entry" ;;
        esac
    done
}

print_only=
if [[ ${1:-} == --print ]]; then
    print_only=1
    shift
fi
[[ $# -gt 0 ]] || set -- "${all_tools[@]}"
for tool; do
    [[ " ${all_tools[*]} " == *" $tool "* ]] || fail "unknown tool '$tool'; there are: ${all_tools[*]}"
done

running=
trap '[[ -z $running ]] || kill -- "-$running" 2>/dev/null' EXIT
trap 'exit 130' INT TERM HUP

unbuilt=$(missing "$@")
if [[ -n $unbuilt ]]; then
    [[ -z $print_only ]] || fail "not built: ${unbuilt//$'\n'/ }; run test/tools/build.sh"
    build_all "$@"
fi
print_all "$@"
