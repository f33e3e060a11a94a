#!/usr/bin/env bash
# The Python package's tests, in an environment of their own, against the agent's binary; a client
# that is generated from the protocol, against the command's fleet; and that fleet's page in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=$(realpath "${1:?the folder of the binaries}")
if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so the Python package was not tested" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
environment=target/python
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/python" -c 'import grpc_tools, playwright, pytest, mypy' 2>/dev/null \
  || "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    grpcio grpcio-tools mypy playwright pytest
"$environment/bin/python" -m mypy --strict python/src
FULCRUM_AGENT_BINARY=$binaries/fulcrum-agent "$environment/bin/python" -m pytest -q python

# The generated modules are called fulcrum too, so the package must not be on their path.
client=target/python-client
rm -rf "$client"
mkdir -p "$client"
"$environment/bin/python" -m grpc_tools.protoc -Iproto --python_out="$client" \
  --grpc_python_out="$client" proto/fulcrum/v1/*.proto
PYTHONPATH=$client FULCRUM_BINARY=$binaries/fulcrum "$environment/bin/python" -m pytest -q \
  -p no:cacheprovider --rootdir tests/python-client tests/python-client

if ! command -v chromium >/dev/null 2>&1; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "the test of the page needs Chromium; install it and try again" >&2
    exit 1
  fi
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
FULCRUM_BINARY=$binaries/fulcrum "$environment/bin/python" -m pytest -q -p no:cacheprovider \
  --rootdir tests/page tests/page
