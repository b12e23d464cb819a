#!/bin/sh
# Fails on expressions that g++ 12 miscompiles in coroutines (double free): aggregate temporaries and capturing
# lambdas inside a co_await expression, and "? co_await". The ASan build is the real gate; this one is quick.
set -eu
cd "$(dirname "$0")/../.."
bad=$(grep -rnE 'co_await [^;]*(\(\{|, \{\.|\{\.|\[[a-z&=][^]]*\]\()|\? co_await|: co_await' include src || true)
if [ -n "$bad" ]; then
    echo "$bad"
    echo "coroutines: shapes that g++ 12 miscompiles; name the object first"
    exit 1
fi
echo "coroutines: good"
