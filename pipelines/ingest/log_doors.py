"""The doors for logs of all tenants: each message is decoded, and its lines go to the sink or
nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from detector.logs.ports import LogSink
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.decoded import FullError
from pipelines.ingest.limits import Limits, Tenants
from pipelines.ingest.protocol import LogDoor, Packing
from pipelines.ingest.tally import Tally

if TYPE_CHECKING:
    from pipelines.ingest.logs.taken import Moment, TakenLines

__all__ = ["LogDoors"]


class _Decoder(Protocol):
    """One door of one tenant."""

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """The lines of a message; `InputError` where it cannot be read."""
        ...


class LogDoors:
    """All lines that come from outside pass here; safe for threads."""

    def __init__(
        self, sink: LogSink, limits: Limits | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.sink = sink
        self.limits = limits or Limits()
        self.tally = Tally()
        self._clock = clock
        self._tenants: Tenants[Mapping[LogDoor, _Decoder]] = Tenants(_opened, self.limits.tenants)

    def take(self, door: LogDoor, tenant: str, body: bytes, packing: Packing) -> TakenLines:
        """Take the lines of a message.

        `InputError` where it cannot be read, `FullError` where there is no room for it,
        `StoreError` where nothing can be kept; then nothing of it was taken.
        """
        decoder = self._tenants.of(tenant)[door]
        whole = unpacked(packing, body, most=self.limits.unpacked_bytes)
        return self._put(tenant, door, decoder.decode(whole, self._moment()))

    def _put(self, tenant: str, door: LogDoor, taken: TakenLines) -> TakenLines:
        if taken.taken and not self.sink.put(tenant, taken.lines):
            self.tally.full(tenant, door.value)
            raise FullError("the queue of log lines is full: send the same again in a moment")
        self.tally.took(tenant, door.value, taken)
        return taken

    def _moment(self) -> Moment:
        from pipelines.ingest.logs.taken import Moment

        now = self._clock()
        return Moment(now=round(1000 * now), window=self.limits.window(now))


def _opened(_: str) -> Mapping[LogDoor, _Decoder]:
    # Its compiler is loaded when somebody pushes: who is asked for verdicts only never pays it.
    from pipelines.ingest.logs.opened import opened

    return opened()
