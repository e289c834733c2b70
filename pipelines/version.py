"""Which serinus this is, and which code judges."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["code_version", "serinus_version"]

# What a verdict is computed by.
_JUDGING = ("detector", "models")


def serinus_version() -> str:
    """The installed version, or `dev` in a bare checkout."""
    try:
        return version("serinus")
    except PackageNotFoundError:
        return "dev"


@cache
def code_version() -> str:
    """16 digits of the SHA-256 over the source that judges: other code, other digits."""
    total = hashlib.sha256()
    for package in _JUDGING:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec is not None else ():
            folder = Path(place)
            for path in sorted(folder.rglob("*.py")):
                name = f"{package}/{path.relative_to(folder).as_posix()}"
                total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]
