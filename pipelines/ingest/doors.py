"""The doors of all tenants: each message is decoded, and its samples go to the sink or nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from detector.series import Answer
from detector.stream.ports import SampleSink
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.decoded import Decoded, FullError
from pipelines.ingest.limits import Limits, Tenants
from pipelines.ingest.protocol import Door, Packing
from pipelines.ingest.tally import Tally

if TYPE_CHECKING:
    from pipelines.ingest.tenant import Tenant

__all__ = ["Doors"]


class Doors:
    """All that come from outside pass here; safe for threads."""

    def __init__(
        self, sink: SampleSink, limits: Limits | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.sink = sink
        self.limits = limits or Limits()
        self.tally = Tally()
        self._clock = clock
        self._tenants = Tenants(self._opened, self.limits.tenants)

    def take(self, door: Door, tenant: str, body: bytes, packing: Packing) -> Decoded:
        """Take the samples of a message.

        `InputError` where it cannot be read, `FullError` where there is no room for it,
        `StoreError` where nothing can be kept; then nothing of it was taken.
        """
        own = self._tenants.of(tenant)
        whole = unpacked(packing, body, most=self.limits.unpacked_bytes)
        # Held until it is put: what a tenant sends is kept in the order in which it was read.
        with own.lock:
            decoded = own.decoders[door].decode(whole, self.limits.window(self._clock()))
            return self._put(tenant, own, door, decoded)

    def take_answers(
        self, tenant: str, answers: Sequence[Answer], *, read_to: int | None = None
    ) -> Decoded:
        """Take the samples that a source gave, which are all up to a time; errors as `take`."""
        own = self._tenants.of(tenant)
        with own.lock:
            decoded = own.pulled.columns(answers, self.limits.window(self._clock()))
            return self._put(tenant, own, Door.PULL, decoded, read_to)

    def refused_series(self) -> dict[str, int]:
        """How often each tenant brought a new series when it had all that it may have."""
        return {tenant: own.interner.refused for tenant, own in self._tenants.items()}

    def series(self) -> dict[str, int]:
        """How many series each tenant has."""
        return {tenant: len(own.interner) for tenant, own in self._tenants.items()}

    def _put(
        self, tenant: str, own: Tenant, door: Door, decoded: Decoded, read_to: int | None = None
    ) -> Decoded:
        columns = decoded.columns
        if len(columns) and not self.sink.put(tenant, columns, own.interner, read_to=read_to):
            self.tally.full(tenant, door.value)
            raise FullError("the queue of samples is full: send the same again in a moment")
        self.tally.took(tenant, door.value, decoded)
        return decoded

    def _opened(self, tenant: str) -> Tenant:
        known = self.sink.known(tenant)
        # Its compiler is loaded when somebody pushes: who is asked for verdicts only never pays it.
        from pipelines.ingest.tenant import opened

        return opened(known, self.limits.series)
