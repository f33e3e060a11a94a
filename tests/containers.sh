#!/usr/bin/env bash
# Starts deploy/compose.yaml for real, with Podman, and waits until its jobs run on its boards. Needs
# root, and the programs that `make deb` has built.
#
# No image registry is asked: the images below deploy/Dockerfile's, Postgres' and Prometheus' are made
# of Debian's packages, under the names that Compose knows. Grafana, which Debian has not, is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
  echo "tests/containers.sh starts containers with users of their own: run it as root" >&2
  exit 1
fi
arch=$(dpkg --print-architecture)
stage=target/deb/stage/$arch/bin
[ -x "$stage/fulcrum-scheduler" ] || { echo "there are no programs in $stage; make deb builds them" >&2; exit 1; }
missing=()
for tool in podman runc mmdebstrap iptables /usr/lib/podman/netavark:netavark /usr/lib/podman/aardvark-dns:aardvark-dns; do
  command -v "${tool%:*}" >/dev/null 2>&1 || missing+=("${tool#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
here=$PWD/target/containers
mkdir -p "$here"
[ -x "$here/tools/bin/podman-compose" ] || {
  python3 -m venv "$here/tools"
  "$here/tools/bin/python" -m pip install --quiet --disable-pip-version-check podman-compose==1.6.0
}

# Images and containers of the test's own, and nothing that a machine may refuse: limits of its own.
cat >"$here/containers.conf" <<'CONF'
[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
[network]
network_backend = "netavark"
CONF
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/images"\nrunroot = "%s/run"\n' "$here" "$here" \
  >"$here/storage.conf"
export CONTAINERS_CONF=$here/containers.conf CONTAINERS_STORAGE_CONF=$here/storage.conf
# The limits of this process are those that a container gets.
run="--ulimit=host"

root_of() { # name, arguments of mmdebstrap
  local tar=$here/$1.tar
  shift
  [ -f "$tar" ] || { mmdebstrap --quiet --format=tar "$@" bookworm "$tar.new" && mv "$tar.new" "$tar"; }
}
root_of process --variant=extract --include=libc6,libgcc-s1,ca-certificates
root_of servers --variant=minbase --include=postgresql,prometheus
podman import --quiet "$here/process.tar" gcr.io/distroless/cc-debian12:nonroot >/dev/null
podman import --quiet "$here/servers.tar" localhost/servers >/dev/null
# As the entry point of Postgres' own image does.
cat >"$here/postgres" <<'POSTGRES'
#!/bin/sh
set -e
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
mkdir -p $data && chown postgres: $data
if [ ! -e $data/PG_VERSION ]; then
  echo "$POSTGRES_PASSWORD" >/run/password
  runuser -u postgres -- initdb -D $data -U "$POSTGRES_USER" --auth=scram-sha-256 --pwfile=/run/password
  echo "host all all all scram-sha-256" >>$data/pg_hba.conf
  echo "CREATE DATABASE $POSTGRES_DB" | runuser -u postgres -- postgres --single -D $data postgres
fi
mkdir -p /run/postgresql && chown postgres: /run/postgresql
exec runuser -u postgres -- postgres -D $data -c listen_addresses='*'
POSTGRES
chmod +x "$here/postgres"
podman build --quiet --file - --tag docker.io/library/postgres:17 "$here" >/dev/null <<'IMAGE'
FROM localhost/servers
COPY postgres /usr/local/bin/
RUN ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/postgres"]
IMAGE
podman build --quiet --file - --tag "$(sed -n 's/ *image: \(.*prometheus:.*\)/\1/p' deploy/compose.yaml)" \
  "$here" >/dev/null <<'IMAGE'
FROM localhost/servers
RUN mkdir /prometheus && chown nobody /prometheus
USER nobody
ENTRYPOINT ["/usr/bin/prometheus"]
IMAGE

echo "== the images of deploy/Dockerfile, with what is built already in place of its first stage"
rm -rf "$here/built" && mkdir -p "$here/built/out/state"
cp "$stage"/* "$here/built/out"
for target in agent optimizer scheduler fulcrum; do
  name=fulcrum-$target
  [ $target != fulcrum ] || name=fulcrum
  podman build --quiet --pull=never --build-context "build=$here/built" --file deploy/Dockerfile \
    --target $target --tag $name . >/dev/null
  echo "$name: $(podman run --rm $run --read-only --cap-drop=all $name --version), as $(podman image inspect --format '{{.User}}' $name)"
done

echo "== deploy/compose.yaml"
# Ports of this machine may be taken; nobody needs them here.
{
  echo services:
  for service in optimizer scheduler prometheus grafana; do echo "  $service: { ports: !reset [] }"; done
} >"$here/no-ports.yaml"
compose() {
  "$here/tools/bin/podman-compose" --podman-run-args="$run" --file deploy/compose.yaml \
    --file "$here/no-ports.yaml" "$@"
}
services=(postgres optimizer scheduler agent-1 agent-2 agent-3 board-1 board-2 board-3)
[ ! -d deploy/prometheus ] || services+=(prometheus)
end() {
  [ "$?" = 0 ] || compose logs --tail 30 2>&1 | tail -n 200
  compose --profile command down --volumes --timeout 5 >/dev/null 2>&1 || true
}
trap end EXIT
compose up --detach --no-build "${services[@]}" >"$here/up.log" 2>&1 || { cat "$here/up.log"; exit 1; }
# podman-compose does not start what waits for containers that have ended.
compose run --rm --no-deps -T jobs
ask() { podman run --rm $run --network fulcrum_default --env FULCRUM_SCHEDULER=http://scheduler:7620 fulcrum "$@"; }
for _ in $(seq 60); do
  jobs=$(ask job list 2>&1 || true)
  [ "$(grep -c ' running' <<<"$jobs")" != 3 ] || break
  sleep 2
done
echo "$jobs"
[ "$(grep -c ' running' <<<"$jobs")" = 3 ] || { echo "the jobs do not run" >&2; exit 1; }
ask fleet list
if [ -d deploy/prometheus ]; then
  targets() { podman exec fulcrum_prometheus_1 promtool query instant http://localhost:9090 'count(up == 1)'; }
  for _ in $(seq 30); do ! targets 2>/dev/null | grep -q '=> 5 ' || break; sleep 2; done
  targets | grep -q '=> 5 ' || { echo "Prometheus does not reach three agents and two services" >&2; exit 1; }
fi
echo "Compose's fleet runs its three jobs"
