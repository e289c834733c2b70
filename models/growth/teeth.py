"""A saw-tooth: what grows until it is thrown back, again and again (rotated logs, restarted leaks).

A renewal process: the rise of each day and the length of each tooth are drawn from those that were
seen, weighed anew for each future (the Bayesian bootstrap; Rubin, 1981), so that few teeth are told
with less certainty; where a tooth begins follows a line through the beginnings that were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Teeth", "drawn_teeth", "teeth"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A fall so much larger than the usual step is a reset, and so large a share of all that was seen.
_TIMES, _SHARE = 6.0, 0.2
_LEAST_RESETS = 2
# Steps that are up, of those that are no resets.
_RISING = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Teeth:
    """What was seen of a saw-tooth: `rises` (d,) a day, by tooth `of` (d,); `lengths` (r,) in days.

    `bottoms` (r,): where each whole tooth began, `at` (r,) days before the end. `last`: the value
    now, `elapsed`: days since the last reset. The last tooth is not whole.
    """

    rises: Floats
    of: Ints
    lengths: Ints
    bottoms: Floats
    at: Ints
    last: float
    elapsed: int


def teeth(values: Floats) -> Teeth | None:
    """The saw-tooth of a series without gaps, by day: (n,). None where it is none."""
    steps = np.diff(values)
    if len(steps) < 8:
        return None
    usual = float(np.median(np.abs(steps)))
    resets = np.flatnonzero(steps < -max(_TIMES * usual, _SHARE * float(np.ptp(values))))
    rest = np.delete(steps, resets)
    if len(resets) < _LEAST_RESETS or (rest > 0).mean() < _RISING:
        return None
    kept = np.setdiff1d(np.arange(len(steps)), resets)
    return Teeth(
        rises=steps[kept],
        of=np.searchsorted(resets, kept),
        lengths=np.diff(resets),
        bottoms=values[resets + 1],
        at=len(values) - 1 - (resets + 1),
        last=float(values[-1]),
        elapsed=len(values) - 1 - int(resets[-1] + 1),
    )


def drawn_teeth(seen: Teeth, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Futures, equally likely: (count, ahead)."""
    rises = _rises(seen, ahead, count, rng)
    bottoms = _bottoms(seen, ahead, count, rng)
    left = _remaining(seen, count, rng)
    value = np.full(count, seen.last)
    paths = np.empty((ahead, count))
    for day in range(ahead):
        falls = left <= 0
        value = np.where(falls, bottoms[:, day], value + rises[:, day])
        left = np.where(falls, _lengths(seen, count, rng) - 1, left - 1)
        paths[day] = value
    futures: Floats = paths.T
    return futures


def _rises(seen: Teeth, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """What is added each day: (count, ahead)."""
    weights = rng.standard_exponential((count, len(seen.rises)))
    shares = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    at = np.stack([np.searchsorted(some, rng.random(ahead)) for some in shares])
    drawn: Floats = seen.rises[np.minimum(at, len(seen.rises) - 1)]
    return drawn


def _lengths(seen: Teeth, count: int, rng: np.random.Generator) -> Ints:
    """How long a tooth is: as one that was seen."""
    return rng.choice(seen.lengths, size=count)


def _remaining(seen: Teeth, count: int, rng: np.random.Generator) -> Ints:
    """Days until the running tooth ends: as those that were longer, or by chance as long again."""
    longer = seen.lengths[seen.lengths > seen.elapsed]
    if len(longer):
        return rng.choice(longer, size=count) - seen.elapsed - 1
    mean = max(float(seen.lengths.mean()) / 2, 1.0)
    return rng.geometric(1 / mean, size=count) - 1


def _bottoms(seen: Teeth, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Where a tooth would begin each day: (count, ahead)."""
    weights = rng.standard_exponential((count, len(seen.bottoms)))
    days = -seen.at.astype(np.float64)
    middle = _mean(weights, days)
    level = _mean(weights, np.broadcast_to(seen.bottoms, weights.shape))
    apart = days - middle
    slope = _slope(weights, apart, seen.bottoms - level)
    line = level + slope * (np.arange(1.0, ahead + 1) - middle)
    off = seen.bottoms - np.median(seen.bottoms + 0 * days)
    if len(off) > _LEAST_RESETS:
        fit = np.polyfit(days, seen.bottoms, 1)
        off = seen.bottoms - np.polyval(fit, days)
    drawn: Floats = line + rng.choice(off, size=(count, ahead))
    return drawn


def _mean(weights: Floats, values: Floats) -> Floats:
    mean: Floats = (weights * values).sum(axis=1, keepdims=True) / weights.sum(
        axis=1, keepdims=True
    )
    return mean


def _slope(weights: Floats, apart: Floats, above: Floats) -> Floats:
    """Of the line through the beginnings; flat where there are hardly any."""
    if apart.shape[1] <= _LEAST_RESETS:
        return np.zeros((len(weights), 1))
    spread = (weights * apart**2).sum(axis=1, keepdims=True)
    slope: Floats = (weights * apart * above).sum(axis=1, keepdims=True) / np.maximum(spread, 1e-9)
    return slope
