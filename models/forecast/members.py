"""The forecasters that are combined, each from one stretch of the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.forecast.past import Past
from models.forecast.smoothing import damped, theta
from models.forecast.trend import straight

__all__ = ["MEMBERS"]

Floats = NDArray[np.float64]
# The last week, and the one before it.
_WEEKS = (0.6, 0.4)
# What is left of a drift after each week.
_DRIFT_KEPT = 0.6
# What is left after a day of how far today is from the usual level.
_TODAY_KEPT = 0.8
_LAST_DAYS = 7


def _last_weeks(past: Past) -> Floats:
    """The last two weeks again, with a part of the drift from week to week."""
    week, values = past.week, past.values
    count = len(values)
    earlier = count - week if count >= 2 * week else count
    blend = _WEEKS[0] * _again(past, count, week) + _WEEKS[1] * _again(past, earlier, week)
    drift = float(np.median(values[-week:] - values[earlier - week : earlier]))
    weeks = _WEEKS[1] + 1 + np.arange(past.ahead) // week
    grown = _DRIFT_KEPT * (1 - _DRIFT_KEPT**weeks) / (1 - _DRIFT_KEPT)
    told: Floats = blend + drift * grown
    return told


def _usual_level(past: Past) -> Floats:
    """The week's profile at the middle level of the last days."""
    told: Floats = past.season + np.median(past.levels[-_LAST_DAYS:])
    return told


def _present_level(past: Past) -> Floats:
    """The week's profile at the level of today, which goes back to that of the last days."""
    usual = np.median(past.levels[-_LAST_DAYS:])
    off = past.adjusted[-past.day :].mean() - usual
    told: Floats = past.season + usual + off * _TODAY_KEPT**past.days
    return told


def _held_level(past: Past) -> Floats:
    """The week's profile at the level of today."""
    told: Floats = past.season + past.adjusted[-past.day :].mean()
    return told


def _yesterday(past: Past) -> Floats:
    """Yesterday again, each day."""
    return _again(past, len(past.values), past.day)


def _again(past: Past, until: int, span: int) -> Floats:
    """What came last at the time of each step, of the first `until` values: (H,).

    Times come again after `span` steps, but where clocks are moved or a day is off. What was
    skipped is taken from one span before, and what was not seen in two from its place.
    """
    first, count, times = max(until - 2 * span, 0), len(past.values), past.slots % span
    last = np.full(span, np.nan)
    last[times[first:until]] = past.values[first:until]
    seen = last[times[count:]]
    told: Floats = np.where(
        np.isnan(seen), np.resize(past.values[until - span : until], past.ahead), seen
    )
    return told


def _levels(onward: Callable[[Floats, Floats], Floats]) -> Callable[[Past], Floats]:
    def member(past: Past) -> Floats:
        told: Floats = past.season + onward(past.levels, past.days)
        return told

    return member


MEMBERS: Mapping[str, Callable[[Past], Floats]] = {
    "last weeks": _last_weeks,
    "usual level": _usual_level,
    "present level": _present_level,
    "level of today": _held_level,
    "yesterday": _yesterday,
    "damped trend": _levels(damped),
    "theta": _levels(theta),
    "straight line": _levels(straight),
}
