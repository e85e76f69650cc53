#!/usr/bin/env bash
# Prints the path of gitlab-ci-local, which runs GitLab pipelines on this machine; installs it (node/package-lock.json) where it is not there. Exit 3 where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly HERE="$PWD/.rig/node"
readonly COMMAND="$HERE/node_modules/.bin/gitlab-ci-local"

say() { printf 'gitlab-ci-local: %s\n' "$*" >&2; }

if ! { command -v node && command -v npm; } >/dev/null; then
  say 'needs node and npm'
  exit 3
fi
if ! command -v rsync >/dev/null; then
  if [ -z "${CI:-}" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say 'needs rsync'
    exit 3
  fi
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rsync >&2
fi
if ! cmp -s scripts/rig/node/package-lock.json "$HERE/installed.json"; then
  mkdir -p "$HERE"
  cp -R scripts/rig/node/. "$HERE"
  npm ci --prefix "$HERE" --ignore-scripts --no-audit --no-fund --silent >&2 || { say 'npm could not install it'; exit 3; }
  cp scripts/rig/node/package-lock.json "$HERE/installed.json"
fi
echo "$COMMAND"
