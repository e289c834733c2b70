"""Words that `serinus forecast` takes."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Origin", "Step"]


class Origin(StrEnum):
    """Where history comes from."""

    PROMETHEUS = "prometheus"
    POSTGRES = "postgres"
    PARQUET = "parquet"


class Step(StrEnum):
    """The grid."""

    HOUR = "hour"
    DAY = "day"
