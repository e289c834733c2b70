"""A worker: one thread reads partitions of a group, one judges, and a database keeps all of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from detector.errors import BrokerError, OffsetGoneError, SerinusError, StoreError
from pipelines.flows.stream_meters import Patience
from pipelines.flows.worker_meters import WorkerMeters
from pipelines.flows.worker_share import Share
from pipelines.flows.worker_start import Start
from pipelines.topics.port import Message, Partition, Reader, Rebalance

__all__ = ["START", "Pace", "Worker"]

_POLL_S, _MOST, _AT_ONCE = 0.2, 500, 32
_LOOK_S = 5.0
# What is written into the log now may have a time of so long ago.
_LATE_S = 5.0
_STORE, _BROKER = "its database", "the broker"
# What a process waits for before it has asked the group for anything.
START = "its start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between what is done now and then, and how many bytes may wait to be judged."""

    checkpoint_s: float = 60.0
    tell_s: float = 1.0
    room_bytes: int = 64 * 2**20
    drain_s: float = 20.0
    start_s: float = 120.0
    patience: Patience = field(default_factory=Patience)


class Worker:
    """`Rebalance`. Runs until it is stopped; then it keeps what it has, and leaves the group.

    Messages wait in a bounded queue; where it is full, reading pauses and the group is kept
    alive. A database that is away is waited for.
    """

    def __init__(
        self,
        share: Share,
        open_reader: Callable[[Rebalance], Reader],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._share, self._open_reader, self._pace = share, open_reader, pace or Pace()
        self.meters: WorkerMeters = share.meters
        # What is held belongs to who has this: the judge, or the reader while it is told something.
        self._turn = threading.RLock()
        self._ready = threading.Condition()
        self._queue: deque[tuple[int, Message]] = deque()
        self._waiting_bytes, self._end_by = 0, float("inf")
        self._ending = threading.Event()
        self._paused: set[Partition] = set()
        self._is_full = False
        self._committed: dict[Partition, int] = {}
        self._look_at = self._mend_at = 0.0
        # What the log had at which time, where nobody has made use of it yet.
        self._looked: tuple[Mapping[Partition, int], int] | None = None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that were read and are not judged yet."""
        return self._waiting_bytes

    @property
    def partitions(self) -> Collection[Partition]:
        """Those that are ours, with their state."""
        return tuple(self._share.parts)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; raises what no waiting helps against. Nothing that is kept is lost."""
        start = Start(
            within_s=self._pace.start_s,
            stop=stop,
            meters=self.meters,
            patience=self._pace.patience,
        )
        reader = start.waited(_BROKER, lambda: self._open_reader(self))
        if reader is None:
            return
        judge = threading.Thread(target=self._judge, name="judge", daemon=True)
        judge.start()
        try:
            while not stop.is_set() and not self.meters.failed:
                self._read(reader)
        finally:
            self._end(judge)
            reader.close()
        if self.meters.failed:
            raise StoreError(self.meters.failed)

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Take the state of these."""
        self._forget(partitions)
        with self._turn:
            self.meters.rebalances += 1
            return self._share.assigned(partitions)

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """Keep what moved of these, within a bound; what cannot be is judged again by the next."""
        self._forget(partitions)
        until = time.monotonic() + self._pace.patience.at_end_s
        with self._turn:
            self.meters.rebalances += 1
            for pause in self._pace.patience.pauses():
                try:
                    self._share.revoked(partitions)
                except StoreError as error:
                    if time.monotonic() + pause >= until:
                        self.meters.log.warning("given back unwritten", why=str(error))
                        break
                    time.sleep(pause)
                else:
                    break
            self._share.lost(partitions)

    def lost(self, partitions: frozenset[Partition]) -> None:
        """Drop these."""
        self._forget(partitions)
        with self._turn:
            self._share.lost(partitions)

    # --- the thread that reads -----------------------------------------------------------------

    def _read(self, reader: Reader) -> None:
        """One round: what is new goes into the queue."""
        now = time.monotonic()
        if now >= self._mend_at:
            self._mend_at = now + 1.0
            self._mend(reader)
        self._keep_pace(reader)
        try:
            found = reader.poll(_POLL_S, _MOST)
        except OffsetGoneError as error:
            self._go_on(reader, error)
            return
        self.meters.back(START)
        self._enqueue(found)
        if now >= self._look_at and self._share.parts:
            self._look_at = now + _LOOK_S
            self._look(reader)
        self._commit(reader)

    def _mend(self, reader: Reader) -> None:
        """Take what could not be taken before."""
        if not self._share.waiting:
            return
        with self._turn:
            for partition, offset in self._share.taken().items():
                reader.seek(partition, offset)

    def _go_on(self, reader: Reader, error: OffsetGoneError) -> None:
        with self._turn:
            try:
                for partition, offset in self._share.gone(error.offsets).items():
                    reader.seek(partition, offset)
            except (BrokerError, StoreError) as away:
                self.meters.wait(_STORE if isinstance(away, StoreError) else _BROKER, away)

    def _keep_pace(self, reader: Reader) -> None:
        """Pause what is not to be read now, and resume the rest."""
        was_full, room = self._is_full, self._pace.room_bytes
        self._is_full = self._waiting_bytes > (room // 2 if was_full else room)
        self.meters.pauses += self._is_full and not was_full
        ours = set(self._share.parts) | self._share.held()
        wanted = ours if self._is_full else self._share.held()
        if more := wanted - self._paused:
            reader.pause(more)
        if less := self._paused - wanted:
            reader.resume(less)
        self._paused = set(wanted)

    def _enqueue(self, found: Mapping[Partition, Sequence[Message]]) -> None:
        generation = self._share.generation
        with self._ready:
            for partition, messages in found.items():
                number = generation.get(partition, 0)
                self._queue.extend((number, message) for message in messages)
                self._waiting_bytes += sum(_size(message) for message in messages)
            self._ready.notify_all()

    def _look(self, reader: Reader) -> None:
        """How far the log is ahead of us: for people, and to see that the broker answers."""
        parts, began = dict(self._share.parts), time.time()
        try:
            spans = reader.spans(parts)
        except BrokerError as error:
            self.meters.wait(_BROKER, error)
            return
        self.meters.back(_BROKER)
        ends = {one: span.end for one, span in spans.items()}
        self._looked = ends, round(1000 * (began - _LATE_S))
        self.meters.lag = {
            one: max(span.end - parts[one].read - 1, 0) for one, span in spans.items()
        }

    def _commit(self, reader: Reader) -> None:
        """Tell the broker what is kept: for tools that show lag, we never read it."""
        kept = dict(self._share.kept())
        if kept != self._committed:
            try:
                reader.commit(kept)
            except BrokerError as error:
                self.meters.log.info("the broker was not told how far we are", why=str(error))
            self._committed = kept

    def _forget(self, partitions: Collection[Partition]) -> None:
        """Drop what waits of these, and wake who judges."""
        with self._ready:
            self._queue = deque(one for one in self._queue if one[1].partition not in partitions)
            self._waiting_bytes = sum(_size(message) for _, message in self._queue)
            self._ready.notify_all()
        self._paused -= set(partitions)

    def _end(self, judge: threading.Thread) -> None:
        self._end_by = time.monotonic() + self._pace.patience.at_end_s
        self._ending.set()
        with self._ready:
            self._ready.notify_all()
        judge.join(self._pace.drain_s)

    # --- the thread that judges ----------------------------------------------------------------

    def _judge(self) -> None:
        tell_at = checkpoint_at = time.monotonic()
        checkpoint_at += self._pace.checkpoint_s
        try:
            while not self._ending.is_set():
                self._apply(self._next(min(tell_at, checkpoint_at)))
                now = time.monotonic()
                if now >= checkpoint_at:
                    self._lasting(self._share.checkpoint)
                    checkpoint_at = time.monotonic() + self._pace.checkpoint_s
                elif now >= tell_at:
                    self._lasting(self._share.tell)
                    self._time_goes()
                if now >= tell_at:
                    tell_at = time.monotonic() + self._pace.tell_s
        except Exception as error:  # noqa: BLE001 - the one at the top of the thread
            self._fail(error)

    def _next(self, due: float) -> list[tuple[int, Message]]:
        """A few messages, or none by the time that something else is due."""
        with self._ready:
            left = max(due - time.monotonic(), 0.0)
            self._ready.wait_for(lambda: self._queue or self._ending.is_set(), left)
            some = [self._queue.popleft() for _ in range(min(len(self._queue), _AT_ONCE))]
            self._waiting_bytes -= sum(_size(message) for _, message in some)
            return some

    def _apply(self, some: Sequence[tuple[int, Message]]) -> None:
        """What was read before its partition was taken anew is passed over."""
        with self._turn:
            for (partition, number), those in groupby(some, lambda one: (one[1].partition, one[0])):
                if self._share.generation.get(partition) == number:
                    self._share.apply_all([message for _, message in those])

    def _time_goes(self) -> None:
        """Tell partitions in which nothing waits what time it is."""
        looked, self._looked = self._looked, None
        if looked is not None:
            self._lasting(lambda: self._share.time_goes(*looked))

    def _lasting(self, write: Callable[[], None]) -> None:
        """Write, however long the database is away; partitions may be taken away meanwhile."""
        for pause in self._pace.patience.pauses():
            try:
                with self._turn:
                    write()
            except StoreError as error:
                self.meters.wait(_STORE, error)
            else:
                return
            if self._ending.wait(pause):
                return

    def _fail(self, error: Exception) -> None:
        is_expected = isinstance(error, SerinusError)
        self.meters.failed = str(error) if is_expected else f"an error of serinus itself: {error!r}"
        self.meters.log.error(
            "the worker stops", error=str(error), exc_info=None if is_expected else error
        )


def _size(message: Message) -> int:
    return len(message.value or b"") + len(message.key or b"")
