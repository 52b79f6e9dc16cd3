#!/bin/sh
# Makes a fresh clone on a fresh Debian machine ready: system packages, npm packages, the build. Does only what is
# missing, asks nothing, and may run any number of times.
set -eu
cd "$(dirname "$0")/.."

# COMMAND:PACKAGE for everything the product, the sandbox and the tests call.
commands='ip:iproute2 ethtool:ethtool ping:iputils-ping nsenter:util-linux openssl:openssl perl:perl'
# The system's folders of administration commands; a plain user's PATH often lacks them.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '==> %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

missing_packages() {
  for pair in $commands; do
    command -v "${pair%%:*}" >/dev/null || printf '%s ' "${pair#*:}"
  done
}

# apt_install PACKAGE...: a first try with the lists the machine has; old lists or none are the usual reason to fail.
apt_install() {
  apt_get install --no-install-recommends "$@" 2>/dev/null || {
    say 'Refreshing the lists of packages'
    apt_get update && apt_get install --no-install-recommends "$@"
  }
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >/dev/null
}

system_packages() {
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  packages=${packages% }
  command -v apt-get >/dev/null || fail "no apt-get here; install these Debian packages' equivalents by hand: $packages"
  [ "$(id -u)" = 0 ] || fail "not root; run as root: apt-get install $packages"
  say "Installing $packages"
  # shellcheck disable=SC2086
  apt_install $packages || fail "apt-get could not install $packages (is the network up?)"
}

check_node() {
  command -v node >/dev/null || fail 'node is missing; install Node.js 20.19 or newer'
  command -v npm >/dev/null || fail 'npm is missing; install the npm that comes with Node.js'
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "node is $(node --version); Node.js 20.19 or newer is needed"
}

npm_packages() {
  installed=node_modules/.package-lock.json
  if [ -e "$installed" ] && [ ! package-lock.json -nt "$installed" ]; then return 0; fi
  say 'Installing the npm packages of package-lock.json'
  npm ci --include=dev --no-audit --no-fund </dev/null || fail 'npm ci failed (is the network up?)'
}

check_node
system_packages
npm_packages
say 'Building'
npm run --silent build </dev/null
