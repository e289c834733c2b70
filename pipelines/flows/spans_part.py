"""Spans of one tenant in life: what is counted of them rises as counters of our own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from numpy.typing import NDArray

from detector.spans.comparison import time_shifts
from detector.spans.graph import graph
from detector.spans.operator import step
from detector.spans.opposed import Versions, versions_of
from detector.spans.series import About
from detector.spans.settings import SpanSettings
from detector.spans.shift import Arms, Measure, TimeShift
from detector.spans.snapshot import from_arrays, to_arrays
from detector.spans.state import SpanState, opened
from detector.spans.topology import Graph
from detector.stream.anomaly import Happened
from pipelines.flows.logs_own import OwnCounters
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_record import Counted
from pipelines.flows.spans_record import SpanColumns
from pipelines.flows.spans_rising import Rising
from pipelines.flows.spans_traced import Traced
from pipelines.stores.own import SqlOwn

__all__ = ["SpansPart"]

Arrays = Mapping[str, NDArray[Any]]
_SEED_BITS = 63


class SpansPart:
    """For one thread. What is counted rises as `own` at the end of each step, and when told to.

    What a replay tells again up to where was written has risen before.
    """

    def __init__(
        self,
        own: SqlOwn,
        part: str,
        tenant: str,
        arrays: Arrays,
        *,
        most: int,
        pace: Pace = LIFE,
    ) -> None:
        self.state, self._step = _state(arrays, pace.spans), pace.step_ms
        known = own.series(part, tenant)
        self.own = OwnCounters(tenant, known, newest=own.newest(part, tenant), pace=pace)
        self._rising = Rising(known, most=most)
        self._is_new, self._last = False, 0
        self._traced = Traced(arrays, step_ms=pace.step_ms)

    def take(self, columns: SpanColumns | None, taken: int, *, is_new: bool) -> None:
        """Take spans, or only that it is so late; `is_new`: it is not written yet."""
        if is_new and not self._is_new:
            self._rising.stands(self.state)
            self._is_new = True
        if is_new and taken // self._step > self._last // self._step:
            self.rise()
            self.own.take(Counted(tenant=self.own.tenant, taken=taken))
        self._last = taken
        if columns is not None:
            self.state, _ = step(self.state, columns.spans())

    def rise(self) -> None:
        """All that was taken rises, as of when the last of it came."""
        if not self._is_new or not self._last:
            return
        risen, new = self._rising.risen(self.state, self._last)
        self.own.take(Counted(tenant=self.own.tenant, taken=self._last, own=risen, new_own=new))

    def graph(self, service: str | None) -> Graph:
        """Who calls whom, as far as it was taken."""
        return graph(self.state, service)

    def shifts(self, arms: Arms, measure: Measure) -> tuple[TimeShift, ...]:
        """Where requests of the one side spend more or less time than those of the other."""
        return time_shifts(self.state, arms, measure=measure)

    def traced(self, happened: Sequence[tuple[Happened, About | None]]) -> tuple[Happened, ...]:
        """The same, each with traces of its time that is about requests."""
        return self._traced.tell(self.state, happened)

    def later(self) -> tuple[Happened, ...]:
        """What was told before, with traces that have come since."""
        return self._traced.later(self.state)

    def versions(self, service: str) -> Versions:
        """Which versions of a service send spans."""
        return versions_of(self.state, service)

    def arrays(self) -> Arrays:
        """What a checkpoint is to hold."""
        return {**to_arrays(self.state), **self._traced.to_arrays()}


def _state(arrays: Arrays, settings: SpanSettings) -> SpanState:
    if not arrays:
        return _begun(settings)
    try:
        return from_arrays(arrays, settings)
    except ValueError as error:
        log = structlog.get_logger("serinus.logs")
        log.warning("spans are counted anew", why=str(error))
        return _begun(settings)


def _begun(settings: SpanSettings) -> SpanState:
    """Nothing yet, with a seed that no sender knows: it stays with the state from here on."""
    return opened(settings, secrets.randbits(_SEED_BITS))
