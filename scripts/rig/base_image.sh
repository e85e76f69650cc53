#!/usr/bin/env bash
# Prints the name of an image that stands in for BASE_IMAGE (../../Dockerfile) and for a CI runner: Python with venv, bash, rsync.
# One that is there is taken; as root it is made of Debian's packages, without any image registry; else it is made of the official image, where a registry can
# be reached. Exit 3 where none of this can be done.
set -euo pipefail

readonly NAME=local/python:rig-2 # another number where what is in it changes
readonly SUITE=bookworm
readonly PACKAGES=ca-certificates,python3-minimal,python3-venv,rsync

say() { printf 'base image: %s\n' "$*" >&2; }

from_packages() {
  if ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || return 1
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >&2
  fi
  local root mirror
  root=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$root'" EXIT
  # The machine's own mirror of Debian, where it names one.
  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  say "making $NAME of Debian $SUITE; this takes a minute"
  debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$root/image" ${mirror:+"$mirror"} >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; return 1; }
  # release.Dockerfile installs git by apt-get. Packages and lists lie ready for it, so that the build needs no network; installed it is not.
  chroot "$root/image" apt-get -qq update >>"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; return 1; }
  rm -rf "$root"/image/var/cache/apt/archives/*.deb "$root"/image/usr/share/{doc,man,locale}/*
  chroot "$root/image" apt-get -qq install --yes --no-install-recommends --download-only git >>"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; return 1; }
  rm -f "$root"/image/var/cache/apt/*.bin
  # pip inside a build asks the package registry by the network of this machine, so it needs the authorities that this machine trusts.
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/image/etc/ssl/certs/ca-certificates.crt"
  tar -C "$root/image" -c . | docker import -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' -c 'CMD ["python3"]' - "$NAME" >/dev/null
}

from_registry() {
  say "making $NAME of python:3.13-slim"
  printf 'FROM python:3.13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends rsync\n' | docker build --network host --tag "$NAME" - >&2
}

if ! docker image inspect "$NAME" >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then
    from_packages || { say 'could not be made of packages'; exit 3; }
  else
    from_registry || { say 'could not be made of the official image'; exit 3; }
  fi
fi
echo "$NAME"
