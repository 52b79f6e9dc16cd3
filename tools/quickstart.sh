#!/bin/sh
# npm run quickstart: a three-node cluster from examples/first-light/, packets between all its pods, and down again.
# "npm run quickstart -- --keep" leaves it up.
set -eu
cd "$(dirname "$0")/.."

keep=
case "$*" in
'') ;;
--keep) keep=yes ;;
*)
  printf 'usage: npm run quickstart [-- --keep]\n' >&2
  exit 2
  ;;
esac

name=quickstart-$$
manifests=examples/first-light
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s==> %s%s\n' "$bold" "$*" "$plain"; }
sandbox() {
  action=$1
  shift
  node bin/kube-northbound sandbox "$action" --name "$name" "$@"
}

# Runs once, whatever ends the script, and keeps its exit code.
leave() {
  code=$?
  set +e
  trap - EXIT
  trap '' INT TERM HUP PIPE
  if [ -n "$keep" ]; then
    say 'The sandbox stays up; take it down with'
    printf '    bin/kube-northbound sandbox down --name %s\n' "$name"
  else
    say 'Taking the sandbox down'
    sandbox down || [ "$code" != 0 ] || code=1
  fi
  exit "$code"
}

say 'Preparing'
sh tools/setup.sh
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE
say "Bringing up the cluster of $manifests"
sandbox up --manifests "$manifests"
say 'Sending packets between all pods'
sandbox matrix
say 'Where to look next'
[ -n "$keep" ] || printf '(in a sandbox that stays up: npm run quickstart -- --keep)\n'
status=$(sandbox status --output json)
printf '%s\n' "$status" | node tools/quickstart-next.mjs
