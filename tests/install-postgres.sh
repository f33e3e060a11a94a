#!/usr/bin/env bash
# Installs Postgres from Debian's packages where there is none, for the tests.
set -euo pipefail
if command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  exit 0
fi
exec "$(dirname "$0")/install-packages.sh" "Postgres (initdb, postgres, psql)" postgresql postgresql-client
