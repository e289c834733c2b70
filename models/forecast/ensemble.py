"""The forecast of one series: many forecasters, each heard as far as it was right in the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.common import Common
from models.forecast.filling import filled
from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.intervals import errors_of, scatter_of, together_of
from models.forecast.members import MEMBERS
from models.forecast.origins import Origins, origins_of
from models.forecast.outcome import Forecast
from models.forecast.past import Past
from models.forecast.regression import own_weights, told_by
from models.forecast.scale import scales_of
from models.forecast.shifts import levelled

__all__ = ["LEAST_DAYS", "MOST_AHEAD", "forecast"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Own = Mapping[str, Floats]
# Days that must have been measured, and steps ahead that are told at most.
LEAST_DAYS, MOST_AHEAD = 14, 10_000
# A member counts by this power of how much smaller its error was.
_POWER = 6
# An origin counts so much less than the one after it.
_LATER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """What is forecast: values without gaps, known changes taken out."""

    values: Floats
    slots: Ints
    day: int
    known: NDArray[np.bool_]


def forecast(history: History, ahead: int, common: Common | None = None) -> Forecast:
    """What the next `ahead` steps will be.

    `common`: what series like this one have in common, if they were fitted together. The mean of
    the members is weighted by their errors at origins of the past, and intervals are those of that
    mean there (`intervals`). `ShortHistoryError` where less than `LEAST_DAYS` days were measured,
    ValueError where `ahead` is no number between 1 and `MOST_AHEAD`.
    """
    if not 1 <= ahead <= MOST_AHEAD:
        raise ValueError(f"ahead {ahead}: between 1 and {MOST_AHEAD}")
    ready, shifts = _ready(history, ahead)
    origins = origins_of(len(ready.values), ahead, ready.day)
    before, now = _own(ready, origins, _fitting(common, ahead))
    names, told = _told(ready, len(ready.values), ahead, now)
    tried = _tried(ready, origins, before)
    weights, off = _heard(tried)
    scatter = scatter_of(ready.values, ready.day)
    relative = off / _scatters(ready, origins, scatter)
    together = together_of(relative, ready.day)
    future = np.resize(scatter, ahead)
    return Forecast(
        start_ms=int(history.starts(1)[-1]),
        step_s=history.step_s,
        point=_bounded(weights @ told, ready.values, history),
        errors=errors_of(relative, ahead, ready.day) * future,
        slow=together.slow,
        memory=together.memory,
        weights=dict(zip(names, weights.tolist(), strict=True)),
        mase=float(np.abs(off).mean() / _naive(ready)),
        shifts=shifts,
        floor=_floor(ready.values, history),
        ceiling=history.ceiling,
    )


def _ready(history: History, ahead: int) -> tuple[_Ready, dict[int, float]]:
    first = np.flatnonzero(np.isfinite(history.values))[:1]
    start = int(first[0]) if len(first) else 0
    known = np.isfinite(history.values[start:])
    has_s = int(known.sum()) * history.step_s
    if has_s < LEAST_DAYS * DAY_S:
        raise ShortHistoryError(needs_s=LEAST_DAYS * DAY_S, has_s=has_s)
    slots = history.of_week(ahead)[start:]
    past = slots[: len(known)]
    values = filled(history.values[start:], past, history.day)
    changes = tuple(change - start for change in history.changes if change > start)
    values, moved = levelled(values, past, history.day, changes)
    ready = _Ready(values=values, slots=slots, day=history.day, known=known)
    return ready, {change + start: size for change, size in moved.items()}


def _told(ready: _Ready, until: int, ahead: int, own: Own) -> tuple[list[str], Floats]:
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
        if scale.name in own:
            names.append("regression" + scale.name)
            told.append(scale.back(told_by(own[scale.name], seen, ready.day)[:ahead], values))
    return names, np.stack(told)


def _own(ready: _Ready, origins: Origins, common: Common | None) -> tuple[Own, Own]:
    """The series' own weights on what its fleet has in common, by scale: for origins, and for now.

    None where the fleet's are of another rhythm, or look further back than the first origin.
    """
    if common is None or common.day != ready.day or common.past > origins.at[0]:
        return {}, {}
    scales, first = scales_of(ready.values), origins.at[0]
    seen = {scale.name: scale.to(ready.values) for scale in scales}
    before = {name: own_weights(seen[name][:first], common.before[name]) for name in seen}
    return before, {name: own_weights(seen[name], common.whole[name]) for name in seen}


def _fitting(common: Common | None, ahead: int) -> Common | None:
    return None if common is None or common.ahead < ahead else common


def _tried(ready: _Ready, origins: Origins, own: Own) -> Floats:
    """How far off each member was at each origin: (origins, members, reach), NaN in gaps."""
    off = []
    for at in origins.at:
        _, told = _told(ready, at, origins.reach, own)
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
    mean: Floats = np.einsum("om,omr->or", apart, known)
    return _weights(total[None])[0], mean


def _weights(error: Floats) -> Floats:
    best = np.maximum(error.min(axis=1, keepdims=True), 1e-300)
    share = (best / np.maximum(error, best)) ** _POWER
    weights: Floats = share / share.sum(axis=1, keepdims=True)
    return weights


def _scatters(ready: _Ready, origins: Origins, scatter: Floats) -> Floats:
    """The scatter of the steps of each origin: (m, reach)."""
    count = len(ready.values)
    steps = np.array(origins.at)[:, None] + np.arange(origins.reach) - count
    usual: Floats = scatter[steps % ready.day]
    return usual


def _naive(ready: _Ready) -> float:
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
