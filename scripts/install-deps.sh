#!/usr/bin/env bash
# Installs from Debian 12 what Portitor is built and tested with. Root. Does nothing when all is there.
#
#   install-deps.sh build    what compiles it and packs its image
#   install-deps.sh test     what runs the tests, and what builds the tools that they use
#   install-deps.sh bench    what the benchmarks use beside these
#   install-deps.sh          build and test
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/../test/tools/toolchain.sh"

build_packages=(
    g++ cmake ninja-build ccache pkg-config ca-certificates python3
    libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
    libssl-dev libmimalloc-dev libsecp256k1-dev libcrypto++-dev libfmt-dev libyaml-cpp-dev libcli11-dev catch2
)
test_packages=(
    iproute2 dnsmasq-base openssl procps util-linux ca-certificates
    python3 python3-pytest python3-yaml curl jq git clang-format clang-tidy-16 clang-16 libclang-rt-16-dev
)
bench_packages=(nginx-light wrk openssl util-linux)

# Go and Node are Debian's only where the PATH has none that is new enough: they then fetch a newer one.
add_toolchains() {
    path_go >/dev/null || test_packages+=(golang-1.19-go)
    path_node >/dev/null || test_packages+=(npm)
}

wanted=()
case ${1:-both} in
    build) wanted=("${build_packages[@]}") ;;
    test) add_toolchains; wanted=("${test_packages[@]}") ;;
    bench) wanted=("${bench_packages[@]}") ;;
    both) add_toolchains; wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
    *) echo "usage: install-deps.sh [build|test|bench]" >&2; exit 2 ;;
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
