"""The keyed operator: samples in, anomalies out; the same however the samples are cut."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.stream.anomaly import Ending, Happened, Side
from detector.stream.closing import ended, fallen_silent, forget, marked
from detector.stream.columns import Columns, is_stale
from detector.stream.excursion import Sample
from detector.stream.forgetting import expire, returned, returns
from detector.stream.opening import opened, took
from detector.stream.scoring import Scored
from detector.stream.state import NEVER, StreamState

__all__ = ["HOUR_MS", "placed", "step"]

Placed: TypeAlias = tuple[int, Happened]
HOUR_MS = 3_600_000
# The p-value of a sample with nothing odd about it: where more alarms are accepted than there are
# odd samples, even such a one would surprise enough.
_USUAL = 1.0


def step(state: StreamState, columns: Columns) -> tuple[StreamState, tuple[Happened, ...]]:
    """Take samples of known series; what happened, in order.

    The state that comes in is used up. Anomalies and state depend on the samples and their order
    alone, not on how they are cut into batches: what happens at whole hours happens between the
    same two samples.
    """
    state, found = placed(state, columns)
    return state, tuple(happened for _, happened in found)


def placed(state: StreamState, columns: Columns) -> tuple[StreamState, Sequence[Placed]]:
    """As `step`; with all that happened the place of the sample after which it was known."""
    found: list[Placed] = []
    if not len(columns):
        return state, found
    marks = np.maximum(np.maximum.accumulate(columns.at), state.watermark)
    for span in _hours(state, marks):
        _tick(state, int(marks[span.start]))
        for start, stop in _returning(state, columns.series[span]):
            piece = slice(span.start + start, span.start + stop)
            taken = _taken(state, columns.part(piece), marks[piece])
            found += [(piece.start + place, happened) for place, happened in taken]
    return state, found


def _returning(state: StreamState, series: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """Cut where a forgotten series has samples again: what closed before was not of its time."""
    return itertools.pairwise(sorted({0, *returns(state, series), len(series)}))


def _taken(state: StreamState, part: Columns, marks: NDArray[np.int64]) -> Iterator[Placed]:
    """What samples of one hour mean, of which at most the first is of a forgotten series."""
    returned(state, part.series)
    state.tracks.counted(part.series, state.hours)
    scored = state.scorer.score(part)
    yield from _within(state, _Part(columns=part, scored=scored, marks=marks))
    state.watermark = int(marks[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The samples of a batch between two ticks."""

    columns: Columns
    scored: Scored
    marks: NDArray[np.int64]

    def sample(self, at: int) -> Sample:
        """One of them, by its place."""
        scored = self.scored
        return Sample(
            series=int(self.columns.series[at]),
            at=int(self.columns.at[at]),
            value=float(scored.value[at]),
            expected=float(scored.expected[at]),
            low=float(scored.low[at]),
            high=float(scored.high[at]),
            surprise=float(scored.surprise[at]),
            p_value=float(scored.p_value[at]),
            side=Side.ABOVE if scored.side[at] > 0 else Side.BELOW,
        )


def _hours(state: StreamState, marks: NDArray[np.int64]) -> Iterator[slice]:
    """The batch cut where the newest time enters another hour."""
    hours = np.concatenate([[state.watermark], marks]) // HOUR_MS
    cuts = np.flatnonzero(np.diff(hours)).tolist()
    edges = sorted({0, *cuts, len(marks)})
    for start, stop in itertools.pairwise(edges):
        yield slice(start, stop)


def _tick(state: StreamState, mark: int) -> None:
    """At another hour, count the series, share out the alarms anew, and forget who is gone."""
    if state.since == NEVER:
        state.since = mark
    if mark // HOUR_MS == state.watermark // HOUR_MS:
        return
    state.hours += 1
    if state.watermark - state.since >= state.settings.warm_s * 1000:
        state.live = state.tracks.live(state.first)
        state.since, state.first = mark, state.hours
        state.share()
        forget(state, mark)
    expire(state)


def _within(state: StreamState, part: _Part) -> Iterator[Placed]:
    """The samples that matter, one by one: of series that are out of their range, or leave it."""
    place = 0
    for at in _telling(state, part):
        mark, series = int(part.marks[at]), int(part.columns.series[at])
        yield from _silent(state, part, place, mark)
        place = at
        if is_stale(part.columns.value[at : at + 1])[0]:
            ended_by = marked(state, series, int(part.columns.at[at]))
            yield from ((at, one) for one in ended_by)
        elif part.scored.is_usable[at]:
            yield from ((at, one) for one in _judged(state, part.sample(at)))
    yield from _silent(state, part, place, int(part.marks[-1]))


def _silent(state: StreamState, part: _Part, place: int, mark: int) -> Iterator[Placed]:
    """What is over by a mark, known with the first sample from then on that follows on a place."""
    for closed in fallen_silent(state, mark):
        yield max(place, int(np.searchsorted(part.marks, closed.at))), closed


def _telling(state: StreamState, part: _Part) -> list[int]:
    """Places of all samples of series that are out of their range or have a sample that is."""
    series, scored, is_out = part.columns.series, part.scored, state.tracks["is_out"]
    is_hot = scored.surprise >= state.tracks.needed(series)
    is_hot &= scored.is_usable & (scored.p_value < _USUAL)
    hot = series[is_hot]
    marked = hot[~is_out[hot]]
    is_out[marked] = True
    found: list[int] = np.flatnonzero(is_out[series]).tolist()
    is_out[marked] = False
    return found


def _judged(state: StreamState, sample: Sample) -> Iterator[Happened]:
    """What a sample means for an excursion on either side."""
    series = sample.series
    for side in Side:
        excursion = state.excursions.get((series, side))
        if excursion is None:
            is_odd = sample.side is side and sample.p_value < _USUAL
            if is_odd and sample.surprise >= state.tracks.needed(series):
                yield from opened(state, sample)
        elif excursion.take(sample, state.settings):
            yield from ended(state, series, side, sample.at, Ending.CALM)
        else:
            yield from took(state, sample, excursion)
