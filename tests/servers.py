"""Where the real servers of the contract tests are, or why they are not there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

__all__ = ["find_server", "require_server"]

ROOT = Path(__file__).resolve().parent.parent

# name: variable, then where to look without it (a bare word means on PATH)
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "prometheus2": ("SERINUS_PROMETHEUS2", ("prometheus",)),
    "promtool": ("SERINUS_PROMTOOL", ("promtool",)),
    "prometheus3": ("SERINUS_PROMETHEUS3", (str(ROOT / ".servers/bin/prometheus3"),)),
    "go": ("SERINUS_GO", ("go", str(ROOT / ".servers/go/bin/go"), "/usr/local/go/bin/go")),
}


def find_server(name: str) -> Path | None:
    """The binary of a server, or None when this machine does not have it."""
    variable, places = PLACES[name]
    chosen = os.environ.get(variable)
    candidates = (chosen,) if chosen else places
    found = (shutil.which(candidate) for candidate in candidates)
    return next((Path(path) for path in found if path), None)


def require_server(name: str) -> Path:
    """The binary of a server; without it the test is skipped, or fails where CI=true."""
    binary = find_server(name)
    if binary is not None:
        return binary
    message = f"{name} is not installed here: run `make servers` or set {PLACES[name][0]}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)
