#!/usr/bin/env bash
# Makes the environment in .venv and installs serinus into it, exactly as constraints.txt says.
#
#   tools/venv.sh run    what `serinus` needs
#   tools/venv.sh dev    that, and the tools of the tests
#
# PYTHON names the interpreter (default: the first of python3, python3.13, 3.12, 3.11 that will do).
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${VENV:-$root/.venv}"
kind="${1:-run}"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

is_new_enough() {
    command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    die "no Python 3.11 or newer found; on Debian: apt install python3 (or set PYTHON=/path/to/python)"
}

has_pip() { "$1" -m pip --version >/dev/null 2>&1; }

# Debian leaves ensurepip out of python3. Then, in this order: an environment without pip that
# the system's pip fills, virtualenv, and the missing package where we may install it.
make_environment() {
    local python="$1"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv "$venv"
        return
    fi
    say "this Python has no ensurepip (Debian: package python3-venv); trying without"
    rm -rf "$venv"
    if has_pip "$python" && "$python" -m venv --without-pip "$venv" 2>/dev/null &&
        "$python" -m pip --python "$venv/bin/python" install --quiet pip 2>/dev/null; then
        return
    fi
    if "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet "$venv"
        return
    fi
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "apt-get install python3-venv"
        env DEBIAN_FRONTEND=noninteractive apt-get update -qq
        env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        rm -rf "$venv"
        "$python" -m venv "$venv"
        return
    fi
    die "cannot make an environment; as root: apt install python3-venv   then run the same command again"
}

install_serinus() {
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
    local what="$root"
    [ "$kind" = dev ] && what="${root}[dev]"
    # Without isolation the build backend, too, is the one that constraints.txt names; setuptools
    # is that of drain3, which is published as source alone, and old ones cannot make a wheel.
    "${pip[@]}" install -c "$root/constraints.txt" hatchling editables setuptools
    "${pip[@]}" install -c "$root/constraints.txt" --no-build-isolation -e "$what"
}

case "$kind" in
    run | dev) ;;
    *) die "unknown word '$kind'; use run or dev" ;;
esac

stamp="$venv/.serinus-$kind"
wanted="$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)"
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x "$venv/bin/serinus" ]; then
    exit 0
fi
python="$(find_python)"
started="$SECONDS"
if ! has_pip "$venv/bin/python"; then
    say "making $venv with $("$python" --version)"
    make_environment "$python"
fi
say "installing serinus ($kind); about a minute the first time"
install_serinus
printf '%s\n' "$wanted" >"$stamp"
say "ready in $((SECONDS - started)) s"
