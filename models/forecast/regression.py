"""Each step ahead as a sum over the last steps, learned over a whole fleet and bent to each series.

What all series have in common is one ridge regression over all of them (Montero-Manso and Hyndman
2021 show why it needs no two alike); a series then draws its own weights towards its own past, as
far as that speaks for it: a ridge round the common weights in place of round zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pool", "Sums", "own_weights", "told_by"]

Floats = NDArray[np.float64]
_RIDGE = 1e-4
# What the common weights are worth beside a series' own windows, and of how many those are taken.
_PRIOR = 1.0
_EVERY = 4
_SMALLEST = 1e-3
# What windows differ by at least, in squares of their usual daily change, to be learned from.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Weights that all series of a fleet have in common.

    `weights` (P, H): from the last P steps to each of H ahead, of series whose level and whose
    usual daily change are set to zero and one. `day` steps in a day; `series` that were fitted.
    """

    weights: Floats
    day: int
    series: int

    @property
    def past(self) -> int:
        """Steps that are looked at."""
        return len(self.weights)

    @property
    def ahead(self) -> int:
        """Steps that are told."""
        return int(self.weights.shape[1])


class Sums:
    """What a pool is fitted from: it grows by series, and sums of parts of a fleet add up."""

    __slots__ = ("cross", "day", "gram", "series")

    def __init__(self, *, past: int, ahead: int, day: int) -> None:
        self.gram = np.zeros((past, past))
        self.cross = np.zeros((past, ahead))
        self.day = day
        self.series = 0

    def add(self, values: Floats) -> None:
        """One more series, without gaps; too short ones tell nothing."""
        past, ahead = self.cross.shape
        if len(values) < past + ahead:
            return
        before, after = _windows(values, past, ahead, self.day)
        self.gram += before.T @ before
        self.cross += before.T @ after
        self.series += 1

    def merge(self, others: Iterable[Sums]) -> Sums:
        """These and the sums of other parts of the fleet."""
        for other in others:
            self.gram += other.gram
            self.cross += other.cross
            self.series += other.series
        return self

    def pool(self) -> Pool:
        """The weights. ValueError where no series was long enough."""
        if not self.series:
            raise ValueError("no series is long enough for a pool")
        past = len(self.gram)
        # Series that never changed leave nothing to learn, and weights of zero.
        ridge = _RIDGE * max(float(np.trace(self.gram)) / past, _LEAST)
        weights = np.linalg.solve(self.gram + ridge * np.eye(past), self.cross)
        return Pool(weights=np.asarray(weights, dtype=np.float64), day=self.day, series=self.series)


def own_weights(values: Floats, pool: Pool) -> Floats:
    """The weights of one series, without gaps: (P, H). The pool's where it tells nothing of them.

    That is where it is too short, or never changes.
    """
    if len(values) < pool.past + pool.ahead:
        return pool.weights
    before, after = _windows(values, pool.past, pool.ahead, pool.day)
    before, after = before[::-_EVERY], after[::-_EVERY]
    alike = before @ before.T
    prior = _PRIOR * float(np.trace(alike)) / len(alike)
    if prior < _LEAST:
        return pool.weights
    pulled = np.linalg.solve(alike + prior * np.eye(len(alike)), after - before @ pool.weights)
    weights: Floats = pool.weights + before.T @ pulled
    return weights


def told_by(weights: Floats, values: Floats, day: int) -> Floats:
    """The steps after `values`, of which there are at least as many as weights look at: (H,)."""
    past = values[-len(weights) :][None]
    level, change = _frame(past, day)
    told: Floats = (((past - level) / change) @ weights * change + level)[0]
    return told


def _windows(values: Floats, past: int, ahead: int, day: int) -> tuple[Floats, Floats]:
    views = np.lib.stride_tricks.sliding_window_view(values, past + ahead)
    before, after = views[:, :past], views[:, past:]
    level, change = _frame(before, day)
    return (before - level) / change, (after - level) / change


def _frame(before: Floats, day: int) -> tuple[Floats, Floats]:
    """The level of the last week of each window, and how much a day usually changes: (m, 1)."""
    level = before[:, -7 * day :].mean(axis=1, keepdims=True)
    change = np.abs(before[:, day:] - before[:, :-day]).mean(axis=1, keepdims=True)
    least = _SMALLEST * np.abs(before).mean(axis=1, keepdims=True) + 1e-9
    return level, np.maximum(change, least)
