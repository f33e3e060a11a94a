#!/usr/bin/env bash
# Checks the units: that systemd understands all of them, and that the exposure of each, from 0 (locked
# in) to 10, has not grown.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v systemd-analyze >/dev/null 2>&1; then
  echo "systemd-analyze is not installed: the units were not checked" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT

check() { # unit, its most exposure in tenths
  # The program need not be installed where the unit is checked, so one that is stands in for it, and
  # no manual is looked up.
  sed -e 's|^ExecStart=/usr/bin/fulcrum-[a-z]*|ExecStart=/bin/true|' -e '/^Documentation=/d' \
    "$1.service" >"$units/$1.service"
  said=$(systemd-analyze verify "$units/$1.service" 2>&1) || { echo "$said" >&2; exit 1; }
  # What systemd does not understand it says, and goes on.
  [ -z "$said" ] || { echo "$said" >&2; exit 1; }
  systemd-analyze security --no-pager --offline=true --threshold="$2" "$units/$1.service" | tail -n 1
}

# What is left are the rights that writing clock controls as root takes.
check fulcrum-agent 25
# What is left is the network.
check fulcrum-optimizer 12
check fulcrum-scheduler 12
