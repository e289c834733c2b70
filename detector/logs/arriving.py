"""Counts as they arrive: at a time that is believed, and as rows of what is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.logs.counted import LogCounts, Template
from detector.logs.fingerprint import fingerprint
from detector.logs.levels import name_at, row_at
from detector.logs.lines import Level
from detector.logs.redaction import redacted
from detector.logs.services import Place
from detector.logs.state import NEVER, LogState
from detector.stream.anomaly import AnomalyKind

__all__ = ["Bin", "bins", "steadied"]

# So many batches in a row that are all far ahead, or far behind, mean that this is the time; what
# is sent again after an outage is behind, too.
_AHEAD, _BEHIND = 3, 20
_TITLE, _LINE = 160, 300
# In a line without a level these say that it is an error.
_GRAVE = re.compile(r"(?i)\b(?:error|exception|fatal|panic|traceback|segfault|critical)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """What came of one bin: rows of templates, each once, with their lines, and which are new.

    `services` are those that had lines, each once.
    """

    at: int
    rows: NDArray[np.int64]
    count: NDArray[np.int64]
    fresh: tuple[int, ...]
    services: NDArray[np.int32]


def steadied(state: LogState, counts: LogCounts) -> NDArray[np.int64]:
    """The times of counts as far as they are believed.

    What is far ahead of all before is counted as of now: a clock is wrong. Where several batches
    in a row are all of another time, ahead or behind, it is the clock before that was wrong, or
    nothing came for long.
    """
    span = int(state.settings.ahead_s * 1000)
    if state.watermark == NEVER:
        state.watermark = int(np.median(counts.at))
    is_ahead = counts.at > state.watermark + span
    is_behind = counts.at < state.watermark - span
    state.ahead = state.ahead + 1 if is_ahead.all() else 0
    state.behind = state.behind + 1 if is_behind.all() else 0
    if state.ahead >= _AHEAD:
        state.watermark = int(np.median(counts.at))
    elif state.behind >= _BEHIND:
        _move_back(state, int(np.median(counts.at)))
    wrong = counts.at > state.watermark + span
    state.skewed += int(counts.count[wrong].sum())
    return np.where(wrong, state.watermark, counts.at)


def _move_back(state: LogState, at: int) -> None:
    """Nothing is known to be later than what is now the time."""
    state.watermark = state.swept = at
    for array in (*(state.rows[name] for name in ("last", "beat", "first")),
                  *(state.services[name] for name in ("last", "first", "deployed"))):  # fmt: skip
        np.minimum(array, at, out=array)
    for telling in (*state.open.values(), *state.resting.values()):
        telling.newest, telling.start = min(telling.newest, at), min(telling.start, at)
    for story in state.stories.values():
        story.newest, story.start = min(story.newest, at), min(story.start, at)


def bins(state: LogState, counts: LogCounts) -> Iterator[Bin]:
    """The bins of a batch, the oldest first, each when the one before is dealt with."""
    at = steadied(state, counts)
    names = [state.name_of(template) for template in counts.templates]
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    named = np.array([places[name] for name in names], np.int64)
    for time in np.unique(at).tolist():
        yield _bin(state, counts, time, at == time, named)


def _bin(
    state: LogState,
    counts: LogCounts,
    at: int,
    where: NDArray[np.bool_],
    named: NDArray[np.int64],
) -> Bin:
    origin, level, count = counts.origin[where], counts.level[where], counts.count[where]
    of_origin = _services(state, counts, np.unique(origin).tolist(), at)
    service = of_origin[origin]
    # As an error a template may be another one; those come first, and name what is new.
    is_slight = level < Level.ERROR
    keys = (service * np.int64(len(named)) + named[counts.template[where]]) * 2 + is_slight
    unique, back = np.unique(keys, return_inverse=True)
    lines = np.bincount(back, count, len(unique)).astype(np.int64)
    gravest = np.zeros(len(unique), np.uint8)
    np.maximum.at(gravest, back, level)
    rows, fresh = np.full(len(unique), -1, np.int64), []
    for place, key in enumerate(unique.tolist()):
        if key >= 0:
            number, nth = divmod(key // 2, len(named))
            rows[place], is_new = _row(state, number, counts.templates[nth], at, gravest[place])
            fresh += [int(rows[place])] if is_new else []
    is_known = rows >= 0
    state.unwatched += int(lines[~is_known].sum())
    rows, back = np.unique(rows[is_known], return_inverse=True)
    lines = np.bincount(back, lines[is_known], len(rows)).astype(np.int64)
    state.rows["count"][rows] += lines
    return Bin(
        at=at, rows=rows, count=lines, fresh=tuple(fresh), services=np.unique(service[service >= 0])
    )


def _services(state: LogState, counts: LogCounts, origins: list[int], at: int) -> NDArray[np.int32]:
    """By origin the number of its service; -1 where there is no room for one more."""
    found = np.full(len(counts.origins), -1, np.int32)
    for place in origins:
        origin = counts.origins[place]
        key = origin.service, origin.namespace, origin.cluster
        number = state.services.numbers.get(key)
        if number is None:
            number = _added(state, key, at, found)
        if number is None:
            continue
        found[place] = number
        state.services.deployed(number, origin.version, at)
    return found


def _added(state: LogState, key: Place, at: int, in_use: NDArray[np.int32]) -> int | None:
    """A number for a service; where all are given that of one that nobody heard of for long."""
    if len(state.services) < state.settings.services:
        return state.services.add(key, at)
    before = state.watermark - int(state.settings.known_s * 1000)
    for number in state.services.unheard(before):
        if number not in in_use and not state.is_about(number):
            for kind in AnomalyKind:
                state.resting.pop((kind, number), None)
            state.services.replace(number, key, at)
            return number
    return None


def _row(
    state: LogState, service: int, template: Template, at: int, level: np.uint8
) -> tuple[int, bool]:
    """The row of a template of a service, and whether it is new; -1 where there is no room."""
    name, settings = state.name_of(template), state.settings
    row = row_at(state, service, name, int(level))
    if row is not None:
        state.rows["last"][row] = max(int(state.rows["last"][row]), at)
        return row, False
    if not state.rows.make_room(service, at, settings.templates, settings.of_service):
        return -1, False
    trace = fingerprint(template.sample) if name != template.id else None
    title = redacted(trace.title if trace else template.text or template.sample)[:_TITLE]
    line = redacted(template.sample or template.text)[:_LINE]
    known_by = name_at(state, service, name)
    row = state.rows.add(service, (known_by, template.id, title, line))
    is_grave = level == Level.UNKNOWN and (trace is not None or _GRAVE.search(title))
    state.rows["level"][row] = Level.ERROR if is_grave else level
    state.rows["first"][row] = state.rows["last"][row] = at
    return row, True
