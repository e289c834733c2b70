"""An excursion begins, or goes on: which anomaly it is of, and whether that is worth telling."""

from __future__ import annotations

from collections.abc import Iterator

from detector.stream.anomaly import Happened, Happening
from detector.stream.excursion import Excursion, Sample, begun
from detector.stream.gathering import Gathering, gathered
from detector.stream.state import StreamState
from detector.stream.suppression import planned

__all__ = ["opened", "took"]


def opened(state: StreamState, sample: Sample) -> Iterator[Happened]:
    """A sample is out of its range: it opens an anomaly or joins one, unless that was planned."""
    number = state.subject_of(sample.series)
    subject = state.subjects[number]
    if planned(state.windows, subject, sample.at) is not None:
        return
    excursion = begun(sample)
    key = (number, excursion.side)
    gathering, kind = state.open.get(key), Happening.GREW
    if gathering is None:
        gathering = gathered(state.tenant, subject, sample.series, excursion)
        state.open[key], kind = gathering, Happening.OPENED
    gathering.join(sample.series, excursion)
    _begin(state, sample.series, excursion)
    yield from _told(state, gathering, excursion, kind, sample.at)


def _begin(state: StreamState, series: int, excursion: Excursion) -> None:
    state.excursions[series] = excursion
    state.tracks.is_out[series] = True
    state.due = (
        min(state.due, silent_at(state, excursion))
        if len(state.excursions) > 1
        else (silent_at(state, excursion))
    )


def silent_at(state: StreamState, excursion: Excursion) -> int:
    """The time at which an excursion whose series brings nothing more is over."""
    return excursion.seen + int(state.settings.silent_s * 1000)


def took(state: StreamState, sample: Sample) -> Iterator[Happened]:
    """A series that is out of its range went on."""
    excursion = state.excursions[sample.series]
    if excursion.is_excused:
        return
    gathering = state.open[state.subject_of(sample.series), excursion.side]
    yield from _told(state, gathering, excursion, Happening.GREW, sample.at)


def _told(
    state: StreamState, gathering: Gathering, excursion: Excursion, kind: Happening, at: int
) -> Iterator[Happened]:
    live = state.sizes[state.numbers[gathering.subject]]
    if gathering.grow(excursion.peak.excess, live) or kind is Happening.OPENED:
        yield gathering.happened(kind, at, tenant=state.tenant, live=live)
