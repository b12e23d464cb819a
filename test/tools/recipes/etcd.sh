#!/usr/bin/env bash
# etcd.sh TOOL OUT: builds etcd into OUT/bin. Runs in the wrapper's folder.
. "$(dirname "${BASH_SOURCE[0]}")/go-env.sh"

go build -ldflags '-s -w' -o "$2/bin/etcd" go.etcd.io/etcd/server/v3
