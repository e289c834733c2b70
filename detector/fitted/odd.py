"""Stretches of odd rows of a service, and the metrics that make them so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blamed", "Odd", "stretches"]

Floats = NDArray[np.float64]

# Calm rows that do not end a stretch: one excursion is one, though a row in it looks well.
_BRIDGED = 2
_NAMED = 5
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """A metric with its share in what makes a stretch odd."""

    metric: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A stretch from `start` to `end` (unix seconds, of its first and last odd row).

    `p_value` is the lowest; `blamed` the metrics with the largest shares, five at most.
    """

    start: float
    end: float
    p_value: float
    rows: int
    blamed: tuple[Blamed, ...]


def stretches(
    at: Floats, p_value: Floats, shares: Floats, metrics: Sequence[str], *, below: float
) -> tuple[Odd, ...]:
    """Of rows at times `at` (T,), those with a p-value `below`, a pause of two rows bridged.

    `shares` (T, metrics) are averaged over the odd rows.
    """
    odd = np.flatnonzero(p_value < below)
    if not len(odd):
        return ()
    cuts = np.flatnonzero(np.diff(odd) > _BRIDGED + 1) + 1
    return tuple(_odd(part, at, p_value, shares, metrics) for part in np.split(odd, cuts))


def _odd(
    rows: NDArray[np.int64], at: Floats, p_value: Floats, shares: Floats, metrics: Sequence[str]
) -> Odd:
    mean = shares[rows].mean(axis=0)
    order = np.argsort(-mean, kind="stable")[:_NAMED].tolist()
    blamed = [Blamed(metric=metrics[one], share=float(mean[one])) for one in order]
    return Odd(
        start=float(at[rows[0]]),
        end=float(at[rows[-1]]),
        p_value=float(p_value[rows].min()),
        rows=len(rows),
        blamed=tuple(one for one in blamed if one.share >= _LEAST_SHARE),
    )
