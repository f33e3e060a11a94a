#!/usr/bin/env bash
# Builds the Debian packages of the agent, and of the command and the services, into target/deb:
#
#   deploy/debian/build.sh [amd64] [arm64]     both unless named
#
# The agent is static (musl). The services have SQLite in them, and link against the glibc of JetPack 4.
# For SQLite and for what computes for TLS, which are C, Zig is the compiler and linker; it comes from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
cargo=${CARGO:-cargo}
out=target/deb
version=${VERSION:-$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)}
here=$(dpkg --print-architecture 2>/dev/null) || {
  echo "dpkg was not found: Debian packages are built on Debian or Ubuntu" >&2
  exit 1
}
declare -A machine=([amd64]=x86_64 [arm64]=aarch64)
[ -n "${machine[$here]:-}" ] || { echo "cannot build on $here, only on amd64 and arm64" >&2; exit 1; }
[ $# -gt 0 ] || set -- amd64 arm64
for arch in "$@"; do
  [ -n "${machine[$arch]:-}" ] || { echo "$arch is neither amd64 nor arm64" >&2; exit 2; }
done

install_tools() {
  local packages=()
  command -v dh >/dev/null 2>&1 || packages+=(debhelper dpkg-dev)
  for arch in "$@"; do
    command -v "${machine[$arch]}-linux-gnu-strip" >/dev/null 2>&1 ||
      packages+=("binutils-${machine[$arch]/_/-}-linux-gnu")
  done
  if [ ${#packages[@]} -gt 0 ]; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends \
      "${packages[@]}" >/dev/null
  fi
  deploy/debian/install-zig.sh
}

compile() { # architecture
  local musl="${machine[$1]}-unknown-linux-musl" gnu="${machine[$1]}-unknown-linux-gnu"
  for triple in "$musl" "$gnu"; do
    rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
  done
  PATH="$PWD/target/zig/bin:$PATH" "$cargo" zigbuild --release --locked --target "$musl" -p fulcrum-agent
  PATH="$PWD/target/zig/bin:$PATH" "$cargo" zigbuild --release --locked --target "$gnu.2.27" \
    -p fulcrum -p fulcrum-optimizer -p fulcrum-scheduler
}

# What dh packs: debian/ with the units, and beside it the files that its *.install name.
lay_out() { # architecture, folder
  local built="$target/${machine[$1]}-unknown-linux"
  rm -rf "$2"
  mkdir -p "$2/bin" "$2/completions" "$2/man/services"
  cp "$built-musl/release/fulcrum-agent" "$2/bin"
  cp "$built-gnu/release/"fulcrum{,-optimizer,-scheduler} "$2/bin"
  cp deploy/systemd/{agent.toml,optimizer.env,scheduler.env} "$2"
  cp -r deploy/jobs deploy/debian "$2"
  cp deploy/systemd/fulcrum-agent.service "$2/debian"
  for service in fulcrum-optimizer fulcrum-scheduler; do
    cp "deploy/systemd/$service.service" "$2/debian/fulcrum.$service.service"
  done
  # What a program says of itself is said by the one that can run here.
  local fulcrum="$target/${machine[$here]}-unknown-linux-gnu/release/fulcrum"
  "$fulcrum" man "$2/man/services"
  mv "$2/man/services/fulcrum-agent.1" "$2/man"
  "$fulcrum" completions bash >"$2/completions/fulcrum"
  "$fulcrum" completions zsh >"$2/completions/_fulcrum"
  "$fulcrum" completions fish >"$2/completions/fulcrum.fish"
  local maintainer when
  maintainer=$(sed -n 's/^Maintainer: //p' deploy/debian/control)
  when=$(git log -1 --format=%aD 2>/dev/null || date -R)
  printf 'fulcrum (%s) unstable; urgency=medium\n\n  * Built from the sources of this version.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$when" >"$2/debian/changelog"
}

install_tools "$@"
if [ -z "${BUILT:-}" ]; then
  for arch in $(printf '%s\n' "$here" "$@" | sort -u); do compile "$arch"; done
fi
mkdir -p "$out"
for arch in "$@"; do
  stage="$out/stage/$arch"
  lay_out "$arch" "$stage"
  (cd "$stage" && DEB_BUILD_OPTIONS=noautodbgsym \
    dpkg-buildpackage --build=binary --unsigned-changes --host-arch "$arch" --no-check-builddeps \
    >build.log 2>&1) || { cat "$stage/build.log" >&2; exit 1; }
  for package in fulcrum fulcrum-agent; do
    mv "$out/stage/${package}_${version}_$arch.deb" "$out"
    echo "$out/${package}_${version}_$arch.deb"
  done
done
