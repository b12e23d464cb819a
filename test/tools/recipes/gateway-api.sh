#!/usr/bin/env bash
# gateway-api.sh TOOL OUT: copies the standard channel's CRDs out of the module into OUT/yaml/crds. Runs in
# the wrapper's folder.
. "$(dirname "${BASH_SOURCE[0]}")/go-env.sh"

source=$(module_dir sigs.k8s.io/gateway-api)/config/crd/standard
install -D -m 644 -t "$2/yaml/crds" "$source"/*.yaml
# From 1.5 on there is a guard against downgrades too, which would only slow a test cluster's start.
rm -f "$2"/yaml/crds/*vap_safeupgrades*
