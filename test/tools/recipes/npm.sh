#!/usr/bin/env bash
# npm.sh TOOL OUT: installs the locked npm packages into OUT/node_modules. Runs in the wrapper's folder.
set -euo pipefail

cp package.json package-lock.json .npmrc "$2/"
cd "$2"
npm ci --ignore-scripts --no-audit --no-fund
