#!/usr/bin/env bash
# Says in which folder prometheus and promtool are. Where there are none, Debian's package is unpacked
# under target/: installed, it would run as a service.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then
  dirname "$(command -v prometheus)"
  exit 0
fi
folder=$PWD/target/prometheus
if [ ! -x "$folder/usr/bin/promtool" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests need prometheus and promtool, 2.42 or newer; install them and try again" >&2
    exit 1
  fi
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq >&2
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root prometheus >&2)
  dpkg -x "$folder"/prometheus_*.deb "$folder"
fi
echo "$folder/usr/bin"
