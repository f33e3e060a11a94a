#!/usr/bin/env bash
# Run by tests/deb.sh in a clean root in which systemd runs; /srv/board is the kernel's tree of an AGX
# Orin.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

fail() {
  echo "failed: $*" >&2
  journalctl --no-pager --lines 40 --unit 'fulcrum-*' >&2
  exit 1
}
is() { [ "$1" = "$2" ] || fail "$3: $1, not $2"; }
main_pid() { systemctl show --property MainPID --value "$1"; }
board_as() { find /srv/board -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }
soon() { # what is waited for, in words; a command
  local words=$1; shift
  for _ in $(seq 150); do ! "$@" >/dev/null 2>&1 || return 0; sleep 0.2; done
  fail "$words"
}
answers() { fulcrum board list --agent unix:///run/fulcrum/agent.sock; }

echo "install: the agent runs, the services wait to be enabled"
dpkg --install /packages/fulcrum-agent.deb /packages/fulcrum.deb >/dev/null
is "$(systemctl is-active fulcrum-agent)" active "the agent"
is "$(systemctl is-active fulcrum-scheduler || true)" inactive "the scheduler"
soon "the agent does not answer" answers
is "$(stat -c '%a %U:%G' /run/fulcrum/agent.sock)" "660 root:fulcrum" "the agent's socket"
is "$(stat -c '%a %U:%G' /run/fulcrum)" "755 root:fulcrum" "its folder"
is "$(stat -c '%a %U:%G' /run/fulcrum/read.sock)" "666 root:fulcrum" "the socket to look through"
as_nobody() { runuser -u nobody -- fulcrum board list --agent "unix:///run/fulcrum/$1.sock"; }
as_nobody read >/dev/null || fail "not everybody may look"
! as_nobody agent >/dev/null 2>&1 || fail "everybody may do everything"

echo "a fleet of this board: optimizer and scheduler on SQLite, under users of their own"
echo 'board = "simulated-orin-agx"' >>/etc/fulcrum/agent.toml
systemctl restart fulcrum-agent
systemctl enable --now --quiet fulcrum-optimizer fulcrum-scheduler
soon "the scheduler does not answer" fulcrum fleet list
soon "the agent does not answer" answers
fulcrum fleet add here --agent unix:///run/fulcrum/agent.sock --stand-in simulated-orin-agx --simulate \
  --label number=3
fulcrum job submit /usr/share/doc/fulcrum/examples/hall.toml --wait 60s || fail "the job does not run"
for service in fulcrum-optimizer fulcrum-scheduler; do
  [ -s /var/lib/$service/fulcrum.db ] || fail "$service keeps nothing"
  user=$(stat -c %U "/proc/$(main_pid $service)")
  [ "$user" != root ] || fail "$service runs as root"
done

echo "upgrade: whatever ran runs again, and knows what it knew"
agent=$(main_pid fulcrum-agent) scheduler=$(main_pid fulcrum-scheduler)
dpkg --install --force-confdef --force-confold /packages/*-later.deb >/dev/null 2>&1
[ "$(main_pid fulcrum-agent)" != "$agent" ] || fail "the agent was not restarted"
[ "$(main_pid fulcrum-scheduler)" != "$scheduler" ] || fail "the scheduler was not restarted"
grep -q '^board = "simulated-orin-agx"' /etc/fulcrum/agent.toml || fail "the edited settings are gone"
runs_again() { fulcrum job list | grep -q '^hall .*running'; }
soon "the job does not run again" runs_again
fulcrum job list

echo "removal puts a board back as it was found"
mkdir -p /etc/systemd/system/fulcrum-agent.service.d
printf '[Service]\nReadWritePaths=/srv/board\n' >/etc/systemd/system/fulcrum-agent.service.d/board.conf
printf 'board = "jetson"\nroot = "/srv/board"\n' >/etc/fulcrum/agent.toml
systemctl daemon-reload
found=$(board_as)
systemctl stop fulcrum-scheduler fulcrum-optimizer
systemctl restart fulcrum-agent
soon "the agent does not answer" answers
change() {
  fulcrum board set cpu_cores=4 --for 60s >/root/set.log 2>&1 &
  changed() { [ -e /var/lib/fulcrum/found-state.json ] && [ "$(board_as)" != "$found" ]; }
  soon "the mode was not set" changed
}
change
dpkg --remove fulcrum-agent >/dev/null
is "$(systemctl is-active fulcrum-agent || true)" inactive "the removed agent"
is "$(board_as)" "$found" "the board"

echo "also where the agent had died for good"
dpkg --install --force-confdef --force-confold /packages/fulcrum-agent.deb >/dev/null 2>&1
printf '[Service]\nReadWritePaths=/srv/board\nRestart=no\n' >/etc/systemd/system/fulcrum-agent.service.d/board.conf
systemctl daemon-reload
soon "the agent does not answer" answers
change
systemctl kill --signal KILL fulcrum-agent
soon "the agent is still there" systemctl is-failed fulcrum-agent
[ "$(board_as)" != "$found" ] || fail "the board was put back by nobody"
dpkg --remove fulcrum-agent >/dev/null
is "$(board_as)" "$found" "the board"
[ ! -e /var/lib/fulcrum/found-state.json ] || fail "there is still a state to put back"

echo "purge"
rm -r /etc/systemd/system/fulcrum-agent.service.d
dpkg --purge fulcrum fulcrum-agent >/dev/null
left=$(find / -xdev -path /proc -prune -o -path /root -prune -o -path /packages -prune -o -path /sys -prune \
  -o -name '*fulcrum*' -print)
is "$left" "" "left behind"
is "$(systemctl list-units --all --plain --no-legend 'fulcrum-*')" "" "units left behind"
