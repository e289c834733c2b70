"""Times and numbers as they stand in JSON."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["digits", "time_text"]


def digits(value: float) -> float:
    """Six digits that matter: more is noise to whoever reads it."""
    return float(f"{value:.6g}")


def time_text(at: int) -> str:
    """A moment, from unix milliseconds.

    >>> time_text(1_790_000_000_000)
    '2026-09-21T14:13:20.000Z'
    """
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
