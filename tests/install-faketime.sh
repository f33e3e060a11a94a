#!/usr/bin/env bash
# Installs libfaketime from Debian's packages where there is none: the tests set the clocks of processes.
set -euo pipefail
if ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; then
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "the tests need libfaketime (Debian: faketime); install it and try again" >&2
  exit 1
fi
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends faketime >/dev/null
