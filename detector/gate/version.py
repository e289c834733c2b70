"""Which engine judged: it changes when the same samples could be answered otherwise."""

from __future__ import annotations

__all__ = ["ENGINE"]

ENGINE = "1.0.0"
