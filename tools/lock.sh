#!/usr/bin/env bash
# Makes constraints.txt again: what a clean install of today, with the dev extra, resolves to.
# PYTHON names the interpreter (default python3); the environment is thrown away afterwards.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

"${PYTHON:-python3}" -m venv "$scratch/venv"
pip=("$scratch/venv/bin/python" -m pip --disable-pip-version-check --quiet)
"${pip[@]}" install --upgrade pip
"${pip[@]}" install "${root}[dev]"

version="$("$scratch/venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
{
    printf '# The exact versions we test with, on Python %s. Made by: make lock\n' "$version"
    "${pip[@]}" freeze --exclude serinus --exclude pip --exclude setuptools --exclude wheel
} >"$scratch/constraints.txt"

if grep -nE '@|://|^-' "$scratch/constraints.txt"; then
    echo "lock: a line above names a place instead of a version" >&2
    exit 1
fi
mv "$scratch/constraints.txt" "$root/constraints.txt"
chmod 644 "$root/constraints.txt"
echo "lock: $(grep -c == "$root/constraints.txt") packages in constraints.txt" >&2
