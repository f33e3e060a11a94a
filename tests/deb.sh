#!/usr/bin/env bash
# Installs, upgrades, removes and purges the packages of target/deb in a clean Debian: first in a plain
# chroot, then where systemd runs, with the units and a board for real. Needs root, for both.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
  echo "tests/deb.sh installs packages in a root of its own: run it as root" >&2
  exit 1
fi
arch=$(dpkg --print-architecture)
packages=$(ls target/deb/fulcrum*_"$arch".deb 2>/dev/null) || {
  echo "there are no packages for $arch in target/deb; make deb builds them" >&2
  exit 1
}
missing=()
for tool in mmdebstrap systemd-nspawn:systemd-container qemu-aarch64-static:qemu-user-static readelf:binutils; do
  command -v "${tool%:*}" >/dev/null 2>&1 || missing+=("${tool#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

clean=target/deb/clean-root.tar
[ -e "$clean" ] ||
  { mmdebstrap --quiet --format=tar --variant=minbase --include=systemd-sysv,dbus bookworm "$clean.new" && mv "$clean.new" "$clean"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same packages as of a later release, in which the settings have changed as well.
for package in $packages; do
  dpkg-deb --raw-extract "$package" "$work/later"
  sed -i 's/^Version: .*/Version: 99.0/' "$work/later/DEBIAN/control"
  for settings in "$work/later/etc/fulcrum/"*; do echo "# Of the later release." >>"$settings"; done
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/later" "$work/$(basename "${package%%_*}")-later.deb" >/dev/null
  rm -rf "$work/later"
done

new_root() { # name
  mkdir -p "$work/$1"
  tar --extract --file "$clean" --directory "$work/$1"
  mkdir "$work/$1/packages"
  for package in $packages; do cp "$package" "$work/$1/packages/$(basename "${package%%_*}").deb"; done
  cp "$work/"*-later.deb "$work/$1/packages"
  cp tests/deb/*.sh "$work/$1/root"
}

echo "== the programs ask for no newer libc6 than the package does"
mkdir "$work/programs"
for package in target/deb/fulcrum_*.deb; do
  dpkg-deb --extract "$package" "$work/programs"
  asked=$(for program in "$work/programs/usr/bin/"*; do readelf --version-info --wide "$program"; done |
    grep -o 'GLIBC_2[.0-9]*' | sed s/GLIBC_// | sort --version-sort --unique | tail -n 1)
  given=$(dpkg-deb --field "$package" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
  echo "$(basename "$package"): $asked, and depends on $given"
  dpkg --compare-versions "$asked" le "$given"
done
for package in target/deb/fulcrum-agent_*_arm64.deb; do
  [ -e "$package" ] || continue
  dpkg-deb --extract "$package" "$work/programs"
  echo "$(basename "$package"): $(qemu-aarch64-static "$work/programs/usr/bin/fulcrum-agent" --version)"
done

echo "== in a chroot, where no systemd runs"
new_root chroot
chroot "$work/chroot" /root/unbooted.sh

echo "== where systemd runs"
new_root booted
cargo run --quiet --locked -p fulcrum-fake-jetson --example write_tree -- "$work/booted/srv/board"
cat >"$work/booted/etc/systemd/system/deb-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/root/booted.sh >/root/log 2>&1; echo $? >/root/status; systemctl --no-block poweroff'
UNIT
ln -s ../deb-test.service "$work/booted/etc/systemd/system/graphical.target.wants/" 2>/dev/null || {
  mkdir -p "$work/booted/etc/systemd/system/graphical.target.wants"
  ln -s ../deb-test.service "$work/booted/etc/systemd/system/graphical.target.wants/"
}
timeout --kill-after=10 400 systemd-nspawn --quiet --register=no --keep-unit --private-network \
  --directory "$work/booted" --boot </dev/null >"$work/console" 2>&1 || true
if [ ! -e "$work/booted/root/log" ]; then
  echo "systemd did not start in the root:" >&2
  tail -n 20 "$work/console" >&2
  exit 1
fi
cat "$work/booted/root/log"
[ "$(cat "$work/booted/root/status" 2>/dev/null)" = 0 ] || { echo "the test in the root failed" >&2; exit 1; }
echo "the packages install, run, upgrade and go without a trace"
