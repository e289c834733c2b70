"""New series get their rows and subjects, before their first samples."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from detector.stream.anomaly import Subject
from detector.stream.columns import SeriesInfo
from detector.stream.forgetting import left
from detector.stream.state import StreamState
from detector.stream.subject import Owners

__all__ = ["introduced"]


def introduced(
    state: StreamState,
    series: Sequence[SeriesInfo],
    owners: Owners,
    ids: Sequence[int] | None = None,
) -> StreamState:
    """The state with new series; it must come before their samples.

    Their `ids` are rows of series that are forgotten, or the next ones; without `ids` all are the
    next ones. `ValueError` for any other.
    """
    size = state.tracks.size
    rows = np.arange(size, size + len(series)) if ids is None else np.array(ids, np.int64)
    is_next = rows >= size
    if (rows[is_next] != np.arange(size, size + is_next.sum())).any() or (rows < 0).any():
        raise ValueError(f"new series with ids {rows.tolist()[:5]}... after {size} rows")
    found = np.array(
        [
            _number(state, owners.subject(one), None if is_new else row)
            for one, row, is_new in zip(series, rows.tolist(), is_next.tolist(), strict=True)
        ],
        np.int32,
    )
    kinds = [one.kind for one in series]
    again = np.flatnonzero(~is_next)
    given = rows[again].astype(np.int32)
    state.tracks.begin(given, found[again], state.hours)
    state.scorer.begin(given, [kinds[at] for at in again.tolist()])
    state.tracks.add(found[is_next], state.hours)
    state.scorer.grow([kinds[at] for at in np.flatnonzero(is_next).tolist()])
    return state


def _number(state: StreamState, subject: Subject, row: int | None) -> int:
    """The number of a series' subject, after it has got the row of another one, if it does."""
    if row is not None:
        left(state, row)
    if subject not in state.numbers:
        state.numbers[subject] = _new_number(state, subject)
    number = state.numbers[subject]
    state.sizes[number] += 1
    state.rows_of[number] += 1
    return number


def _new_number(state: StreamState, subject: Subject) -> int:
    if state.spare:
        number = heapq.heappop(state.spare)
        state.subjects[number] = subject
        return number
    state.subjects.append(subject)
    state.sizes.append(0)
    state.rows_of.append(0)
    return len(state.subjects) - 1
