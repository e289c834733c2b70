"""Traces that are pushed here: the doors that take them, and what these say of themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.ingest_settings import IngestSettings
from api.ingested import counter
from api.receiving import Receiver
from detector.errors import NotFoundError
from detector.spans.ports import SpanSink
from pipelines.ingest.spans.decoded import Decoded, SpanDoor

if TYPE_CHECKING:
    from pipelines.ingest.tally import Tally

__all__ = ["TraceReceiver", "take_spans", "trace_receiver_of"]

TraceReceiver = Receiver[SpanDoor, Decoded]


def take_spans(app: FastAPI, sink: SpanSink, clock: Callable[[], float] = time.time) -> None:
    """Open the doors for traces of an app: what comes in by them goes to `sink`."""
    from pipelines.ingest.spans.doors import SpanDoors

    context = app.state.context
    settings: IngestSettings = context.settings.ingest
    doors = SpanDoors(sink, settings.native(), clock)
    context.telemetry.registry.register(_Taken(doors.tally))
    app.state.context = replace(context, tracing=Receiver(doors, settings))


def trace_receiver_of(receiver: TraceReceiver | None) -> TraceReceiver:
    """Where there is no stream there is no door."""
    if receiver is None:
        raise NotFoundError("This serinus takes no traces: it runs without a stream.")
    return receiver


class _Taken(Collector):
    """The running totals of the doors."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def collect(self) -> Iterable[Metric]:
        """The families."""
        by_door, by_reason = ("tenant", "door"), ("tenant", "door", "reason")
        tally = self.tally
        yield counter("spans", "Spans taken.", by_door, tally.taken)
        yield counter("refused_spans", "Spans refused for good.", by_reason, tally.refused)
        yield counter("odd_spans", "Spans taken that are odd.", by_reason, tally.dropped)
        words = "Messages of spans put off because the queue was full."
        yield counter("full_spans", words, by_door, tally.fulls)
