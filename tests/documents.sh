#!/usr/bin/env bash
# Runs the documents as a reader would, each step as printed, and looks whether their links lead
# somewhere. With --all it also runs what builds or downloads, and takes as long as that takes.
#
#   tests/documents.sh [--all] [--write] FOLDER_OF_THE_PROGRAMS [DOCUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."

flags=()
while [[ ${1:-} == --* ]]; do flags+=("$1"); shift; done
programs=$(realpath "${1:?the folder of the programs}")
shift
documents=("$@")
[ ${#documents[@]} -gt 0 ] || documents=(README.md docs/tutorial.md docs/plans.md docs/boards.md docs/how-to/*.md)

if ! command -v python3 >/dev/null 2>&1; then
  echo "left out: python3 was not found, so the documents were not tried" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
python3 -m unittest discover --start-directory tests/documents
python3 tests/documents/links.py

# The documents use the usual ports: in a network of its own nothing else has them. What downloads
# needs the real one.
alone=()
if [[ " ${flags[*]} " != *" --all "* ]] && unshare --map-root-user --net ip link set lo up 2>/dev/null; then
  alone=(unshare --map-root-user --net sh -c 'ip link set lo up && exec "$@"' sh)
fi
"${alone[@]}" python3 tests/documents/run.py "${flags[@]}" "$programs" "${documents[@]}"
