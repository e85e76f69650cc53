#!/usr/bin/env bash
# A Docker engine for the end-to-end tests: `docker_engine.sh start` prints its DOCKER_HOST, or nothing (exit 3) where there is none; `docker_engine.sh stop` ends the
# engine that `start` began, and only that one.
# An engine that runs is used. Else, in CI and as root, Debian's docker.io is installed and started; on a person's machine nothing is installed or started.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly STATE="$PWD/.rig"
readonly PID_FILE="$STATE/dockerd.pid"
readonly LOG="$STATE/dockerd.log"
readonly SOCKET=unix:///var/run/docker.sock

say() { printf 'docker engine: %s\n' "$*" >&2; }

answers() { command -v docker >/dev/null && timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

install_engine() {
  command -v dockerd >/dev/null && command -v docker >/dev/null && return
  command -v apt-get >/dev/null || { say 'no dockerd, and no apt-get to install it'; return 1; }
  say 'installing docker.io'
  apt-get update -qq >>"$LOG" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io >>"$LOG" 2>&1
}

start() {
  if answers; then
    echo "${DOCKER_HOST:-$SOCKET}"
    return
  fi
  if [ -z "${CI:-}" ] || [ "$(id -u)" != 0 ]; then
    say 'none runs; only in CI and as root one is started'
    exit 3
  fi
  mkdir -p "$STATE"
  install_engine || { say "docker.io could not be installed, see $LOG"; exit 3; }
  # No rules of a firewall: the tests use the host's network. In a session of its own, so that the end of a test run does not end it.
  setsid dockerd --host "$SOCKET" --iptables=false --ip6tables=false --pidfile "$PID_FILE" >>"$LOG" 2>&1 </dev/null &
  local tries
  for tries in $(seq 1 120); do
    if DOCKER_HOST=$SOCKET answers; then
      say "started after $tries tries"
      echo "$SOCKET"
      return
    fi
    sleep 0.5
  done
  say "dockerd did not answer within a minute, see $LOG"
  exit 3
}

stop() {
  [ -f "$PID_FILE" ] || return 0
  local pid
  pid=$(cat "$PID_FILE")
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || { rm -f "$PID_FILE"; return 0; }
  kill "$pid"
  while [ -d "/proc/$pid" ]; do sleep 0.2; done
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *) say 'usage: docker_engine.sh start|stop'; exit 2 ;;
esac
