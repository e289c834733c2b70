"""The step as compiled loops over struct-of-arrays rows: equal to `twin` to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel_learn, kernel_peaks, kernel_score, kernel_season
from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Longs
from models.anomaly.scored import Flag, Scored, Settings
from models.baseline.calendar import HOUR_MS
from models.baseline.layout import Kind
from models.baseline.state import NEVER, State
from models.compiling import inlined, uncounted

__all__ = ["advance"]

# Members of enumerations are numbers of their own to the compiler only as plain integers.
_STALE_BITS = np.uint64(0x7FF0000000000002)
_LATE, _DUPLICATE, _INVALID, _STALE = (
    int(f) for f in (Flag.LATE, Flag.DUPLICATE, Flag.INVALID, Flag.STALE)
)
_LEARNING, _RESET = int(Flag.LEARNING), int(Flag.RESET)
_GAUGE, _CUMULATIVE = int(Kind.GAUGE), int(Kind.CUMULATIVE)
_UTC = (np.zeros(1, np.int64), np.zeros(1, np.int64))
_since, _until, _era = kernel_season.since, kernel_season.until, kernel_season.era
_enter, _fade = kernel_season.enter, kernel_peaks.fade
_untold, _score = kernel_learn.untold, kernel_score.score


def advance(
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    settings: Settings,
    out: Scored,
) -> None:
    """As `score.Advance`."""
    value = np.ascontiguousarray(value)
    calendar = settings.calendar
    clocks = (calendar.starts, calendar.offsets) if len(calendar.starts) else _UTC
    times = (*clocks, calendar.holidays)
    rows = (state.at, state.last, state.level, state.hot, state.kind, state.cold, state.profile)
    table = state.pool_table
    pool = (state.pool_counts, state.pool_spent, table[0], table[1])
    # What is odd is rare, and told over this.
    out.surprise[:] = out.reached[:] = table[0, 0]
    out.p_value[:] = 1.0
    out.side[:] = 0
    scores = (out.surprise, out.reached, out.p_value, out.side, out.expected, out.low, out.high)
    # A place that may be negative would be looked at from the end, at each access.
    places, bits = series.view(np.uint32), value.view(np.uint64)
    _loop(places, at, value, bits, times, settings.quiet_m, rows, pool, scores, out.value, out.flag)


@uncounted
def _loop(
    series: NDArray[np.uint32],
    at: Longs,
    value: Doubles,
    bits: NDArray[np.uint64],
    times: tuple[Longs, ...],
    quiet: int,
    rows: tuple[NDArray[Any], ...],
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
    scored: Doubles,
    flag: NDArray[np.uint8],
) -> None:
    newest, last, level, hot, kind, cold, profile = rows
    starts, offsets, holidays = times
    now = was = since = until = offset = into = 0
    told = NEVER
    for i in range(len(series)):
        row, t, v = series[i], at[i], value[i]
        found = _refused(newest[row], t, v, bits[i])
        if found != 0:
            if found == _STALE:
                last[row] = np.nan
            flag[i], scored[i] = found, v
            _untold(i, scores)
            continue
        before = t if newest[row] == NEVER else newest[row]
        span = t - before
        x, usable, reset = _rate(kind[row], v, last[row], span * 0.001)
        newest[row] = t
        last[row] = v
        moved = 0
        if before < since or t >= until:
            now, was = _era(t, starts, now), _era(before, starts, was)
            since, until, offset = _since(now, starts), _until(now, starts), offsets[now]
            moved = offset - offsets[was]
        if t != told:
            told, into = t, (t + offset) % HOUR_MS
        # The hour of before began with this one.
        if not 0 <= into - (span + moved) < HOUR_MS:
            _enter(row, t + offset, before + (offset - moved), level, hot, cold, profile, holidays)
            _fade(row, before, t, quiet, hot)
        if reset:
            found |= _RESET
        if usable:
            scored[i] = x
            found |= _score(i, row, x, span, t, into, quiet, rows, pool, scores)
        else:
            found |= _LEARNING
            scored[i] = np.nan
            _untold(i, scores)
        flag[i] = found


@inlined
def _refused(newest: int, t: int, v: float, bits: np.uint64) -> int:
    if t < newest:
        return _LATE
    if t == newest:
        return _DUPLICATE
    if bits == _STALE_BITS:
        return _STALE
    return 0 if abs(v) <= c.INFINITE else _INVALID


@inlined
def _rate(kind: int, v: float, last: float, seconds: float) -> tuple[float, bool, bool]:
    if kind == _GAUGE:
        return v, True, False
    span = max(seconds, 1e-3)
    if kind != _CUMULATIVE:
        return v / span, seconds > 0, False
    reset = v < last
    gain = v if reset else v - last
    return gain / span, seconds > 0 and not np.isnan(last), reset
