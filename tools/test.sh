#!/bin/sh
# npm test: makes the machine ready, then runs all checks and all tests.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh
exec node tools/test.mjs
