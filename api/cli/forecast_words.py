"""Words that `serinus forecast` takes."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Origin", "Step", "Tells"]


class Origin(StrEnum):
    """Where history comes from."""

    PROMETHEUS = "prometheus"
    POSTGRES = "postgres"
    PARQUET = "parquet"


class Step(StrEnum):
    """The grid."""

    HOUR = "hour"
    DAY = "day"


class Tells(StrEnum):
    """The words of `models.stat.Stat`: the command line loads nothing but itself at its start."""

    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    LAST = "last"
    RATE = "rate"
