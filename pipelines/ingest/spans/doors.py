"""The doors for traces of all tenants: a message's spans go to the sink or nowhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.spans.ports import SpanSink
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.decoded import FullError
from pipelines.ingest.limits import Limits, Tenants
from pipelines.ingest.protocol import Packing
from pipelines.ingest.spans.decoded import Decoded, SpanDoor
from pipelines.ingest.tally import Tally

if TYPE_CHECKING:
    from pipelines.ingest.spans.otlp import Otlp

__all__ = ["SpanDoors"]


@dataclass(slots=True)
class _Tenant:
    """What one tenant has: names that were worked out, and who may read and put a message."""

    otlp: Otlp
    lock: threading.Lock = field(default_factory=threading.Lock)


class SpanDoors:
    """All spans that come from outside pass here; safe for threads."""

    def __init__(
        self, sink: SpanSink, limits: Limits | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.sink = sink
        self.limits = limits or Limits()
        self.tally = Tally()
        self._clock = clock
        self._tenants = Tenants(self._opened, self.limits.tenants)

    def take(self, door: SpanDoor, tenant: str, body: bytes, packing: Packing) -> Decoded:
        """Take the spans of a message.

        `InputError` where it cannot be read, `FullError` where there is no room for it,
        `StoreError` where nothing can be kept; then nothing of it was taken.
        """
        own = self._tenants.of(tenant)
        whole = unpacked(packing, body, most=self.limits.unpacked_bytes)
        if door is SpanDoor.OTLP_JSON:
            from pipelines.ingest.spans.otlp_json import protobuf_of

            whole = protobuf_of(whole)
        # Held until it is put: what a tenant sends is kept in the order in which it was read.
        with own.lock:
            now = self._clock()
            decoded = own.otlp.decode(whole, self.limits.window(now), round(1000 * now))
            if decoded.taken and not self.sink.put(tenant, decoded.spans):
                self.tally.full(tenant, door.value)
                raise FullError("the queue of spans is full: send the same again in a moment")
        self.tally.took(tenant, door.value, decoded)
        return decoded

    @staticmethod
    def _opened(_: str) -> _Tenant:
        # Its compiler is loaded when somebody sends traces.
        from pipelines.ingest.spans.otlp import Otlp

        return _Tenant(otlp=Otlp())
