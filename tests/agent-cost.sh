#!/usr/bin/env bash
# What the agent costs on a tree of an AGX Orin on disk: processor time at two rates, resident memory
# with its history full, and the size of its binary.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:?the path of a release binary}
folder=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || kill "$agent" 2>/dev/null || true; rm -rf "$folder"' EXIT
cargo run --quiet --locked -p fulcrum-fake-jetson --example write_tree -- "$folder/root"

ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$agent/stat"; }

measure() { # interval, seconds
  "$binary" --board jetson --root "$folder/root" --state-dir "$folder/state" \
    --socket "$folder/agent.sock" --sample-interval "$1" --log warn &
  agent=$!
  sleep 2
  before=$(ticks)
  sleep "$2"
  after=$(ticks)
  share=$(awk -v t=$((after - before)) -v s="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", 100 * t / hz / s }')
  resident=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$agent/status")
  echo "a sample every $1 for $2 s: $share % of a core, $resident MiB resident"
  kill "$agent"
  wait "$agent" || true
  agent=
}

measure 100ms 20
# As many samples as ten minutes at 10 Hz leave in the history.
measure 10ms "${FULL:-62}"
strip -o "$folder/stripped" "$binary"
awk -v b="$(stat -c %s "$folder/stripped")" 'BEGIN { printf "binary, stripped: %.1f MiB\n", b / 1048576 }'
