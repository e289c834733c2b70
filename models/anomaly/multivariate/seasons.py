"""What each metric usually does at a time of day or of week, and how far rows are from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CAP", "Usual", "departures", "expected", "learn_usual"]

Floats = NDArray[np.float64]

DAY_S, WEEK_S = 86_400.0, 604_800.0
# A departure counts as this many of its spreads at most: one broken metric is not everything.
CAP = 100.0
# What a metric that never moved departs by when it does, whatever its unit.
UNHEARD = 10.0
# A profile is used where it foretells this share of a metric's variance in a cycle not learned.
_LEAST_GAIN = 0.1
_CYCLES = 3
_SMOOTH_S = 1800.0
# A spread is taken for no less than this share of the range that was seen.
_LEAST_SPREAD = 0.01
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """The usual course of M metrics in steps of `step_s` seconds.

    `centre` (M,); `day` (D, M) and `week` (W, M) are added to it by the time since 1970 in steps,
    modulo D and W; of one row of zeros where nothing recurs. `scale` (M,) is the spread of what is
    left, 0 for a metric that never moved.
    """

    step_s: float
    centre: Floats
    scale: Floats
    day: Floats
    week: Floats


def learn_usual(x: Floats, first: int, step_s: float) -> Usual:
    """Learn from rows `x` (T, M), the first of them `first` steps after 1970; NaN is missing.

    Each metric gets the profile of the day or of the week, or none, whichever foretells best the
    newest cycle from those before it; three whole cycles are needed for that.
    """
    centre = _centre(x)
    rest = np.where(np.isfinite(x), x - centre, 0.0)
    gain = np.full(x.shape[1], _LEAST_GAIN)
    day, week = (_none(x.shape[1]) for _ in range(2))
    for_day = _gain(rest, _steps(DAY_S, step_s), step_s)
    for_week = _gain(rest, _steps(WEEK_S, step_s), step_s)
    weekly = for_week > np.maximum(for_day, gain)
    daily = (for_day > gain) & ~weekly
    if daily.any():
        day = _profile(rest, first, _steps(DAY_S, step_s), step_s) * daily
    if weekly.any():
        week = _profile(rest, first, _steps(WEEK_S, step_s), step_s) * weekly
    left = rest - _season(day, week, first, len(x))
    left[~np.isfinite(x)] = np.nan
    shift = _mean(left)
    return Usual(
        step_s=step_s,
        centre=centre + shift,
        scale=_scale(x, left - shift),
        day=day,
        week=week,
    )


def departures(usual: Usual, x: Floats, first: int) -> Floats:
    """How many spreads each value of `x` (T, M) is from the usual, at most `CAP`; 0 if missing."""
    left = np.where(np.isfinite(x), x, 0.0) - expected(usual, first, len(x))
    moved = np.sign(np.where(np.abs(left) > _ROUNDING * (1 + np.abs(usual.centre)), left, 0.0))
    known = usual.scale > 0
    held = np.clip(left, -CAP * usual.scale, CAP * usual.scale)
    z = np.where(known, held / np.where(known, usual.scale, 1.0), UNHEARD * moved)
    return np.where(np.isfinite(x), np.clip(z, -CAP, CAP), 0.0)


def expected(usual: Usual, first: int, count: int) -> Floats:
    """The usual values (count, M) of the rows from `first` on."""
    return usual.centre + _season(usual.day, usual.week, first, count)


def _season(day: Floats, week: Floats, first: int, count: int) -> Floats:
    at = first + np.arange(count)
    season: Floats = day[at % len(day)] + week[at % len(week)]
    return season


def _steps(cycle_s: float, step_s: float) -> int:
    """Steps of a cycle, 0 where it is not a whole number of at least four."""
    steps = round(cycle_s / step_s)
    return steps if steps >= 4 and abs(steps * step_s - cycle_s) < _ROUNDING * cycle_s else 0


def _gain(rest: Floats, period: int, step_s: float) -> Floats:
    """The share of the newest cycle's variance that the cycles before it foretell; -1: unknown."""
    if period == 0 or len(rest) < _CYCLES * period:
        return np.full(rest.shape[1], -1.0)
    before, newest = rest[:-period], rest[-period:]
    shape = _profile(before, 0, period, step_s)
    foretold = shape[(len(before) + np.arange(period)) % period]
    still = np.median(before, axis=0)
    left = ((newest - foretold) ** 2).mean(axis=0)
    gain: Floats = 1.0 - left / np.maximum(((newest - still) ** 2).mean(axis=0), 1e-300)
    return gain


def _profile(rest: Floats, first: int, period: int, step_s: float) -> Floats:
    """The median of each phase over whole cycles, smoothed over half an hour to either side."""
    cycles = len(rest) // period
    used = rest[len(rest) - cycles * period :]
    shape = np.median(used.reshape(cycles, period, -1), axis=0)
    begin = (first + len(rest) - cycles * period) % period
    reach = min(round(_SMOOTH_S / step_s), (period - 1) // 2)
    return _round_mean(np.roll(shape, begin, axis=0), reach)


def _round_mean(shape: Floats, reach: int) -> Floats:
    """The running mean over `reach` phases to either side, round the cycle."""
    if reach == 0:
        return shape
    ring = np.concatenate([shape[-reach:], shape, shape[:reach]])
    sums = np.vstack([np.zeros((1, shape.shape[1])), np.cumsum(ring, axis=0)])
    width = 2 * reach + 1
    mean: Floats = (sums[width:] - sums[:-width]) / width
    return mean


def _centre(x: Floats) -> Floats:
    seen = np.isfinite(x)
    filled = np.where(seen.any(axis=0), np.where(seen, x, np.nan), 0.0)
    centre: Floats = np.nanmedian(filled, axis=0)
    return centre


def _mean(left: Floats) -> Floats:
    seen = np.isfinite(left)
    total = np.where(seen, left, 0.0).sum(axis=0)
    mean: Floats = total / np.maximum(seen.sum(axis=0), 1)
    return mean


def _scale(x: Floats, left: Floats) -> Floats:
    """The spread of what is left; 0 where the metric stood still but for rounding."""
    high = np.where(np.isfinite(x), x, -np.inf).max(axis=0)
    low = np.where(np.isfinite(x), x, np.inf).min(axis=0)
    reach = np.where(high >= low, high - low, 0.0)
    still = reach <= _ROUNDING * np.maximum(np.abs(high), np.abs(low))
    spread = np.maximum(np.sqrt(_mean(left**2)), _LEAST_SPREAD * reach)
    return np.where(still, 0.0, spread)


def _none(metrics: int) -> Floats:
    return np.zeros((1, metrics))
