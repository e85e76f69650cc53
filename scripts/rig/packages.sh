#!/usr/bin/env bash
# In CI and as root: installs from Debian what tests need of the machine (PostgreSQL). Elsewhere nothing is installed, and those tests are skipped with the reason.
set -euo pipefail

if [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
  echo 'installing postgresql' >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1 ||
    echo 'postgresql could not be installed; its tests will be skipped' >&2
fi
