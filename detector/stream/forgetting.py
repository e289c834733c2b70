"""Series that nobody has heard of for long are forgotten, and their rows are for others."""

from __future__ import annotations

import heapq
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from detector.stream.state import StreamState
from detector.stream.tracks import GONE

__all__ = ["expire", "left", "returned", "returns"]

Rows = NDArray[np.int32]
_HOUR_S = 3600.0


def expire(state: StreamState) -> None:
    """At a new hour of the stream, forget what was silent for as long as is set.

    Hours in which the stream had nothing at all do not count: after an outage of all senders
    everything is still known. A series that takes part in an anomaly that lasts or rests, or that
    people gave feedback on, stays.
    """
    before = state.hours - max(round(state.settings.forget_s / _HOUR_S), 1)
    rows = state.tracks.silent(before)
    busy = _taking_part(state)
    if busy:
        rows = rows[~np.isin(rows, np.array(sorted(busy), np.int32))]
    if len(rows):
        _forget(state, rows)


def returns(state: StreamState, series: Rows) -> list[int]:
    """Places of the first samples of those that were forgotten."""
    if not state.absent:
        return []
    away = np.flatnonzero(state.tracks["heard"][series] == GONE)
    first = np.unique(series[away], return_index=True)[1]
    places: list[int] = np.sort(away[first]).tolist()
    return places


def returned(state: StreamState, series: Rows) -> None:
    """Of these, those that were forgotten have samples again, before their rows were given away."""
    if not state.absent:
        return
    back = np.unique(series[state.tracks["heard"][series] == GONE])
    state.absent -= len(back)
    for number, count in _counted(state, back):
        state.sizes[number] += count


def left(state: StreamState, row: int) -> None:
    """A row is given to another series: a subject that has no other row may be replaced, too."""
    if int(state.tracks["heard"][row]) != GONE:
        raise ValueError(f"row {row} is of a series that is not forgotten")
    number = state.subject_of(row)
    state.absent -= 1
    state.rows_of[number] -= 1
    if not state.rows_of[number]:
        del state.numbers[state.subjects[number]]
        heapq.heappush(state.spare, number)


def _forget(state: StreamState, rows: Rows) -> None:
    """Let nothing be known of series; whose they were stays, for who comes back."""
    state.scorer.forget(rows)
    state.tracks["heard"][rows] = GONE
    state.absent += len(rows)
    state.forgotten += len(rows)
    state.gone.append(rows)
    for number, count in _counted(state, rows):
        state.sizes[number] -= count


def _counted(state: StreamState, rows: Rows) -> list[tuple[int, int]]:
    numbers, counts = np.unique(state.tracks["subject"][rows], return_counts=True)
    return list(zip(numbers.tolist(), counts.tolist(), strict=True))


def _taking_part(state: StreamState) -> set[int]:
    gatherings = chain(state.open.values(), state.resting.values())
    told = {series for one in gatherings for series in (*one.over, *one.under_way)}
    return told | {one.peak.series for one in state.excursions.values()}
