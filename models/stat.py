"""What one number tells of many."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Stat"]


class Stat(StrEnum):
    """What a step tells: of a gauge its mean, most, least or last; of a counter its rate."""

    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    LAST = "last"
    RATE = "rate"
