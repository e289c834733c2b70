"""Samples as they come from any door: columns of dense series ids, times and values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["STALE", "Columns", "SeriesInfo", "SeriesKind", "is_stale"]

# The bits of Prometheus' staleness marker: a NaN among others, told apart by its bits alone.
_STALE_BITS = np.uint64(0x7FF0000000000002)
STALE: np.float64 = np.array([_STALE_BITS], dtype=np.uint64).view(np.float64)[0]


class SeriesKind(Enum):
    """What a value of a series stands for."""

    GAUGE = "gauge"
    CUMULATIVE = "cumulative"
    DELTA = "delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """A series as its first sample brought it; `labels` sorted by name, `__name__` among them."""

    labels: tuple[tuple[str, str], ...]
    kind: SeriesKind
    unit: str = ""

    @property
    def name(self) -> str:
        """The metric's name, empty where there is none."""
        return next((value for label, value in self.labels if label == "__name__"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """N samples in the order in which they came: all of one tenant.

    `series` (N,) dense ids of the interner that made them, `at` (N,) unix milliseconds, `value`
    (N,). Times of one series may repeat or go back, values may be NaN, infinite or stale: what
    that means is decided by the operator, not by a door.
    """

    series: NDArray[np.int32]
    at: NDArray[np.int64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.series)

    def part(self, span: slice) -> Columns:
        """Some of the samples."""
        return Columns(series=self.series[span], at=self.at[span], value=self.value[span])


def is_stale(value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where values are staleness markers, whatever other NaN there are."""
    stale: NDArray[np.bool_] = value.view(np.uint64) == _STALE_BITS
    return stale
