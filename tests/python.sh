#!/usr/bin/env bash
# The Python package's tests, in an environment of their own, against the agent's binary.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "${1:?the path of the agent}")
if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so the Python package was not tested" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
environment=target/python
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/python" -c 'import pytest' 2>/dev/null \
  || "$environment/bin/python" -m pip install --quiet --disable-pip-version-check pytest mypy
"$environment/bin/python" -m mypy --strict python/src
FULCRUM_AGENT_BINARY=$binary "$environment/bin/python" -m pytest -q python
