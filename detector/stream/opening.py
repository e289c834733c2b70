"""An excursion begins, or goes on: which anomaly it is of, and whether that is worth telling."""

from __future__ import annotations

from collections.abc import Iterator

from detector.stream.anomaly import Happened, Happening, Side
from detector.stream.excursion import Excursion, Sample, begun
from detector.stream.gathering import Gathering, gathered
from detector.stream.state import StreamState
from detector.stream.suppression import planned

__all__ = ["is_past", "opened", "silent_at", "took"]


def opened(state: StreamState, sample: Sample) -> Iterator[Happened]:
    """A sample is out of its range: it opens an anomaly or joins one, unless that was planned."""
    number = state.subject_of(sample.series)
    subject = state.subjects[number]
    if planned(state.windows, subject, sample.at) is not None:
        return
    excursion = begun(sample)
    gathering, kind = _gathering(state, (number, sample.side), sample, excursion)
    gathering.join(sample.series, excursion)
    _begin(state, sample.series, excursion)
    yield from _told(state, gathering, excursion, kind, sample.at)


def _gathering(
    state: StreamState, key: tuple[int, Side], sample: Sample, excursion: Excursion
) -> tuple[Gathering, Happening]:
    """The open anomaly of a subject on one side, the one that has lately closed, or a new one."""
    if key in state.open:
        return state.open[key], Happening.GREW
    resting, kind = state.resting.pop(key, None), Happening.REOPENED
    if resting is None or is_past(state, resting, sample.at):
        subject = state.subjects[key[0]]
        resting = gathered(state.place, subject, sample.series, excursion)
        kind = Happening.OPENED
    state.open[key] = resting
    return resting, kind


def is_past(state: StreamState, resting: Gathering, at: int) -> bool:
    """Whether an anomaly closed so long ago that another excursion is another anomaly."""
    return at - resting.end > state.settings.quiet_s * 1000


def _begin(state: StreamState, series: int, excursion: Excursion) -> None:
    state.excursions[series, excursion.side] = excursion
    state.tracks["is_out"][series] = True
    state.due = (
        min(state.due, silent_at(state, excursion))
        if len(state.excursions) > 1
        else (silent_at(state, excursion))
    )


def silent_at(state: StreamState, excursion: Excursion) -> int:
    """The time at which an excursion whose series brings nothing more is over."""
    return excursion.seen + int(state.settings.silent_s * 1000)


def took(state: StreamState, sample: Sample, excursion: Excursion) -> Iterator[Happened]:
    """An excursion went on."""
    if excursion.is_excused:
        return
    gathering = state.open[state.subject_of(sample.series), excursion.side]
    yield from _told(state, gathering, excursion, Happening.GREW, sample.at)


def _told(
    state: StreamState, gathering: Gathering, excursion: Excursion, kind: Happening, at: int
) -> Iterator[Happened]:
    live = state.sizes[state.numbers[gathering.subject]]
    if gathering.grow(excursion.peak.excess, live) or kind is not Happening.GREW:
        yield gathering.happened(kind, at, tenant=state.tenant, live=live)
