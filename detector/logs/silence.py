"""Silences of heartbeats become anomalies, until the lines come again or the service goes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from detector.logs.heartbeat import Silent, forget_pace, silent
from detector.logs.lines import Level
from detector.logs.novelty import closed
from detector.logs.state import LogState
from detector.logs.story import Noted, Telling
from detector.stream.anomaly import (
    AnomalyKind,
    Ending,
    Happened,
    Happening,
    LineNote,
    Severity,
    Side,
    anomaly_id,
)
from detector.stream.suppression import planned

__all__ = ["fallen_silent", "gone", "returned"]

_KIND = AnomalyKind.LOG_SILENCE
# A service without lines for so long is gone; a silence that lasts so long is how it is now.
_GONE_MS, _NEWS_MS = 3_600_000, 86_400_000
_MANY = 3
# A silence that comes again within so long is the same story.
_QUIET_MS = 43_200_000


def fallen_silent(state: LogState, now: int, step_ms: int) -> Iterator[Happened]:
    """Open anomalies of what is overdue by a time, one for each service."""
    every = list(silent(state, now, step_ms))
    for one in every:
        if state.rows["silenced"][one.row]:
            state.rows["silent"][one.row] = True
    heard = (one for one in every if not state.rows["silenced"][one.row])
    found = sorted(heard, key=lambda one: _service(state, one.row))
    for service, ones in itertools.groupby(found, key=lambda one: _service(state, one.row)):
        if planned(state.windows, state.subject(service, _KIND), now) is None:
            yield from _opened(state, service, list(ones), now)


def _service(state: LogState, row: int) -> int:
    return int(state.rows["service"][row])


def _opened(state: LogState, service: int, ones: Sequence[Silent], now: int) -> Iterator[Happened]:
    telling, kind = _telling(state, service, ones[0], now)
    for one in ones:
        if telling.join(one.row, _noted(state, one, now)):
            state.rows["silent"][one.row] = True
    telling.severity = max((telling.severity, _severity(state, telling)), key=lambda one: one.rank)
    yield telling.happened(kind, now, tenant=state.tenant, live=telling.members)


def _telling(state: LogState, service: int, first: Silent, now: int) -> tuple[Telling, Happening]:
    key = _KIND, service
    if key in state.open:
        return state.open[key], Happening.GREW
    resting = state.resting.pop(key, None)
    if resting is not None and now - resting.newest <= _QUIET_MS:
        resting.again, state.open[key] = first.since, resting
        return resting, Happening.REOPENED
    subject = state.subject(service, _KIND)
    id = anomaly_id(state.place, subject, Side.BELOW, first.since, first.row)
    made = Telling(
        id=id, kind=_KIND, subject=subject, service=service, start=first.since, newest=now
    )
    state.open[key] = made
    return made, Happening.OPENED


def _noted(state: LogState, one: Silent, now: int) -> Noted:
    rows, level = state.rows, int(state.rows["level"][one.row])
    note = LineNote(
        template=rows.words["template"][one.row],
        level=Level(level).name,
        title=rows.words["title"][one.row],
        text=rows.words["title"][one.row],
        line=rows.words["line"][one.row],
        count=int(rows["count"][one.row]),
        every_s=round(one.period / 1000, 3),
    )
    surprise = -math.log10(one.rate)
    return Noted(note=note, level=level, start=one.since, last=now, surprise=surprise)


def _severity(state: LogState, telling: Telling) -> Severity:
    """A deploy may have changed the words of a line; several at once are a part that stands."""
    is_deploy = int(state.services["deployed"][telling.service]) >= telling.start - 60_000
    missing = sum(not one.is_over for one in telling.noted.values())
    rank = int(not is_deploy) + int(missing >= _MANY)
    return list(Severity)[rank]


def returned(state: LogState, rows: Sequence[int], at: int) -> Iterator[Happened]:
    """Heartbeats that were missing have beaten again."""
    for row in rows:
        key = _KIND, _service(state, row)
        state.rows["silent"][row] = False
        telling = state.open.get(key)
        if telling is None or row not in telling.noted:
            continue
        telling.noted[row].is_over = True
        telling.noted[row].last = telling.newest = max(telling.newest, at)
        if all(one.is_over for one in telling.noted.values()):
            yield closed(state, key, at, Ending.CALM)


def gone(state: LogState, now: int) -> Iterator[Happened]:
    """Close silences of services that are gone themselves, and those that are no news any more."""
    for key, telling in list(state.open.items()):
        if key[0] is not _KIND:
            continue
        last = int(state.services["last"][telling.service])
        is_gone = now - last > _GONE_MS
        if is_gone or now - telling.start > _NEWS_MS:
            rows = np.array(
                [row for row, one in telling.noted.items() if not one.is_over], np.int64
            )
            state.rows["silent"][rows] = False
            forget_pace(state, rows)
            telling.newest = last if is_gone else now
            yield closed(state, key, now, Ending.SILENT if is_gone else Ending.CALM)
