# shellcheck shell=bash
# What every Go recipe sets: builds that depend on the wrapper's go.mod and go.sum alone. Sourced.

set -euo pipefail
export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'

# module_dir PATH: where the module cache holds the module PATH of the current wrapper.
module_dir() {
    go mod download "$1"
    go list -m -f '{{.Dir}}' "$1"
}
