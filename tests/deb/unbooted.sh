#!/usr/bin/env bash
# Run by tests/deb.sh in a clean root without a running systemd.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

fail() { echo "failed: $*" >&2; exit 1; }
is() { [ "$1" = "$2" ] || fail "$3: $1, not $2"; }
what_is_there() { find / -xdev -path /proc -prune -o -path /root -prune -o -path /packages -prune -o -name '*fulcrum*' -print | sort; }

is "$(what_is_there)" "" "a clean root"

echo "install"
dpkg --install /packages/fulcrum-agent.deb /packages/fulcrum.deb >/dev/null
getent group fulcrum >/dev/null || fail "there is no group fulcrum"
is "$(stat -c '%a %U:%G' /etc/fulcrum/agent.toml)" "644 root:root" agent.toml
is "$(stat -c '%a %U:%G' /etc/fulcrum/optimizer.env)" "600 root:root" optimizer.env
wanted=/etc/systemd/system/multi-user.target.wants
[ -L $wanted/fulcrum-agent.service ] || fail "the agent is not enabled"
[ ! -e $wanted/fulcrum-scheduler.service ] || fail "the scheduler is enabled"
for page in fulcrum fulcrum-job-submit fulcrum-agent fulcrum-optimizer fulcrum-scheduler; do
  [ -e /usr/share/man/man1/$page.1.gz ] || fail "there is no page $page"
done
bash -n /usr/share/bash-completion/completions/fulcrum

echo "start"
for program in fulcrum fulcrum-agent fulcrum-optimizer fulcrum-scheduler; do $program --version; done
fulcrum-agent --config /etc/fulcrum/agent.toml --print-config | grep -q '^state-dir = /var/lib/fulcrum ' ||
  fail "the agent does not take its settings"
fulcrum-agent --config /etc/fulcrum/agent.toml --board simulated-orin-agx --socket /root/agent.sock \
  --log warn &
agent=$!
for _ in $(seq 50); do [ ! -S /root/agent.sock ] || break; sleep 0.1; done
fulcrum board list --agent unix:///root/agent.sock
kill $agent
wait $agent

echo "upgrade, the agent's settings edited"
echo 'max-celsius = "80"' >>/etc/fulcrum/agent.toml
dpkg --install --force-confdef --force-confold /packages/*-later.deb >/dev/null 2>&1
is "$(dpkg-query --show --showformat '${Version}' fulcrum-agent)" 99.0 "the agent's version"
fulcrum-agent --config /etc/fulcrum/agent.toml --print-config |
  grep -q '^max-celsius = 80  # file /etc/fulcrum/agent.toml' || fail "the edited settings are gone"
grep -q "later release" /etc/fulcrum/agent.toml.dpkg-dist || fail "the new settings are not beside them"
grep -q "later release" /etc/fulcrum/optimizer.env || fail "settings that nobody edited are still the old ones"
is "$(stat -c %a /etc/fulcrum/optimizer.env)" 600 "optimizer.env after the upgrade"

echo "remove"
dpkg --remove fulcrum fulcrum-agent >/dev/null
[ ! -e /usr/bin/fulcrum-agent ] || fail "the program is still there"
grep -q 'max-celsius = "80"' /etc/fulcrum/agent.toml || fail "the edited settings are gone"
[ -d /var/lib/fulcrum ] || fail "the state is gone before the purge"

echo "purge"
dpkg --purge fulcrum fulcrum-agent >/dev/null
is "$(what_is_there)" "" "left behind"
