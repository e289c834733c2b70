"""The doors for logs of all tenants: each message is decoded, and its lines go to the sink or
nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from detector.logs.ports import LogSink, ReadLogSink
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.decoded import FullError, Refused
from pipelines.ingest.limits import Limits, Tenants
from pipelines.ingest.log_repeats import Repeats
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
        self._clock, self._repeats = clock, Repeats(clock)
        self._tenants: Tenants[Mapping[LogDoor, _Decoder]] = Tenants(_opened, self.limits.tenants)

    def take(self, door: LogDoor, tenant: str, body: bytes, packing: Packing) -> TakenLines:
        """Take the lines of a message.

        `InputError` where it cannot be read, `FullError` where there is no room for it,
        `StoreError` where nothing can be kept; then nothing of it was taken. A message that was
        taken before and comes once more, since its sender did not hear so, has no lines.
        """
        decoder = self._tenants.of(tenant)[door]

        def take() -> TakenLines:
            whole = unpacked(packing, body, most=self.limits.unpacked_bytes)
            return self._put(tenant, door, decoder.decode(whole, self._moment()))

        taken, is_repeated = self._repeats.once(tenant, door, body, take)
        if is_repeated:
            self.tally.took(tenant, door.value, replace(taken, refused=Refused()))
        return taken

    def take_read(self, tenant: str, body: bytes, *, source: str, read_to: int) -> TakenLines:
        """Take lines that a source gave, as a push of Loki; with them all is here before a time.

        `read_to` in unix nanoseconds; errors as `take`.
        """
        decoder = self._tenants.of(tenant)[LogDoor.LOKI_PULL]
        taken = decoder.decode(body, self._moment())
        if not isinstance(self.sink, ReadLogSink):
            return self._put(tenant, LogDoor.LOKI_PULL, taken)
        if not self.sink.put_read(tenant, taken.lines, source=source, read_to=read_to):
            raise self._full(tenant, LogDoor.LOKI_PULL)
        self.tally.took(tenant, LogDoor.LOKI_PULL.value, taken)
        return taken

    def read_to(self, tenant: str, source: str) -> int | None:
        """How far a source was read, where the sink keeps that."""
        sink = self.sink
        return sink.read_to(tenant, source) if isinstance(sink, ReadLogSink) else None

    def _put(self, tenant: str, door: LogDoor, taken: TakenLines) -> TakenLines:
        if taken.taken and not self.sink.put(tenant, taken.lines):
            raise self._full(tenant, door)
        self.tally.took(tenant, door.value, taken)
        return taken

    def _full(self, tenant: str, door: LogDoor) -> FullError:
        self.tally.full(tenant, door.value)
        return FullError("the queue of log lines is full: send the same again in a moment")

    def _moment(self) -> Moment:
        from pipelines.ingest.logs.taken import Moment

        now = self._clock()
        return Moment(now=round(1000 * now), window=self.limits.window(now))


def _opened(_: str) -> Mapping[LogDoor, _Decoder]:
    # Its compiler is loaded when somebody pushes: who is asked for verdicts only never pays it.
    from pipelines.ingest.logs.opened import opened

    return opened()
