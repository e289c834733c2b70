"""Excursions end: calm, silent, or because a person said that they are normal."""

from __future__ import annotations

from collections.abc import Iterator

from detector.stream.anomaly import Ending, Happened, Happening, Side
from detector.stream.opening import is_past, silent_at
from detector.stream.state import StreamState

__all__ = ["ended", "excused", "fallen_silent", "forget", "marked"]


def ended(
    state: StreamState, series: int, side: Side, at: int, ending: Ending
) -> Iterator[Happened]:
    """A series' excursion is over; its anomaly is, where it was the last of it."""
    excursion = state.excursions.pop((series, side))
    state.tracks["is_out"][series] = any((series, one) in state.excursions for one in Side)
    if excursion.is_excused:
        return
    key = state.subject_of(series), side
    gathering = state.open[key]
    gathering.leave(series)
    if not gathering.under_way:
        state.resting[key] = state.open.pop(key)
        live = state.sizes[key[0]]
        yield gathering.happened(
            Happening.CLOSED, at, tenant=state.tenant, live=live, ending=ending
        )


def marked(state: StreamState, series: int, at: int) -> Iterator[Happened]:
    """A staleness marker ends the excursions of its series; one that came late ends nothing."""
    for side in Side:
        excursion = state.excursions.get((series, side))
        if excursion is not None and at > excursion.seen:
            yield from ended(state, series, side, at, Ending.SILENT)


def fallen_silent(state: StreamState, mark: int) -> Iterator[Happened]:
    """Close what brought no sample for too long by a mark; in the order of when that was so."""
    if not state.excursions or mark < state.due:
        return
    due = {key: silent_at(state, one) for key, one in state.excursions.items()}
    over = [key for key, at in due.items() if at <= mark]
    over.sort(key=lambda key: (due[key], key))
    for key in over:
        yield from ended(state, *key, due[key], Ending.SILENT)
    state.due = min((at for key, at in due.items() if key in state.excursions), default=mark)


def forget(state: StreamState, mark: int) -> None:
    """Let go of anomalies that will not be opened again."""
    over = [key for key, one in state.resting.items() if is_past(state, one, mark)]
    for key in over:
        del state.resting[key]


def excused(state: StreamState, id: str, at: int) -> Iterator[Happened]:
    """Close an open anomaly as normal; its series are not heard of again before they are calm."""
    key = next((key for key, one in state.open.items() if one.id == id), None)
    if key is None:
        return
    gathering = state.open.pop(key)
    for series in sorted(gathering.under_way):
        state.excursions[series, gathering.side].is_excused = True
        gathering.leave(series)
    live = state.sizes[key[0]]
    yield gathering.happened(
        Happening.CLOSED, at, tenant=state.tenant, live=live, ending=Ending.FEEDBACK
    )
