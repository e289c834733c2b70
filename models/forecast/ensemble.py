"""The forecast of one series: many forecasters, each heard as far as it was right in the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.boosted import Boosted
from models.forecast.fleet import Common
from models.forecast.history import History
from models.forecast.intervals import errors_of, scatter_of, together_of, unmoved
from models.forecast.members import MEMBERS
from models.forecast.origins import Origins, origins_of
from models.forecast.outcome import Forecast
from models.forecast.past import Past
from models.forecast.ready import LEAST_DAYS, Ready, ready_of
from models.forecast.regression import own_weights, told_by
from models.forecast.scale import scales_of

__all__ = ["LEAST_DAYS", "MOST_AHEAD", "forecast"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Steps ahead that are told at most.
MOST_AHEAD = 10_000
# A member counts by this power of how much smaller its error was.
_POWER = 6
# An origin counts so much less than the one after it.
_LATER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learned:
    """What is heard beside the members: weights of the regression by scale, and trees."""

    weights: Mapping[str, Floats]
    trees: Boosted | None


_NOTHING = _Learned(weights={}, trees=None)


def forecast(history: History, ahead: int, common: Common | None = None) -> Forecast:
    """What the next `ahead` steps will be.

    `common`: what series like this one have in common, if they were fitted together. The mean of
    the members is weighted by their errors at origins of the past, and intervals are those of that
    mean there (`intervals`). After a silence it is what follows at its end, as unsure as what is so
    far ahead. `ShortHistoryError` where less than `LEAST_DAYS` days were measured, or a silence is
    too long, ValueError where `ahead` is no number between 1 and `MOST_AHEAD`.
    """
    if not 1 <= ahead <= MOST_AHEAD:
        raise ValueError(f"ahead {ahead}: between 1 and {MOST_AHEAD}")
    ready = ready_of(history, ahead)
    far = ready.silent + ahead
    origins = origins_of(len(ready.values), far, ready.day)
    before, now = _learned(ready, origins, far, common)
    names, told = _told(ready, len(ready.values), far, now)
    weights, off = _heard(_tried(ready, origins, before))
    scatter = scatter_of(ready.values, ready.day)
    relative = off / _scatters(ready, origins, scatter)
    together = together_of(relative, ready.day)
    errors = errors_of(relative, far, ready.day, origins.spans) * np.resize(scatter, far)
    is_constant = float(np.ptp(ready.values)) == 0
    return Forecast(
        start_ms=int(history.starts(1)[-1]),
        step_s=history.step_s,
        point=_bounded(weights @ told[:, ready.silent :], ready.values, history),
        errors=unmoved(ready.values[-1], ahead) if is_constant else errors[:, ready.silent :],
        slow=together.slow,
        memory=together.memory,
        weights=dict(zip(names, weights.tolist(), strict=True)),
        mase=float(np.nanmean(np.abs(off)) / _naive(ready)),
        shifts=ready.shifts,
        floor=_floor(ready.values, history),
        ceiling=history.ceiling,
        silent=ready.silent,
        strays=ready.strays,
        is_constant=is_constant,
    )


def _told(ready: Ready, until: int, ahead: int, learned: _Learned) -> tuple[list[str], Floats]:
    """What each member tells after the first `until` values: names, and (members, ahead)."""
    values = ready.values[:until]
    names: list[str] = []
    told: list[Floats] = []
    for scale in scales_of(ready.values):
        seen = scale.to(values)
        past = Past(values=seen, slots=ready.slots[: until + ahead], day=ready.day)
        for name, member in MEMBERS.items():
            names.append(name + scale.name)
            told.append(scale.back(member(past), values))
        if scale.name in learned.weights:
            names.append("regression" + scale.name)
            regressed = told_by(learned.weights[scale.name], seen, ready.day)[:ahead]
            told.append(scale.back(regressed, values))
        if learned.trees is not None and not scale.name:
            names.append("boosted trees")
            told.append(learned.trees.told(past))
    return names, np.stack(told)


def _learned(
    ready: Ready, origins: Origins, ahead: int, common: Common | None
) -> tuple[_Learned, _Learned]:
    """What a fleet says, bent to this series: for origins in its past, and for now."""
    first = origins.at[0]
    # Others of the fleet were learned from in the silence of this one, too.
    count = len(ready.values) + ready.silent
    if common is None or not common.serves(count=count, first=first, ahead=ahead, day=ready.day):
        return _NOTHING, _NOTHING
    seen = {scale.name: scale.to(ready.values) for scale in scales_of(ready.values)}
    before = {name: own_weights(seen[name][:first], common.before[name]) for name in seen}
    now = {name: own_weights(seen[name], common.whole[name]) for name in seen}
    past_trees = common.trees_before if first >= 14 * ready.day else None
    trees = common.trees if past_trees is not None else None
    return _Learned(weights=before, trees=past_trees), _Learned(weights=now, trees=trees)


def _tried(ready: Ready, origins: Origins, learned: _Learned) -> Floats:
    """How far off each member was at each origin: (origins, members, reach), NaN in gaps."""
    off = []
    for at in origins.at:
        _, told = _told(ready, at, origins.reach, learned)
        came = ready.values[at : at + origins.reach]
        off.append(np.where(ready.known[at : at + origins.reach], came - told, np.nan))
    return np.stack(off)


def _heard(off: Floats) -> tuple[Floats, Floats]:
    """The weight of each member, and how far off the mean was at each origin: (m, reach).

    There, the weights are of the other origins alone: an error that chose its own forecast would
    be too small.
    """
    known = np.nan_to_num(off)
    error = np.abs(known).mean(axis=2) * _LATER ** np.arange(len(off))[::-1, None]
    total = error.sum(axis=0)
    others = total - error if len(error) > 1 else error
    apart = _weights(others)
    mean = np.where(np.isnan(off[:, 0]), np.nan, np.einsum("om,omr->or", apart, known))
    return _weights(total[None])[0], mean


def _weights(error: Floats) -> Floats:
    best = np.maximum(error.min(axis=1, keepdims=True), 1e-300)
    share = (best / np.maximum(error, best)) ** _POWER
    weights: Floats = share / share.sum(axis=1, keepdims=True)
    return weights


def _scatters(ready: Ready, origins: Origins, scatter: Floats) -> Floats:
    """The scatter of the steps of each origin: (m, reach)."""
    count = len(ready.values)
    steps = np.array(origins.at)[:, None] + np.arange(origins.reach) - count
    usual: Floats = scatter[steps % ready.day]
    return usual


def _naive(ready: Ready) -> float:
    week = 7 * ready.day
    return max(float(np.abs(ready.values[week:] - ready.values[:-week]).mean()), 1e-12)


def _floor(values: Floats, history: History) -> float | None:
    """What nothing falls below: as told, or zero where nothing was ever below it."""
    if history.floor is not None:
        return history.floor
    return 0.0 if float(values.min()) >= 0 else None


def _bounded(point: Floats, values: Floats, history: History) -> Floats:
    floor = _floor(values, history)
    if floor is None and history.ceiling is None:
        return point
    bounded: Floats = np.clip(point, floor, history.ceiling)
    return bounded
