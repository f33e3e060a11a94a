#!/usr/bin/env bash
# Installs libfaketime from Debian's packages where there is none: the tests set the clocks of processes.
set -euo pipefail
if ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; then
  exit 0
fi
exec "$(dirname "$0")/install-packages.sh" "libfaketime (Debian: faketime)" faketime
