# shellcheck shell=bash
# Where the built test tools live, and under which key. Sourced by build.sh and toolchain.sh.

tools_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools_cache=${PORTITOR_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portitor/tools}

# In the order in which they are built: what is quick comes first.
all_tools=(gateway-api npm etcd helm kube-apiserver kubectl kube-controller-manager traefik)

# wrapper_of TOOL: the folder beside this file that pins TOOL's version; its recipe has the same name.
wrapper_of() {
    case $1 in
        kube-apiserver | kubectl | kube-controller-manager) echo kubernetes ;;
        *) echo "$1" ;;
    esac
}

# entry_of TOOL: TOOL's folder in the cache. Its name changes with the pins and with the recipe, and
# with nothing else, so that a change to one tool never builds another one anew.
entry_of() {
    local tool=$1 wrapper key
    wrapper=$(wrapper_of "$tool")
    local inputs=("$tools_dir/recipes/$wrapper.sh") file
    for file in go.mod go.sum package.json package-lock.json .npmrc; do
        [[ ! -e $tools_dir/$wrapper/$file ]] || inputs+=("$tools_dir/$wrapper/$file")
    done
    [[ ! -e $tools_dir/$wrapper/go.mod ]] || inputs+=("$tools_dir/recipes/go-env.sh")
    key=$(cat "${inputs[@]}" | sha256sum)
    echo "$tools_cache/$tool-${key:0:12}"
}

# publish TMP ENTRY: makes a finished folder visible under its name in one step.
publish() {
    chmod 755 "$1"
    mv -T "$1" "$2"
}
