"""Lines that come again and again at a steady pace, and their silence while the service logs on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Level
from detector.logs.state import LogState

__all__ = ["Silent", "beaten", "forget_pace", "silent"]

# A beat is in time within this part of the period and a bin; a pace is steady if so many are.
_SLACK, _STEADY, _BEATS = 0.2, 0.9, 20
# At most such a part of the beats may be missing, and the longest gap may be so many periods.
_MISSING, _LONGEST = 0.1, 4.0
_DAY_MS, _WEEK_MS = 86_400_000.0, 604_800_000.0
# How fast pace and steadiness follow, and how long missing beats are remembered, in beats.
_FOLLOW, _TRUST, _KEEP = 0.02, 0.05, 0.998
# While less than this part of its bins had lines, a service paused, and nothing is missing.
_AT_WORK = 0.5
# Bins in which the service must have logged since; how much longer than ever a gap must be.
_BINS_LEAST, _BEYOND = 3, 1.5
Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A heartbeat that fell silent: since its last beat, and by chance so often a week."""

    row: int
    since: int
    period: float
    rate: float


def beaten(state: LogState, rows: Whole, at: int, step_ms: int) -> None:
    """Templates had lines in a bin, each row once; the service is counted in that bin already.

    From a pause of the service, and from a silence that was told, nothing is learned.
    """
    held = state.rows
    is_first = held["beats"][rows] == 0
    later = rows[~is_first & (at > held["beat"][rows])]
    paused = _is_paused(state, later, at, step_ms) | held["silent"][later]
    _learn(state, later[~paused], at, step_ms)
    for own in (rows[is_first], later):
        held["beats"][own] += 1
        held["beat"][own] = at
        held["mark"][own] = state.services["active"][held["service"][own]]


def _is_paused(state: LogState, rows: Whole, at: int, step_ms: int) -> NDArray[np.bool_]:
    """Whether the service hardly logged since the last beat of each: no beat was missed then."""
    service = state.rows["service"][rows]
    services = state.services
    age = (services["last"][service] - services["first"][service]) / step_ms + 1
    usual = np.minimum(services["active"][service] / np.maximum(age, 1), 1.0)
    bins = (at - state.rows["beat"][rows]) / step_ms
    since = services["active"][service] - state.rows["mark"][rows]
    paused: NDArray[np.bool_] = since < _AT_WORK * usual * bins
    return paused


def _learn(state: LogState, rows: Whole, at: int, step_ms: int) -> None:
    held = state.rows
    beats = held["beats"][rows].astype(np.float64)
    gap = (at - held["beat"][rows]).astype(np.float64)
    period = np.where(held["period"][rows] == 0, gap, held["period"][rows])
    times = np.maximum(np.rint(gap / period), 1.0)
    beside, slack = gap - times * period, _SLACK * period + step_ms
    in_time = np.abs(beside) <= slack
    follow = np.maximum(1 / beats, _FOLLOW)
    held["period"][rows] = period + np.clip(beside, -slack, slack) / times * follow
    trust = np.maximum(1 / beats, _TRUST)
    held["regular"][rows] += (in_time - held["regular"][rows]) * trust
    held["missed"][rows] = held["missed"][rows] * _KEEP + times - 1
    held["held"][rows] = held["held"][rows] * _KEEP + times
    faded = held["longest"][rows] * np.exp2(-gap / _WEEK_MS)
    held["longest"][rows] = np.maximum(faded, gap)
    _begin_anew(state, rows[~in_time & (held["regular"][rows] < 0.5) & (beats > 8)], at)


def _begin_anew(state: LogState, rows: Whole, at: int) -> None:
    """Another pace, or none: what was learned of the one before says nothing."""
    forget_pace(state, rows)
    state.rows["beat"][rows] = at


def forget_pace(state: LogState, rows: Whole) -> None:
    """Learn a pace from the next beat on."""
    for name in ("beats", "beat", "regular", "missed", "held", "longest", "period"):
        state.rows[name][rows] = 0


def silent(state: LogState, now: int, step_ms: int) -> Iterator[Silent]:
    """Heartbeats whose next beat is overdue for longer than chance allows, by rows.

    Beats go missing one by one, each as often as it did; the silence is told when so many in a row
    would be missing by chance less often than the share of this heartbeat in the alarms accepted.
    """
    rows = _heartbeats(state, step_ms)
    held = state.rows
    if not len(rows):
        return
    period, waited = held["period"][rows], now - held["beat"][rows]
    missing = (held["missed"][rows] + 0.5) / (held["held"][rows] + 1)
    a_week = _WEEK_MS / period
    share = state.settings.silences_a_week / (len(rows) * a_week)
    most = np.maximum(np.ceil(np.log(share) / np.log(missing)), 2.0)
    limit = np.maximum((most + 1) * period, _BEYOND * held["longest"][rows] + step_ms)
    is_over = waited > np.maximum(limit, _BINS_LEAST * step_ms)
    is_over &= ~held["silent"][rows]
    for place in np.flatnonzero(is_over & _logs_on(state, rows, now, step_ms)).tolist():
        row, beats = int(rows[place]), max(float(waited[place] / period[place]) - 1, 1.0)
        rate = max(float(a_week[place] * missing[place] ** beats), 1e-12)
        since = int(held["beat"][row])
        yield Silent(row=row, since=since, period=float(period[place]), rate=rate)


def _heartbeats(state: LogState, step_ms: int) -> Whole:
    """Rows with a steady pace that was learned for long enough; debugging lines may go."""
    held, own = state.rows, slice(0, state.rows.size)
    period = held["period"][own]
    is_one = (held["beats"][own] >= _BEATS) & (held["regular"][own] >= _STEADY)
    is_one &= held["missed"][own] <= _MISSING * held["held"][own]
    is_one &= held["longest"][own] <= _LONGEST * period + 2 * step_ms
    is_one &= (period > 0) & (period <= _DAY_MS) & (held["service"][own] >= 0)
    is_one &= held["beat"][own] - held["first"][own] >= state.settings.learn_s * 1000
    level = held["level"][own]
    is_one &= (level >= Level.INFO) | (level == Level.UNKNOWN)
    return np.flatnonzero(is_one)


def _logs_on(state: LogState, rows: Whole, now: int, step_ms: int) -> NDArray[np.bool_]:
    """Whether the service still logs, and did so since the last beat: else it is gone itself."""
    service = state.rows["service"][rows]
    since = state.services["active"][service] - state.rows["mark"][rows]
    is_there = state.services["last"][service] >= now - 2 * step_ms
    there: NDArray[np.bool_] = (
        is_there & (since >= _BINS_LEAST) & ~_is_paused(state, rows, now, step_ms)
    )
    return there
