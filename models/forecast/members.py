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
    latest = values[-week:]
    before = values[-2 * week : -week] if len(values) >= 2 * week else latest
    blend = np.resize(_WEEKS[0] * latest + _WEEKS[1] * before, past.ahead)
    drift = float(np.median(latest - before))
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
    return np.resize(past.values[-past.day :], past.ahead)


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
