"""Futures of a daily level: trends that add or compound, with the week on top, or a saw-tooth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.growth.season import weekly
from models.growth.teeth import drawn_teeth, teeth
from models.growth.trends import Trends, drawn, fitted

__all__ = ["LEAST_DAYS", "Futures", "futures"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Days that must be known before anything is told of the weeks to come.
LEAST_DAYS = 14
# Beyond e to this times the largest value, growth that compounds is not followed.
_MOST_GROWTH = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """Paths (count, ahead), equally likely, and the `weights` of what they were drawn from."""

    paths: Floats
    weights: Mapping[str, float]


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
    filled = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    seen = teeth(filled)
    if seen is not None:
        return Futures(paths=drawn_teeth(seen, ahead, count, rng), weights={"saw-tooth": 1.0})
    return _trending(values, weekday, ahead, count, rng, jumps)


@dataclass(frozen=True, slots=True)
class _Way:
    """How values are seen: as they are, or by their logarithm."""

    name: str
    to: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    bent: Callable[[Floats], float]


def _trending(
    values: Floats,
    weekday: Ints,
    ahead: int,
    count: int,
    rng: np.random.Generator,
    jumps: tuple[int, ...],
) -> Futures:
    ways = _ways(values)
    fits = [_fit(way, values, weekday, jumps) for way in ways]
    evidence = np.array(
        [
            fit.evidence + way.bent(values[fit.judged])
            for way, (fit, _) in zip(ways, fits, strict=True)
        ]
    )
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    counts = rng.multinomial(count, weights)
    parts = [
        way.back(drawn(fit, ahead, int(some), rng) + season[weekday[len(values) :]])
        for way, (fit, season), some in zip(ways, fits, counts, strict=True)
    ]
    told = {way.name: float(weight) for way, weight in zip(ways, weights, strict=True)}
    return Futures(paths=rng.permutation(np.concatenate(parts)), weights=told)


def _ways(values: Floats) -> list[_Way]:
    known = values[np.isfinite(values)]
    plain = _Way("steady growth", _same, _same, lambda _: 0.0)
    if known.min() <= 0:
        return [plain]
    most = float(np.log(known.max())) + _MOST_GROWTH

    def back(logs: Floats) -> Floats:
        return np.exp(np.minimum(logs, most))

    return [
        plain,
        _Way("compounding growth", np.log, back, lambda some: -float(np.log(some).sum())),
    ]


def _same(values: Floats) -> Floats:
    return values


def _fit(way: _Way, values: Floats, weekday: Ints, jumps: tuple[int, ...]) -> tuple[Trends, Floats]:
    seen = way.to(values)
    season = weekly(seen, weekday[: len(values)])
    return fitted(seen - season[weekday[: len(values)]], jumps), season
