"""Lines go to a sink, and with them how far their files were read: neither without the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from detector.logs.lines import LogLines
from detector.logs.ports import LogSink, ReadLogSink
from pipelines.follow.positions import Position, Positions, Underway
from pipelines.follow.roll import Roll
from pipelines.ingest.records.building import LinesBuilder

__all__ = ["Giving"]

_SOURCE = "followed-files"


@dataclass(frozen=True, slots=True)
class _Batch:
    lines: LogLines
    underway: Underway


class Giving:
    """What was gathered and not taken yet; it is tried until it is.

    A sink that keeps with the lines how far their source was read tells after a crash which batches
    it has: then no line comes twice. With any other a crash between the sink's yes and our note of
    it brings the lines of one round again.
    """

    def __init__(self, sink: LogSink, positions: Positions, clock: Callable[[], float]) -> None:
        self._sink, self._positions, self._clock = sink, positions, clock
        self._waiting: deque[_Batch] = deque()
        self._roll: Roll | None = None
        self._number = 0
        self._took = 0

    @property
    def is_open(self) -> bool:
        """Whether something waits for room."""
        return bool(self._waiting)

    def load(self, tenants: Iterable[str]) -> tuple[Position, ...] | None:
        """How far files were read, as the sink has their lines."""
        if isinstance(self._sink, ReadLogSink):
            last = (self._sink.read_to(tenant, _SOURCE) for tenant in tenants)
            self._number = max((number for number in last if number is not None), default=0)
        return self._positions.load(self._was_taken)

    def gather(self, builders: Mapping[str, LinesBuilder], roll: Roll) -> None:
        """Make batches of all lines, and note that they are under way."""
        self._roll = roll
        self._number = max(self._number + 1, round(self._clock() * 1e9))
        for tenant, builder in builders.items():
            if len(builder):
                files = tuple(roll.positions(tenant))
                underway = Underway(tenant=tenant, number=self._number, files=files)
                self._waiting.append(_Batch(builder.build(), underway))
        if self._waiting and isinstance(self._sink, ReadLogSink):
            self._positions.save(roll.kept.values(), [one.underway for one in self._waiting])

    def give(self) -> int | None:
        """How many lines were taken by now that nothing waits, None while something does."""
        while self._waiting:
            batch = self._waiting[0]
            if not self._put(batch):
                return None
            self._waiting.popleft()
            self._took += len(batch.lines)
        took, self._took = self._took, 0
        if took:
            assert self._roll is not None
            files = self._roll.took()
            if not isinstance(self._sink, ReadLogSink):
                self._positions.save(files)
        return took

    def keep(self, roll: Roll) -> None:
        """Note how far files are read where no lines tell it."""
        self._positions.save(roll.took())

    def _put(self, batch: _Batch) -> bool:
        tenant, number = batch.underway.tenant, batch.underway.number
        if isinstance(self._sink, ReadLogSink):
            return self._sink.put_read(tenant, batch.lines, source=_SOURCE, read_to=number)
        return self._sink.put(tenant, batch.lines)

    def _was_taken(self, underway: Underway) -> bool:
        if not isinstance(self._sink, ReadLogSink):
            return False
        last = self._sink.read_to(underway.tenant, _SOURCE)
        return last is not None and last >= underway.number
