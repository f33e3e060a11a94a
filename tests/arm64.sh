#!/usr/bin/env bash
# Builds the agent for a Jetson, and starts it under emulation on a simulated board, where it is asked
# over its local socket and over TLS.
#
# The binary is static (musl), so it runs on every JetPack whatever C library that has. What computes for
# TLS is C and assembler, for which Zig is the compiler and the linker; it comes from PyPI. Emulation needs
# Debian's qemu-user-static.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-musl
binary="${CARGO_TARGET_DIR:-target}/$target/release/fulcrum-agent"

rustup target list --installed | grep -qx "$target" || rustup target add "$target"
deploy/debian/install-zig.sh
PATH="$PWD/target/zig/bin:$PATH" cargo zigbuild --release --locked --target "$target" -p fulcrum-agent
[ "${1:-}" != build ] || exit 0

if ! command -v qemu-aarch64-static >/dev/null 2>&1; then
  apt-get update -qq && apt-get install -y -qq qemu-user-static
fi
cargo build --quiet --release --locked -p fulcrum
fulcrum="${CARGO_TARGET_DIR:-target}/release/fulcrum"
state=$(mktemp -d)
trap 'kill "${agent:-}" 2>/dev/null || true; rm -rf "$state"' EXIT
"$fulcrum" access fleet "$state/keys" --board orin=127.0.0.1 > /dev/null
qemu-aarch64-static "$binary" --board simulated-orin-agx --state-dir "$state" \
  --socket "$state/agent.sock" --metrics 127.0.0.1:0 \
  --credentials "$state/keys/boards/orin" --listen https://127.0.0.1:0 >"$state/log" 2>&1 &
agent=$!
for _ in $(seq 100); do
  [ ! -S "$state/agent.sock" ] || break
  kill -0 "$agent" 2>/dev/null || { cat "$state/log" >&2; exit 1; }
  sleep 0.1
done
"$fulcrum" board show --agent "unix://$state/agent.sock"
# Over TLS, as anybody who may look; nobody else is let in.
network=https://$(sed -nE 's/.*listening flag="--listen" address=([0-9.:]+).*/\1/p' "$state/log")
"$fulcrum" board show --agent "$network" --credentials "$state/keys/people/viewer" > /dev/null
mkdir "$state/nobody"
cp "$state/keys/ca.pem" "$state/nobody"
if "$fulcrum" board show --agent "$network" --credentials "$state/nobody" 2> "$state/refused"; then
  echo "somebody without a certificate was let in" >&2
  exit 1
fi
kill "$agent"
wait "$agent" || { status=$?; [ "$status" = 143 ] || { cat "$state/log" >&2; exit "$status"; }; }
echo "the agent started under emulation, described its board, also over TLS, and stopped;"
echo "without a certificate: $(cat "$state/refused")"
