"""Events go from the database to their topic: each at least once, under the same key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from detector.errors import BrokerError, StoreError
from pipelines.flows.stream_meters import Patience
from pipelines.flows.worker_meters import WorkerMeters
from pipelines.stores.events import KeptEvent, SqlEvents
from pipelines.topics.port import Outgoing, Writer

__all__ = ["Outbox"]

_MOST, _FLUSH_S = 500, 10.0
_TIDY_EVERY_S, _KEPT_S = 600.0, 3600.0
_TOPIC, _STORE = "the topic of anomalies", "its database, to send events"


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Sends what the parts of this worker owe, one after the other.

    A part's events go out in their order. What is sent and not marked so, because of a death, is
    sent again: who reads the topic knows it by its key. `forget` deletes what is old by a time.
    """

    events: SqlEvents
    writer: Writer
    written: Callable[[KeptEvent], Outgoing]
    parts: Callable[[], Collection[str]]
    meters: WorkerMeters
    forget: Callable[[float], object] = lambda _: None
    every_s: float = 0.5
    clock: Callable[[], float] = time.time
    _tidied: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until it is stopped; what is away is waited for."""
        pauses = Patience().pauses()
        while not stop.is_set():
            try:
                self.round()
            except (BrokerError, StoreError) as error:
                self.meters.wait(_TOPIC if isinstance(error, BrokerError) else _STORE, error)
                stop.wait(next(pauses))
                continue
            pauses = Patience().pauses()
            self.meters.back(_TOPIC)
            self.meters.back(_STORE)
            stop.wait(self.every_s)

    def round(self) -> int:
        """Send what is owed now; how many that were. `BrokerError`, `StoreError`."""
        count = 0
        for part in sorted(self.parts()):
            while True:
                some = self.events.due(part, _MOST)
                self._send(some)
                count += len(some)
                if len(some) < _MOST:
                    break
        if self.clock() - self._tidied >= _TIDY_EVERY_S:
            self._tidy()
        return count

    def _send(self, events: Collection[KeptEvent]) -> None:
        if not events:
            return
        for event in events:
            self.writer.send(self.written(event))
        self.writer.flush(_FLUSH_S)
        self.events.sent([event.number for event in events])
        self.meters.sent += len(events)

    def _tidy(self) -> None:
        """What was sent an hour ago is not kept: whoever follows it has seen it."""
        for part in self.parts():
            self.events.tidy(part, self.clock() - _KEPT_S)
        self.forget(self.clock())
        self._tidied = self.clock()
