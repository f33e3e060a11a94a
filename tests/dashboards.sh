#!/usr/bin/env bash
# The dashboards and alerts, against a real fleet in one process that a real Prometheus scrapes. With a
# folder as well, they are drawn there as pictures, to look at.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=$(realpath "${1:?the folder of the binaries}")
if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so the dashboards were not tested" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
prometheus=$(tests/install-prometheus.sh)

environment=target/dashboards
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
# The schema of Grafana 11.6: generated from Grafana's own, and the newest of them that is published.
"$environment/bin/python" -c 'import grafana_foundation_sdk, pytest, yaml' 2>/dev/null \
  || "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    'grafana-foundation-sdk==1769699379!11.6.0' pyyaml pytest

export FULCRUM_BINARY=$binaries/fulcrum PROMETHEUS=$prometheus
if [ -n "${2:-}" ]; then
  "$environment/bin/python" -c 'import matplotlib' 2>/dev/null \
    || "$environment/bin/python" -m pip install --quiet --disable-pip-version-check matplotlib
  exec "$environment/bin/python" tests/dashboards/draw.py "$2"
fi

"$prometheus/promtool" check config --lint=all --lint-fatal deploy/prometheus/prometheus.yml
"$prometheus/promtool" check rules --lint=all --lint-fatal deploy/prometheus/rules.yml
"$prometheus/promtool" test rules deploy/prometheus/rules.test.yml
"$environment/bin/python" -m pytest -q -p no:cacheprovider --rootdir tests/dashboards tests/dashboards
