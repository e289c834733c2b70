"""Spans of one tenant in life: what the operator counts of them rises as counters of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from numpy.typing import NDArray

from detector.spans.graph import Graph, graph
from detector.spans.operator import step
from detector.spans.red import Red, red, samples_of
from detector.spans.settings import SpanSettings
from detector.spans.snapshot import from_arrays, to_arrays
from detector.spans.state import SpanState, opened
from pipelines.flows.logs_names import OwnNames, of_labels
from pipelines.flows.logs_own import OwnCounters
from pipelines.flows.logs_record import Counted, gains
from pipelines.flows.spans_record import SpanColumns
from pipelines.stores.own import SqlOwn

__all__ = ["SpansPart"]

Labels = tuple[tuple[str, str], ...]
Arrays = Mapping[str, NDArray[Any]]
# The state is a part of every checkpoint: room for some thousand spans a second.
_SETTINGS = SpanSettings(seen=300_000, waiting=60_000, recent=60_000)
_SEED = 20_260_101


class SpansPart:
    """For one thread. What is counted is told by `take`; `own` is what is to be written of it."""

    def __init__(self, own: SqlOwn, part: str, tenant: str, arrays: Arrays, *, most: int) -> None:
        self.state = _state(arrays)
        known = own.series(part, tenant)
        self.own = OwnCounters(tenant, known, newest=own.newest(part, tenant))
        self._names = OwnNames(known, most=most)
        self._stood: dict[tuple[object, ...], dict[tuple[str, Labels], float]] = {}
        # What was counted up to the checkpoint has risen.
        for _ in self._risen(0):
            pass

    def take(self, columns: SpanColumns | None, taken: int, *, is_new: bool) -> None:
        """Take spans, or only that it is so late; where it is not new, its counters have risen."""
        risen: dict[int, float] = {}
        if columns is not None:
            self.state, _ = step(self.state, columns.spans())
            for name, labels, found, by in self._risen(self.state.last):
                if not is_new:
                    continue
                id = self._names.id_of(of_labels(name, labels), found.origin, taken)
                if id >= 0:
                    risen[id] = risen.get(id, 0.0) + by
        if is_new:
            new = self._names.fresh()
            self._names.kept(len(new))
            self.own.take(
                Counted(tenant=self.own.tenant, taken=taken, own=gains(risen), new_own=new)
            )

    def graph(self, service: str | None) -> Graph:
        """Who calls whom, as far as it was taken."""
        return graph(self.state, service)

    def arrays(self) -> Arrays:
        """What a checkpoint is to hold."""
        return to_arrays(self.state)

    def _risen(self, since: int) -> Iterator[tuple[str, Labels, Red, float]]:
        """By how much which counter rose since the last time."""
        for found in red(self.state, since=since):
            key = (found.origin, found.operation, found.kind, found.status)
            was = self._stood.get(key, {})
            now = {(name, labels): value for name, labels, value in samples_of(found)}
            if _began_anew(was, now):
                was = {}
            self._stood[key] = now
            for (name, labels), value in now.items():
                by = value - was.get((name, labels), 0.0)
                if by > 0 or not was:
                    yield name, labels, found, by


def _began_anew(was: Mapping[Any, float], now: Mapping[Any, float]) -> bool:
    """Who was idle for long was forgotten, and comes again."""
    return any(now.get(key, 0.0) < value for key, value in was.items())


def _state(arrays: Arrays) -> SpanState:
    if not arrays:
        return opened(_SETTINGS, _SEED)
    try:
        return from_arrays(arrays, _SETTINGS)
    except ValueError as error:
        log = structlog.get_logger("serinus.logs")
        log.warning("spans are counted anew", why=str(error))
        return opened(_SETTINGS, _SEED)
