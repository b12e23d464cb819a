#!/usr/bin/env bash
# Installs from Debian 12 what Portitor is built and tested with. Root. Does nothing when all is there.
#
#   install-deps.sh build    what compiles it and packs its image
#   install-deps.sh demo     that, and what the main job on real parts takes (scripts/demo.sh)
#   install-deps.sh test     what runs the tests, and what builds the tools that they use
#   install-deps.sh bench    what the benchmarks use beside these
#   install-deps.sh          build and test
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/../test/tools/toolchain.sh"

build_packages=(
    clang-19 lld-19 cmake ninja-build ccache pkg-config ca-certificates python3
    libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
    libssl-dev libmimalloc-dev libsecp256k1-dev libcrypto++-dev libre2-dev libc-ares-dev libsqlite3-dev
    libfmt-dev libyaml-cpp-dev catch2
)
# The main job on real parts.
demo_packages=(iproute2 dnsmasq-base openssl procps util-linux ca-certificates python3 python3-yaml curl jq git)
# llvm-19 has what names the functions in a sanitizer's report.
test_packages=(
    "${demo_packages[@]}"
    zsh fish man-db mandoc
    python3-pytest python3-pytest-xdist clang-format-14 clang-tidy-19 libclang-rt-19-dev llvm-19
)
bench_packages=(nginx-light wrk openssl util-linux)

# Go and Node are Debian's only where the PATH has none that is new enough: they then fetch a newer one.
add_toolchains() {
    path_go >/dev/null || wanted+=(golang-1.19-go)
    path_node >/dev/null || wanted+=(npm)
}

wanted=()
case ${1:-both} in
    build) wanted=("${build_packages[@]}") ;;
    demo) wanted=("${build_packages[@]}" "${demo_packages[@]}"); add_toolchains ;;
    test) wanted=("${test_packages[@]}"); add_toolchains ;;
    bench) wanted=("${bench_packages[@]}") ;;
    both) wanted=("${build_packages[@]}" "${test_packages[@]}"); add_toolchains ;;
    *) echo "usage: install-deps.sh [build|demo|test|bench]" >&2; exit 2 ;;
esac

# One question for all of them keeps the usual run, which installs nothing, short.
declare -A status
while read -r package state; do
    status[$package]=$state
done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null)
absent=()
for package in "${wanted[@]}"; do
    [[ ${status[$package]:-} == installed ]] || absent+=("$package")
done
[[ ${#absent[@]} -gt 0 ]] || exit 0

if [[ $EUID -ne 0 ]]; then
    echo "install-deps.sh: must be root to install: ${absent[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing ${#absent[@]} Debian packages: ${absent[*]}"
apt-get update -q
apt-get install -y --no-install-recommends "${absent[@]}"
