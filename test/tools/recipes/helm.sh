#!/usr/bin/env bash
# helm.sh TOOL OUT: builds Helm into OUT/bin. Runs in the wrapper's folder.
. "$(dirname "${BASH_SOURCE[0]}")/go-env.sh"

module=helm.sh/helm/v4
version=$(go list -m -f '{{.Version}}' "$module")
go build -ldflags "-s -w -X $module/internal/version.version=$version" -o "$2/bin/helm" "$module/cmd/helm"
