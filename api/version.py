"""Which serinus this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["serinus_version"]


def serinus_version() -> str:
    """The installed version, or `dev` in a bare checkout."""
    try:
        return version("serinus")
    except PackageNotFoundError:
        return "dev"
