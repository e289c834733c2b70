"""Futures of a daily level: trends that add or compound, with the week on top, or a saw-tooth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.growth.season import weekly
from models.growth.shifts import shifts
from models.growth.teeth import drawn_teeth, teeth
from models.growth.trends import Trends, drawn, fitted

__all__ = ["COMPOUNDING", "LEAST_DAYS", "SAW_TOOTH", "STEADY", "Futures", "futures"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Days that must be known before anything is told of the weeks to come.
LEAST_DAYS = 14
STEADY, COMPOUNDING, SAW_TOOTH = "steady growth", "compounding growth", "a saw-tooth"
# Days over which the level is taken that noise may go by.
_AROUND = 15
# Beyond e to this times the largest value, growth that compounds is not followed.
_MOST_GROWTH = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """Paths (count, ahead), equally likely, and the `weights` of what they were drawn from.

    `steps`: days of the past on which the level was found to move at once, beside known ones.
    """

    paths: Floats
    weights: Mapping[str, float]
    steps: tuple[int, ...]


def futures(
    values: Floats,
    weekday: Ints,
    ahead: int,
    count: int,
    rng: np.random.Generator,
    *,
    jumps: tuple[int, ...] = (),
) -> Futures:
    """What the days after the last will be.

    `values` (n,), one a day, NaN where missing; `weekday` (n + ahead,) between 0 and 6; at `jumps`
    the level may be any other. ValueError where fewer than `LEAST_DAYS` days are known.
    """
    known = np.isfinite(values)
    if known.sum() < LEAST_DAYS:
        raise ValueError(f"{known.sum()} known days: at least {LEAST_DAYS}")
    season = weekly(values, weekday[: len(values)])[weekday]
    level = values - season[: len(values)]
    seen = teeth(np.interp(np.arange(len(values)), np.flatnonzero(known), level[known]))
    if seen is not None:
        paths = drawn_teeth(seen, ahead, count, rng) + season[len(values) :]
        return Futures(paths=paths, weights={SAW_TOOTH: 1.0}, steps=())
    found = shifts(level, jumps)
    ways = _ways(values, weekday, tuple(sorted({*jumps, *found})))
    return _mixed(ways, ahead, count, rng, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a series is seen: its trends, and how they and the week to come become values."""

    name: str
    fit: Trends
    back: Callable[[Floats], Floats]
    evidence: float


def _ways(values: Floats, weekday: Ints, jumps: tuple[int, ...]) -> list[_Way]:
    """What adds, with week and noise the same at all levels or going by it; what compounds."""
    size, known = len(values), values[np.isfinite(values)]
    season = weekly(values, weekday[:size])[weekday]
    even = fitted(values - season[:size], jumps)
    added = _Way(
        name=STEADY, fit=even, back=partial(_plus, season=season[size:]), evidence=even.evidence
    )
    if known.min() <= 0:
        return [added]
    logs = np.log(values)
    shares = weekly(logs, weekday[:size])[weekday]
    most = float(np.log(known.max())) + _MOST_GROWTH
    level = values * np.exp(-shares[:size])
    uneven, bent = fitted(level, jumps, _sizes(level)), fitted(logs - shares[:size], jumps)
    by_level = _Way(
        name=STEADY,
        fit=uneven,
        back=partial(_times, season=np.exp(shares[size:])),
        evidence=uneven.evidence - float(shares[uneven.judged].sum()),
    )
    compounds = _Way(
        name=COMPOUNDING,
        fit=bent,
        back=partial(_exp, season=shares[size:], most=most),
        evidence=bent.evidence - float(logs[bent.judged].sum()),
    )
    return [added, by_level, compounds]


def _plus(level: Floats, season: Floats) -> Floats:
    return level + season


def _times(level: Floats, season: Floats) -> Floats:
    return level * season


def _exp(logs: Floats, season: Floats, most: float) -> Floats:
    values: Floats = np.exp(np.minimum(logs + season, most))
    return values


def _sizes(level: Floats) -> Floats:
    """How large noise is that goes by the level, of what it is at the end."""
    known = np.flatnonzero(np.isfinite(level))
    filled = np.interp(np.arange(len(level)), known, level[known])
    padded = np.pad(filled, _AROUND // 2, mode="edge")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _AROUND), axis=1)
    at_least = np.maximum(middle, 1e-3 * float(middle.max()))
    sizes: Floats = at_least / at_least[-1]
    return sizes


def _mixed(
    ways: list[_Way],
    ahead: int,
    count: int,
    rng: np.random.Generator,
    found: tuple[int, ...],
) -> Futures:
    """Futures of each way, as many as its evidence allows."""
    evidence = np.array([way.evidence for way in ways])
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    counts = rng.multinomial(count, weights)
    parts = [
        way.back(drawn(way.fit, ahead, int(some), rng))
        for way, some in zip(ways, counts, strict=True)
    ]
    told: dict[str, float] = {}
    for way, weight in zip(ways, weights, strict=True):
        told[way.name] = told.get(way.name, 0.0) + float(weight)
    return Futures(paths=rng.permutation(np.concatenate(parts)), weights=told, steps=found)
