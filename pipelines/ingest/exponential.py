"""Exponential histograms, OpenTelemetry's and Prometheus' native ones, as classic buckets.

Their buckets subdivide the powers of two, so that the count below each power of two is exact.
Observations below zero are in every bucket, as they should be; that they are spread is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.remembered import Grown

__all__ = ["MOST_POWERS", "Exponential", "Powers", "bound_text", "grown", "regrown"]

# Buckets of one series: 64 powers of two reach from a nanosecond to five centuries.
MOST_POWERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """Bucket `offset + i` holds `counts[i]` of what lies in (b^(offset + i), b^(offset + i + 1)].

    b is 2^(2^-scale). `below` is how many are zero or negative.
    """

    scale: int
    offset: int
    counts: NDArray[np.float64]
    below: float

    def powers(self) -> tuple[int, int]:
        """The least and the greatest power of two between which all positive ones are."""
        filled = np.flatnonzero(self.counts)
        if not len(filled):
            return 0, 0
        low = self._power(self.offset + int(filled[0]), up=False)
        return low, self._power(self.offset + int(filled[-1]) + 1, up=True)

    def up_to(self, powers: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many are at most 2^power, for each power that is a bound of a bucket."""
        return self.below_edges(np.floor(np.ldexp(powers.astype(np.float64), self.scale)))

    def below_edges(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """How many are in the buckets before bucket `edge`, for each edge."""
        buckets = np.clip(edges - self.offset, 0, len(self.counts)).astype(np.int64)
        so_far = np.concatenate(([0.0], np.cumsum(self.counts)))
        found: NDArray[np.float64] = so_far[buckets] + self.below
        return found

    def _power(self, edge: int, *, up: bool) -> int:
        """The power of two at, or next beyond, the bound b^edge."""
        if self.scale <= 0:
            return int(edge << -self.scale)
        return -(-edge >> self.scale) if up else edge >> self.scale


@dataclass(slots=True)
class Powers:
    """The powers of two that one series shows: they grow, so that no bucket comes and goes."""

    low: int = 0
    high: int = 0
    is_empty: bool = True

    def widened(self, histogram: Exponential) -> NDArray[np.int64]:
        """All powers to tell of a histogram; where there are too many the least are left out."""
        low, high = histogram.powers()
        if histogram.counts.any():
            self.low = low if self.is_empty else min(low, self.low)
            self.high = high if self.is_empty else max(high, self.high)
            self.low = max(self.low, self.high - MOST_POWERS + 1)
            self.is_empty = False
        if self.is_empty:
            return np.zeros(0, dtype=np.int64)
        step = 1 << max(-histogram.scale, 0)
        first = -(-self.low // step) * step
        return np.arange(first, self.high + 1, step, dtype=np.int64)


def grown(powers: Mapping[tuple[bytes | int, ...], Powers]) -> tuple[Grown, ...]:
    """The powers of many series as plain values."""
    return tuple((key, one.low, one.high, one.is_empty) for key, one in powers.items())


def regrown(kept: Iterable[Grown]) -> dict[tuple[bytes | int, ...], Powers]:
    """The same as they were."""
    return {
        tuple(key): Powers(low=low, high=high, is_empty=is_empty)
        for key, low, high, is_empty in kept
    }


def bound_text(bound: float) -> str:
    """A bound as the label `le` has it: `0.005`, `1`, `+Inf`."""
    if np.isinf(bound):
        return "+Inf" if bound > 0 else "-Inf"
    return np.format_float_positional(bound, trim="-")
