#!/bin/sh
# npm test: makes the machine ready, then runs all checks and all tests. A machine that cannot be made ready is a failure.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh || {
  printf '\n0 passed, 1 failed\n'
  exit 1
}
exec node tools/test.mjs
