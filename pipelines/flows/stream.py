"""The embedded stream: doors put samples in, one thread judges them, a database keeps the rest."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detector.errors import ConflictError, SerinusError, StoreError
from detector.fitted.model import FittedModel
from detector.gate.course import Streamed
from detector.signals.plan import Plan
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns
from detector.stream.feedback import Feedback, Tuning
from detector.stream.ports import SeriesNames
from pipelines.flows.freed import give_back_freed_memory
from pipelines.flows.logs_record import Counted
from pipelines.flows.stream_meters import Patience, StreamMeters
from pipelines.flows.stream_part import Arrived, Modelled, Said, Samples, StreamPart, read, spelled
from pipelines.stores.spool import Spool

if TYPE_CHECKING:
    from detector.gate.aa import Scope
    from detector.spans.opposed import Versions
    from detector.spans.shift import Arms, Measure, TimeShift
    from detector.spans.topology import Graph

__all__ = ["Stream"]


@dataclass(slots=True)
class _Queued:
    number: int
    arrived: Arrived
    samples: int
    at: float
    done: Future[list[Tuning]] = field(default_factory=Future)


class Stream:
    """`SampleSink`; safe for threads.

    A batch that `put` took is in the spool: it is judged exactly once, also if the process dies
    now. `room` bounds how many samples wait. `watch` hears what happens, with the number that it is
    kept by, in the judging thread. A database that is away is waited for: the queue fills
    meanwhile, and then `put` is False.
    """

    def __init__(
        self,
        part: StreamPart,
        spool: Spool,
        *,
        room: int = 2_000_000,
        checkpoint_s: float = 60.0,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._part, self._spool, self._room = part, spool, room
        self._every, self._clock = checkpoint_s, clock
        self._patience, self._end_by = patience or Patience(), math.inf
        self._lock, self._ready = threading.Lock(), threading.Condition()
        # Who waits for the state holds `_next`, so that the next batch does not slip in before.
        self._next, self._moving = threading.Lock(), threading.Lock()
        self._queue: deque[_Queued] = deque()
        self._waiting, self._stopping = 0, False
        self._read_to: dict[str, int] = {}
        self.meters = StreamMeters()
        self.watch: Callable[[int, Happened], None] = lambda *_: None
        self._replay()
        self._part.are_named = True
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Samples that were taken and are not judged yet."""
        return self._waiting

    @property
    def lag_s(self) -> float:
        """How long the oldest batch that waits has waited."""
        with self._ready:
            return self._clock() - self._queue[0].at if self._queue else 0.0

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """Spool and queue a batch; False where there is no room."""
        with self._lock:
            self._check()
            # One batch is let in however large: it would never fit otherwise.
            if self._waiting and self._waiting + len(columns) > self._room:
                self.meters.refused += len(columns)
                return False
            new = names.fresh()
            arrived = Samples(
                tenant=tenant,
                series=columns.series.tobytes(),
                at=columns.at.tobytes(),
                value=columns.value.tobytes(),
                new=tuple(info for _, info in new),
                ids=np.array([id for id, _ in new], np.int32).tobytes(),
                read_to=read_to,
            )
            self._enqueue(arrived, len(columns))
            names.kept(len(new))
            if read_to is not None:
                self._read_to[tenant] = read_to
        return True

    def has_room(self) -> bool:
        """Whether a batch would be taken now; `StoreError` where none is."""
        self._check()
        return self._waiting < self._room

    def count(self, counted: Counted, names: SeriesNames, rows: int) -> bool:
        """Spool and queue what was counted of lines or spans; False where there is no room."""
        with self._lock:
            self._check()
            if self._waiting and self._waiting + rows > self._room:
                return False
            self._enqueue(counted, rows)
            names.kept(len(counted.new))
        return True

    @property
    def part(self) -> StreamPart:
        """What it moves: for those who keep something beside it."""
        return self._part

    def known(self, tenant: str) -> SeriesNames:
        """The names of a tenant's series: who puts samples gives ids by these."""
        with self._lock:
            return self._part.operators.names(tenant)

    def counts(self) -> dict[str, tuple[int, int]]:
        """By tenant, how many series had samples lately, and how many were forgotten."""
        return self._part.operators.counts()

    def read_to(self, tenant: str) -> int | None:
        """How far a source was read for a tenant."""
        with self._lock:
            return self._read_to.get(tenant)

    def say(
        self, tenant: str, feedback: Feedback, *, is_of_lines: bool = False
    ) -> Future[list[Tuning]]:
        """Take feedback on an anomaly; what it made of the series, once it is applied."""
        said = Said(tenant=tenant, feedback=feedback, is_of_lines=is_of_lines)
        with self._lock:
            self._check()
            return self._enqueue(said, 0).done

    def use(self, model: FittedModel) -> None:
        """Judge a service by this model from its place among what comes in on; spooled, too."""
        with self._lock:
            self._check()
            self._enqueue(Modelled(tenant=model.scope.tenant, model=model), 0)

    def models(self) -> dict[Scope, int]:
        """By service, the version of the model that it is judged by."""
        return self._part.operators.services.versions()

    def told(self, tenant: str, plan: Plan, *, until: float, timeout_s: float = 2.0) -> Streamed:
        """What is known of a plan's service up to a time (unix seconds), by what was judged so far.

        `StoreError` where the stream takes nothing, or is busy for longer.
        """
        self._check()
        with self._still(timeout_s):
            return self._part.told(tenant, plan, until=until)

    def graph(self, tenant: str, service: str | None, *, timeout_s: float = 2.0) -> Graph | None:
        """Who calls whom, by the spans taken, None without any; `StoreError` as `told`."""
        self._check()
        with self._still(timeout_s):
            return self._part.logs.graph(tenant, service)

    def shifts(
        self, tenant: str, arms: Arms, measure: Measure, *, timeout_s: float = 2.0
    ) -> tuple[TimeShift, ...] | None:
        """Where a canary's requests spend their time, as `graph` tells who calls whom."""
        self._check()
        with self._still(timeout_s):
            return self._part.logs.shifts(tenant, arms, measure)

    def versions(self, tenant: str, service: str, *, timeout_s: float = 2.0) -> Versions | None:
        """Which versions of a service send spans, as `graph` tells who calls whom."""
        self._check()
        with self._still(timeout_s):
            return self._part.logs.versions(tenant, service)

    @contextmanager
    def _still(self, timeout_s: float = -1) -> Iterator[None]:
        """The state of the part, which nobody else reads or moves meanwhile; forever by default."""
        with self._next:
            if not self._moving.acquire(timeout=timeout_s):
                raise StoreError(f"the stream was busy for {timeout_s:g} s")
        try:
            yield
        finally:
            self._moving.release()

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was taken is judged; whether it is."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._queue, timeout_s)

    def close(self) -> None:
        """Judge what was taken, write a checkpoint, and stop."""
        with self._ready:
            self._stopping = True
            self._end_by = time.monotonic() + self._patience.at_end_s
            self._ready.notify_all()
        self._thread.join()
        self._spool.close()

    def _check(self) -> None:
        if self._stopping or self.meters.failed:
            raise StoreError(f"the stream takes nothing: {self.meters.failed or 'it is stopping'}")

    def _enqueue(self, arrived: Arrived, samples: int) -> _Queued:
        number = self._spool.append(spelled(arrived))
        queued = _Queued(number, arrived, samples, self._clock())
        with self._ready:
            self._queue.append(queued)
            self._waiting += samples
            self._ready.notify_all()
        return queued

    def _replay(self) -> None:
        """Take what the last process had taken and not written into a checkpoint."""
        held = self._part.take()
        self._spool.follow(held)
        count = 0
        for number, body in self._spool.after(held):
            _check_order(number, max(held, 0) + count + 1)
            self._part.apply(number, read(body))
            self._part.keep()
            count += 1
        self._part.operators.release_all()
        self._read_to = dict(self._part.read_to)
        if count:
            self.meters.log.info("replayed what was not in a checkpoint", batches=count)
        if self._pass_over() or count or self._part.operators.is_to_renew:
            self._checkpoint()

    def _pass_over(self) -> bool:
        """Leave out positions that a power cut took from the spool and not from the database."""
        told = self._part.told_up_to()
        if told <= self._part.position:
            return False
        self._part.position = told
        self._spool.follow(told)
        return True

    def _run(self) -> None:
        due = time.monotonic() + self._every
        try:
            while self._turn(due):
                if time.monotonic() >= due:
                    self._lasting(self._checkpoint)
                    due = time.monotonic() + self._every
            self._lasting(self._checkpoint)
        except Exception as error:  # noqa: BLE001 - the one at the top of the thread
            self._fail(error)

    def _lasting(self, write: Callable[[], None]) -> None:
        """Write, however long the database is away; at an orderly end not much longer."""
        for pause in self._patience.pauses():
            try:
                write()
            except StoreError as error:
                # Another process owns the part: that will not pass.
                if isinstance(error, ConflictError) or time.monotonic() >= self._end_by:
                    raise
                self.meters.missed(error)
                self._wait(pause)
            else:
                break
        self.meters.wrote()

    def _wait(self, pause: float) -> None:
        """Wait, or until the end begins, or is over."""
        with self._ready:
            was, left = self._stopping, self._end_by - time.monotonic()
            self._ready.wait_for(lambda: self._stopping != was, max(min(pause, left), 0.0))

    def _turn(self, due: float) -> bool:
        """Judge one batch, or wait for one; False once all is done that is to be done."""
        with self._ready:
            left = max(due - time.monotonic(), 0.0)
            if self._part.logs.is_owing:
                left = min(left, self._part.logs.pace.flush_s)
            self._ready.wait_for(lambda: self._queue or self._stopping, left)
            queued = self._queue[0] if self._queue else None
        if queued is None:
            self._lasting(self._part.keep)
            return not self._stopping
        self._judge(queued)
        with self._ready:
            self._queue.popleft()
            self._waiting -= queued.samples
            self._ready.notify_all()
        self._release()
        return True

    def _release(self) -> None:
        """Give away ids of forgotten series, of tenants of whom nothing waits that means them."""
        operators = self._part.operators
        for tenant in operators.has_gone():
            # Doors hold it from when they read a message until it is put: so none is in between.
            with operators.names(tenant).lock, self._ready:
                if all(queued.arrived.tenant != tenant for queued in self._queue):
                    operators.release(tenant)

    def _judge(self, queued: _Queued) -> None:
        with self._still():
            outcome = self._part.apply(queued.number, queued.arrived)
        self._lasting(self._part.keep)
        if isinstance(queued.arrived, Samples):
            self.meters.samples += queued.samples
        for number, one in zip(self._part.numbers, outcome.happened, strict=True):
            self.meters.anomalies += one.kind.value == "opened"
            self.watch(number, one)
        if isinstance(queued.arrived, Samples) and queued.samples:
            self.meters.newest_ms = max(
                self.meters.newest_ms, int(queued.arrived.columns().at.max())
            )
        queued.done.set_result(list(outcome.tunings))

    def _checkpoint(self) -> None:
        began = time.monotonic()
        self._part.checkpoint()
        self._spool.forget(self._part.position)
        give_back_freed_memory()
        self.meters.checkpoints += 1
        self.meters.checkpoint_s = time.monotonic() - began
        self.meters.checkpoint_at = self._clock()

    def _fail(self, error: Exception) -> None:
        """Nothing is taken any more; what was taken is in the spool, for the next start."""
        self.meters.stopped(error, is_expected=isinstance(error, SerinusError))
        with self._ready:
            for queued in self._queue:
                queued.done.set_exception(StoreError(self.meters.failed))
            self._queue.clear()
            self._waiting = 0
            self._ready.notify_all()


def _check_order(number: int, expected: int) -> None:
    """Samples tell their series by ids, which mean nothing without all that came before."""
    if number != expected:
        raise StoreError(
            f"the spool has no record {expected}, which follows the checkpoint, but has {number}:"
            " it is damaged, or the database is not the one that it belongs to"
        )
