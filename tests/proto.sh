#!/usr/bin/env bash
# Lints the protocol, and looks for what would break clients of the last release.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so the protocol was not linted" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
environment=target/proto
[ -x "$environment/bin/buf" ] || {
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check buf-bin==1.75.0
}
"$environment/bin/buf" lint proto
release=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)
if [ -n "$release" ]; then
  "$environment/bin/buf" breaking proto --against ".git#tag=$release,subdir=proto"
else
  echo "the protocol is well-formed; there is no release yet that it could break"
fi
