"""How far off a forecast may be, from how far off it was: conformal, pooled over days.

The absolute errors of all origins are pooled over a day of the horizon and its two neighbours. For
the correction for few (Vovk 2005; Lei et al. 2018), the more the errors of a day hang together, the
fewer they are. They are compared in units of what the time of the day usually scatters,
and do not fall with the horizon: where a few trials say so, it is their luck (isotonic regression).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from models.forecast.outcome import LEVELS

__all__ = ["Together", "errors_of", "scatter_of", "together_of", "unmoved"]

Floats = NDArray[np.float64]
_BLOCKS = 3
# By which power of the horizon errors grow where nothing was tried is told by how they grow where
# it was, of which half is believed: the other half is this, between a fixed level's and a walk's.
_GROWTH, _BELIEVED = 0.4, 0.5
_SLOWEST, _FASTEST = 0.0, 1.0
_ODD = 0.98
# What never moved may be off by so much of it, at least; nobody has seen by how much it is.
_UNSEEN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The share of the errors' variance that hangs together, and over how many steps."""

    slow: float
    memory: float


def scatter_of(values: Floats, day: int) -> Floats:
    """How much each step of the day usually differs from a week before: (day,), from the last on.

    `scatter[k]` belongs to the steps k, k + day, ... after the last value.
    """
    week = 7 * day
    change = np.abs(values[week:] - values[:-week])
    place = np.arange(week - len(values), 0) % day
    change = np.minimum(change, np.quantile(change, _ODD))
    mean = np.bincount(place, weights=change, minlength=day) / np.maximum(
        np.bincount(place, minlength=day), 1
    )
    whole = float(change.mean())
    scatter: Floats = np.maximum(mean, max(0.05 * whole, 1e-12))
    return scatter


def errors_of(off: Floats, ahead: int, day: int, spans: float | None = None) -> Floats:
    """What may be added to a forecast at the probabilities `LEVELS`: (K, ahead).

    `off` (m, R): how far off m origins were, R steps each, in units of scatter; NaN where that is
    not known. ValueError where it is known nowhere. `spans`: how many stretches of R steps all
    cover, if they overlap; they count as many as the geometric mean of both.
    """
    reach = off.shape[1]
    origins = int(np.isfinite(off).any(axis=1).sum())
    if not origins:
        raise ValueError("nothing is known of how far off a forecast is")
    share = np.abs(2 * LEVELS - 1)
    tried = math.sqrt(origins * min(origins, spans or origins))
    few = 1 + 1 / (tried * min(_BLOCKS, max(reach // day, 1)) * _apart(off, day))
    share, sign = np.minimum(share * few, 1.0), np.sign(LEVELS - 0.5)
    blocks = max(reach // day, 1)
    pooled = np.stack([_pooled(np.abs(off), block, day, share) for block in range(blocks)], axis=1)
    sizes = np.stack([isotonic_regression(size).x for size in pooled])
    step = np.arange(ahead)
    grown = np.maximum(1.0, (step + 1) / reach) ** _growth(off, day)
    errors: Floats = sign[:, None] * sizes[:, np.minimum(step // day, blocks - 1)] * grown
    return errors


def unmoved(value: float, ahead: int) -> Floats:
    """The same for a series that was always this value: evenly, of nothing by one: (K, ahead).

    >>> unmoved(200.0, 2)[-1].round(2).tolist()
    [1.98, 1.98]
    """
    size = _UNSEEN * abs(value) or 1.0
    return np.tile(((2 * LEVELS - 1) * size)[:, None], ahead)


def together_of(off: Floats, day: int) -> Together:
    """How errors of a path hang together: by the means of their days. NaN as in `errors_of`."""
    if off.shape[1] // day < 2:
        return Together(slow=0.5, memory=float(day))
    means = _by_day(off, day)
    whole, between = _mean(off**2), _mean(means**2)
    alike = _mean(means[:, 1:] * means[:, :-1]) / max(between, 1e-12)
    kept = min(max(alike, 0.1), 0.99)
    return Together(
        slow=min(max(between / max(whole, 1e-12), 0.05), 0.99), memory=-day / float(np.log(kept))
    )


def _apart(off: Floats, day: int) -> float:
    """Of how many errors that do not hang together a day of them speaks."""
    slow = together_of(off, day).slow
    return 1.0 / (slow + (1 - slow) / min(day, int(off.shape[1])))


def _growth(off: Floats, day: int) -> float:
    """The power of the horizon by which errors grow."""
    size = np.array([_mean(one) for one in _by_day(np.abs(off), day).T])
    days = np.flatnonzero(size)
    if len(days) < 3:
        return _GROWTH
    ahead, weight = np.log(days + 0.5), np.sqrt(days + 1)
    slope = float(np.polyfit(ahead, np.log(size[days]), 1, w=weight)[0])
    return _BELIEVED * min(max(slope, _SLOWEST), _FASTEST) + (1 - _BELIEVED) * _GROWTH


def _by_day(off: Floats, day: int) -> Floats:
    """The mean of each whole day of each origin, NaN where nothing is known: (m, days)."""
    days = off.shape[1] // day
    parts = off[:, : days * day].reshape(len(off), days, day)
    count = np.isfinite(parts).sum(axis=2)
    means: Floats = np.where(count, np.nansum(parts, axis=2) / np.maximum(count, 1), np.nan)
    return means


def _mean(values: Floats) -> float:
    """Of what is known, zero where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else 0.0


def _pooled(off: Floats, block: int, day: int, share: Floats) -> Floats:
    """Quantiles over a day and its neighbours, over all days where nothing is known of these."""
    low, high = max(block - 1, 0) * day, (block + 2) * day
    pool = off[:, low:high]
    known = np.isfinite(pool)
    sizes: Floats = np.quantile(pool[known] if known.any() else off[np.isfinite(off)], share)
    return sizes
