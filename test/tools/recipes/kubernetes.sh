#!/usr/bin/env bash
# kubernetes.sh TOOL OUT: builds one of the Kubernetes programs into OUT/bin. Runs in the wrapper's folder.
. "$(dirname "${BASH_SOURCE[0]}")/go-env.sh"

# Clients compare versions, so the programs must know theirs; a plain build calls itself v0.0.0-master.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"
flags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    for setting in "gitVersion=$version" "gitMajor=$major" "gitMinor=$minor" gitTreeState=archive \
        gitCommit=unknown buildDate=1970-01-01T00:00:00Z; do
        flags+=" -X $package.$setting"
    done
done

go build -ldflags "$flags" -o "$2/bin/$1" "k8s.io/kubernetes/cmd/$1"
