"""Which serinus this is."""

from __future__ import annotations

from pipelines.version import serinus_version

__all__ = ["serinus_version"]
