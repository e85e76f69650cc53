#!/usr/bin/env bash
# In CI and as root: installs from Debian what tests need of the machine: PostgreSQL, Prometheus with promtool, and a browser without a screen for the HTML
# report. Elsewhere nothing is installed, and those tests are skipped with the reason. The tests start servers of their own, on free ports.
set -euo pipefail

if [ -z "${CI:-}" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi

# Debian starts what it installs, unless this says no (invoke-rc.d, "policy-rc.d"); an own one of the machine stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi

updated=
install_package() {
  echo "installing $1" >&2
  { if [ -z "$updated" ]; then apt-get update -qq; fi && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } >/dev/null 2>&1 ||
    echo "$1 could not be installed; its tests will be skipped" >&2
  updated=yes
}

ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_package postgresql
command -v promtool >/dev/null || install_package prometheus
command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null || install_package chromium-headless-shell
