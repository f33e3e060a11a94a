#!/usr/bin/env bash
# Installs Debian packages that the tests need: install-packages.sh WHAT PACKAGE...
set -euo pipefail
what=$1
shift
if ! command -v apt-get >/dev/null 2>&1; then
  echo "the tests need $what; install it and try again" >&2
  exit 1
fi
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
