#!/usr/bin/env bash
# The dashboards and alerts, on a real Prometheus that scrapes the command's fleet.
#
#   tests/dashboards.sh FOLDER-OF-THE-BINARIES
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=$(realpath "${1:?the folder of the binaries}")
if ! command -v promtool >/dev/null 2>&1; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests of the dashboards need Prometheus and promtool; install them and try again" >&2
    exit 1
  fi
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends prometheus >/dev/null
fi
promtool check config --lint=all deploy/prometheus/prometheus.yml
(cd deploy/prometheus && promtool test rules rules.test.yml)
environment=target/python
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/python" -c 'import grafana_foundation_sdk, pytest, yaml' 2>/dev/null \
  || "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    grafana-foundation-sdk pytest pyyaml
FULCRUM_BINARY=$binaries/fulcrum "$environment/bin/python" -m pytest -q -p no:cacheprovider \
  --rootdir tests/dashboards tests/dashboards
