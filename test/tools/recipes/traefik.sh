#!/usr/bin/env bash
# traefik.sh TOOL OUT: builds Traefik into OUT/bin and copies its CRDs and RBAC rules, which its module
# carries as documentation, into OUT/yaml. Runs in the wrapper's folder.
. "$(dirname "${BASH_SOURCE[0]}")/go-env.sh"

module=github.com/traefik/traefik/v3
version=$(go list -m -f '{{.Version}}' "$module")
go build -ldflags "-s -w -X $module/pkg/version.Version=${version#v}" -o "$2/bin/traefik" "$module/cmd/traefik"

source=$(module_dir "$module")/docs/content/reference/dynamic-configuration
install -D -m 644 -t "$2/yaml/crds" "$source/kubernetes-crd-definition-v1.yml"
install -D -m 644 -t "$2/yaml/rbac" "$source/kubernetes-gateway-rbac.yml" "$source/kubernetes-crd-rbac.yml"
