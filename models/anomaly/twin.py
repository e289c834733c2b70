"""The step in plain numpy, one sample of each series at a time: what the kernel must equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.layout import Hot, Kind
from models.baseline.state import NEVER, State

if TYPE_CHECKING:
    from models.anomaly.score import Settings

__all__ = ["step"]

Array = NDArray[np.float64]
_STALE_BITS = np.uint64(0x7FF0000000000002)
_LATE, _DUPLICATE, _INVALID, _STALE, _LEARNING, _GAP, _RESET = 1, 2, 4, 8, 16, 32, 64
_LEARN = 32
_NEAR = 32.0
_LEVEL = 512.0
_RARE = 0.05


@dataclass(slots=True)
class _Taken:
    """Samples that were taken, one of each row at most."""

    rows: NDArray[np.int64]
    where: NDArray[np.int64]
    seconds: Array
    x: Array


def step(
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    settings: Settings,
) -> dict[str, Any]:
    """As `score.step`, the columns by name."""
    out = _columns(len(series))
    for where in _rounds(series):
        taken = _admit(state, series[where].astype(np.int64), where, at, value, out)
        _move(state, taken, settings, out)
    return out


def _columns(count: int) -> dict[str, Any]:
    single = {
        name: np.full(count, fill, dtype=np.float32)
        for name, fill in (("surprise", -9.0), ("reached", -9.0), ("p_value", 1.0))
    }
    double = {name: np.full(count, np.nan) for name in ("value", "expected", "low", "high")}
    return {**single, **double, "flag": np.zeros(count, dtype=np.uint8)}


def _rounds(series: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Places of the first sample of every series, then of the second ones, and so on."""
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    nth = np.arange(len(ordered)) - np.repeat(first, np.diff(np.r_[first, len(ordered)]))
    return [np.sort(order[nth == k]) for k in range(int(nth.max(initial=-1)) + 1)]


def _admit(
    state: State,
    rows: NDArray[np.int64],
    where: NDArray[np.int64],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    out: dict[str, Any],
) -> _Taken:
    """Refuse what is out of order or no number, turn counters into rates, take the rest."""
    t, v, before, last = at[where], value[where], state.at[rows], state.last[rows]
    out["value"][where] = v
    stale = v.view(np.uint64) == _STALE_BITS
    flag = np.select(
        [t < before, t == before, stale, ~np.isfinite(v)],
        [_LATE, _DUPLICATE, _STALE, _INVALID],
        0,
    )
    out["flag"][where] = flag
    state.last[rows[flag == _STALE]] = np.nan
    good = flag == 0
    rows, where, t, v, before, last = (each[good] for each in (rows, where, t, v, before, last))
    state.at[rows], state.last[rows] = t, v
    seconds = np.where(before == NEVER, 0.0, (t - np.where(before == NEVER, t, before)) / 1000.0)
    x, usable, reset = _rates(state.kind[rows], v, last, seconds)
    out["flag"][where] |= np.where(reset, _RESET, 0).astype(np.uint8)
    out["flag"][where] |= np.where(usable, 0, _LEARNING).astype(np.uint8)
    out["value"][where] = np.where(usable, x, np.nan)
    return _Taken(rows=rows[usable], where=where[usable], seconds=seconds[usable], x=x[usable])


def _rates(
    kind: NDArray[np.int8], v: Array, last: Array, seconds: Array
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Values as they are, increases per second of counters: with no first one and after resets."""
    counted = kind == Kind.CUMULATIVE
    reset = counted & (v < last)
    gain = np.where(reset, v, v - last)
    span = np.maximum(seconds, 1e-3)
    x = np.select([counted, kind == Kind.DELTA], [gain / span, v / span], v)
    usable = (kind == Kind.GAUGE) | ((seconds > 0) & (~counted | np.isfinite(last)))
    return x, usable, reset


def _move(state: State, taken: _Taken, settings: Settings, out: dict[str, Any]) -> None:
    """Score by the state as it is, then learn."""
    rows, where, x = taken.rows, taken.where, taken.x
    hot = state.hot[rows].astype(np.float64)
    count = hot[:, Hot.COUNT]
    fresh = count == 0
    level = np.where(fresh, x, state.level[rows])
    near = level + hot[:, Hot.NEAR]
    gap = (count > 2) & (taken.seconds > 3.5 * hot[:, Hot.STEP])
    odd = np.abs(x - near)
    edge = np.maximum(hot[:, Hot.POINT_EDGE], 1e-3 * np.abs(level) + 1e-9)
    tail = np.where(count < _LEARN, 0.5, hot[:, Hot.POINT_TAIL])
    over = np.log(np.maximum(odd / edge, 1.0))
    learning = count < _LEARN
    nats = np.where(learning, 0.0, np.minimum(over / tail, 60.0))
    _tell(out, where, nats, hot, taken.seconds, settings)
    out["flag"][where] |= np.where(learning, _LEARNING, 0).astype(np.uint8)
    out["flag"][where] |= np.where(gap, _GAP, 0).astype(np.uint8)
    for name, values in (("expected", near), ("low", near - 2 * edge), ("high", near + 2 * edge)):
        out[name][where] = np.where(learning, np.nan, values)
    _learn(state, taken, hot, level, odd, edge, over)


def _tell(
    out: dict[str, Any],
    where: NDArray[np.int64],
    nats: Array,
    hot: Array,
    seconds: Array,
    settings: Settings,
) -> None:
    """Surprise of a score and of what the excursion had reached; the excursion goes on or ends."""
    since = hot[:, Hot.SINCE_PEAK] + seconds
    reached = np.where(since > settings.quiet_s, 0.0, hot[:, Hot.PEAK])
    out["surprise"][where] = _surprise(nats)
    out["reached"][where] = _surprise(reached)
    out["p_value"][where] = np.where(nats > 0, _RARE * np.exp(-nats), 1.0)
    hot[:, Hot.PEAK] = np.maximum(reached, nats)
    hot[:, Hot.SINCE_PEAK] = np.where(nats > reached, 0.0, since)


def _surprise(nats: Array) -> Array:
    surprise: Array = nats / np.log(10.0) - 2.0
    return surprise


def _learn(
    state: State, taken: _Taken, hot: Array, level: Array, odd: Array, edge: Array, over: Array
) -> None:
    count = hot[:, Hot.COUNT]
    early = count < _LEARN
    bounded = np.clip(taken.x - level - hot[:, Hot.NEAR], -4 * edge, 4 * edge)
    moved = np.where(early, taken.x - level - hot[:, Hot.NEAR], bounded)
    near = hot[:, Hot.NEAR] + moved / np.minimum(count + 1, _NEAR)
    drift = near / np.minimum(count + 1, _LEVEL)
    beyond = (over > 0) & ~early
    rate = np.where(early, 1.0 / (count + 1), 0.02)
    grow = np.where(early, (2 * odd - edge) * rate, edge * rate * (beyond - _RARE))
    tail = np.where(early, 0.5, hot[:, Hot.POINT_TAIL])
    tail = np.where(beyond, tail + 0.05 * (np.minimum(over, 8 * tail) - tail), tail)
    step = np.where(count < 2, taken.seconds, hot[:, Hot.STEP])
    hot[:, Hot.STEP] = step + 0.1 * np.clip(taken.seconds - step, -step, step)
    hot[:, Hot.POINT_EDGE] = edge + grow
    hot[:, Hot.POINT_TAIL] = np.clip(tail, 0.02, 5.0)
    hot[:, Hot.NEAR] = near - drift
    hot[:, Hot.COUNT] = np.minimum(count + 1, 2**24)
    state.level[taken.rows] = level + drift
    state.hot[taken.rows] = hot.astype(np.float32)
