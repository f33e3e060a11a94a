#!/usr/bin/env bash
# Zig as a C compiler and linker for other machines, into target/zig, from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ ! -x target/zig/bin/cargo-zigbuild ] || exit 0
python3 -m venv target/zig
target/zig/bin/python -m pip install --quiet --disable-pip-version-check \
  cargo-zigbuild==0.24.0 ziglang==0.17.1
