"""The step in plain numpy, one sample of each series at a time: what the kernel must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.anomaly.scored import Flag, Scored, Settings
from models.anomaly.twin_peaks import fade
from models.anomaly.twin_score import score
from models.anomaly.twin_season import enter
from models.baseline.calendar import local_ms
from models.baseline.layout import Kind
from models.baseline.state import NEVER, State

__all__ = ["advance"]

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_STALE_BITS = np.uint64(0x7FF0000000000002)


def advance(
    state: State,
    series: NDArray[np.int32],
    at: Ints,
    value: Array,
    settings: Settings,
    out: Scored,
) -> None:
    """As `score.Advance`."""
    for name in ("surprise", "reached"):
        getattr(out, name)[:] = state.pool_table[0, 0]
    out.p_value[:] = 1.0
    out.side[:] = 0
    for name in ("expected", "low", "high"):
        getattr(out, name)[:] = np.nan
    for where in _rounds(series):
        _one_each(state, series[where].astype(np.int64), where, at[where], value, settings, out)


def _rounds(series: NDArray[np.int32]) -> list[Ints]:
    """Places of the first sample of every series, then of the second ones, and so on."""
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    nth = np.arange(len(ordered)) - np.repeat(first, np.diff(np.append(first, len(ordered))))
    return [np.sort(order[nth == k]) for k in range(int(nth.max(initial=-1)) + 1)]


def _one_each(
    state: State,
    rows: Ints,
    where: Ints,
    t: Ints,
    value: Array,
    settings: Settings,
    out: Scored,
) -> None:
    v = value[where]
    flag = _refused(state, rows, t, v)
    out.flag[where], out.value[where] = flag, v
    state.last[rows[flag == Flag.STALE]] = np.nan
    good = flag == 0
    rows, where, t, v = rows[good], where[good], t[good], v[good]
    before = np.where(state.at[rows] == NEVER, t, state.at[rows])
    seconds = (t - before) * 0.001
    x, usable, reset = _rates(state.kind[rows], v, state.last[rows], seconds)
    state.at[rows], state.last[rows] = t, v
    local = local_ms(t, settings.calendar)
    turned = enter(state, rows, local, local_ms(before, settings.calendar), settings.calendar)
    fade(state, rows[turned], before[turned], t[turned], settings.quiet_m)
    out.flag[where] |= np.where(reset, Flag.RESET, 0).astype(np.uint8)
    out.flag[where] |= np.where(usable, 0, Flag.LEARNING).astype(np.uint8)
    out.value[where] = np.where(usable, x, np.nan)
    u = usable
    score(state, rows[u], where[u], x[u], seconds[u], t[u], local[u], settings, out)


def _refused(state: State, rows: Ints, t: Ints, v: Array) -> NDArray[np.uint8]:
    stale = v.view(np.uint64) == _STALE_BITS
    wrong = ~(np.abs(v) <= c.INFINITE)
    kinds = [Flag.LATE, Flag.DUPLICATE, Flag.STALE, Flag.INVALID]
    found = [t < state.at[rows], t == state.at[rows], stale, wrong]
    return np.select(found, kinds, 0).astype(np.uint8)


def _rates(
    kind: NDArray[np.int8], v: Array, last: Array, seconds: Array
) -> tuple[Array, Bools, Bools]:
    """Values as they are, increases per second of counters: with no first one and after resets."""
    counted = kind == Kind.CUMULATIVE
    reset = counted & (v < last)
    gain = np.where(reset, v, v - last)
    span = np.maximum(seconds, 1e-3)
    x = np.select([counted, kind == Kind.DELTA], [gain / span, v / span], v)
    usable = (kind == Kind.GAUGE) | ((seconds > 0) & (~counted | ~np.isnan(last)))
    return x, usable, reset
