#!/usr/bin/env bash
# Runs the steps of the Dockerfile as a script, where there is no container engine:
# tests/house/dockerfile.py reads the file, copies what it copies and runs what it runs, with the
# paths of the image moved below a folder. Usage: tools/dockerfile-steps.sh [FOLDER]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="$root/.venv/bin/python"
[ -x "$python" ] || python=python3
if [ $# -gt 0 ]; then
    folder="$1"
else
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
fi
cd "$root"
"$python" -m tests.house.dockerfile "$folder"
