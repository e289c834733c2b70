"""Reads that wait for the source at the same time are sent to it together.

A read that comes after a pause goes at once and alone. Where reads come all the time, each waits
a moment for company: the busier it is, the more go together, so that many rollouts cost the
source, and us, few queries.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from detector.errors import SourceError
from detector.series import Answer, Query
from pipelines.sources.deadline import Deadline
from pipelines.sources.merging import Merged, merged
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.spent import Spent
from pipelines.sources.wire import Matrix, Part

__all__ = ["Batches", "Order", "Reader"]

# Batches under way: while two are, those that come meet in the next.
_LANES = 2
_MOST = 24
# A read that comes so soon after another waits so long for more, unless enough wait already.
_BUSY_S = 0.1
_LINGER_S = 0.08
_ENOUGH = 12
# Spans that differ by more are not read together: the longest would be read for all.
_ALIKE_S = 150.0
# The worker names the cause at the deadline; its reader waits this much longer to hear it.
_GRACE_S = 0.25


@dataclass(slots=True)
class Order:
    """One read: samples with `start < time <= end`."""

    queries: tuple[Query, ...]
    start: float
    end: float
    deadline: Deadline
    spent: Spent
    done: Future[Sequence[Answer]] = field(default_factory=Future)
    ripe_at: float = -math.inf

    @property
    def kind(self) -> int:
        """Orders of one kind are read together."""
        return int((self.end - self.start) // _ALIKE_S)


class Reader(Protocol):
    """How a selector is read."""

    def matrix(
        self, selector: str, start: float, end: float, deadline: Deadline, *, reads: int
    ) -> Matrix:
        """The samples of a selector for so many reads, still as text; `SourceError`."""
        ...

    def alone(self, order: Order) -> Sequence[Answer]:
        """An order read query by query, its span halved where it is too much."""
        ...

    def parsed(self, part: Part, start: float, end: float) -> Answer:
        """Text as samples."""
        ...


class Batches:
    """Orders of many threads, served by a few workers."""

    def __init__(
        self,
        workers: ThreadPoolExecutor,
        reader: Reader,
        where: str,
        *,
        busy_s: float = _BUSY_S,
        linger_s: float = _LINGER_S,
    ) -> None:
        self._busy_s, self._linger_s = busy_s, linger_s
        self._workers, self._reader, self._where = workers, reader, where
        self._guard = threading.Lock()
        self._waiting: list[Order] = []
        self._under_way = 0
        self._came = -math.inf
        self._crowd = threading.Event()

    def read(self, order: Order) -> Sequence[Answer]:
        """The answers by the order's deadline, or `SourceError`."""
        with self._guard:
            now = time.monotonic()
            if now - self._came < self._busy_s:
                order.ripe_at = now + self._linger_s
            self._came = now
            self._waiting.append(order)
            is_free = self._under_way < _LANES
            self._under_way += is_free
            if len(self._waiting) >= _ENOUGH:
                self._crowd.set()
        if is_free:
            self._workers.submit(self._drain)
        left = max(order.deadline.remaining(), 0.0) + _GRACE_S
        try:
            return order.done.result(timeout=left)
        except LateError:
            raise SourceError(
                f"{self._where} did not answer {len(order.queries)} queries"
                f" within {order.deadline.timeout_s:g} s"
            ) from None

    def _drain(self) -> None:
        """Serve until nobody waits."""
        self._crowd.wait(self._unripe_s())
        while batch := self._taken():
            self._serve(batch)
            self._crowd.wait(self._unripe_s())

    def _unripe_s(self) -> float:
        """How long the one who has waited longest still waits for company."""
        with self._guard:
            oldest = self._waiting[0].ripe_at if self._waiting else -math.inf
        return max(0.0, oldest - time.monotonic())

    def _taken(self) -> list[Order]:
        """Those that have waited longest and can go together; whoever gave up is left out."""
        with self._guard:
            self._waiting = [o for o in self._waiting if o.deadline.remaining() > 0]
            if not self._waiting:
                self._under_way -= 1
                return []
            kind = self._waiting[0].kind
            batch = [order for order in self._waiting if order.kind == kind][:_MOST]
            self._crowd.clear()
            taken = set(map(id, batch))
            self._waiting = [order for order in self._waiting if id(order) not in taken]
            return batch

    def _serve(self, batch: Sequence[Order]) -> None:
        try:
            found = self._together(batch)
        except SourceError as error:
            if not _may_be_better_alone(batch, error):
                _failed(batch, error)
                return
            for order in batch:
                _settled(order, partial(self._reader.alone, order))
        except BaseException as error:  # noqa: BLE001 - told to those who wait for it
            _failed(batch, error)
        else:
            for order in batch:
                _settled(order, partial(self._answers, order, found))

    def _answers(self, order: Order, found: Mapping[Query, Part]) -> Sequence[Answer]:
        return [self._answer(order, query, found[query]) for query in order.queries]

    def _answer(self, order: Order, query: Query, part: Part) -> Answer:
        order.spent.take(query, part)
        return self._reader.parsed(part, order.start, order.end)

    def _together(self, batch: Sequence[Order]) -> dict[Query, Part]:
        """What each query of a batch gets, by as few questions as can be."""
        start, end = min(o.start for o in batch), max(o.end for o in batch)
        deadline = max((o.deadline for o in batch), key=lambda deadline: deadline.at)
        found: dict[Query, Part] = {}
        for one in merged(query for order in batch for query in order.queries):
            matrix = self._reader.matrix(one.selector, start, end, deadline, reads=len(batch))
            found.update(_parts(one, matrix))
        return found


def _may_be_better_alone(batch: Sequence[Order], error: SourceError) -> bool:
    """Whether what is refused is one of many selectors, or what is too much can be halved."""
    if error.retryable or error.code != "query_rejected":
        return False
    return isinstance(error, TooMuchError) or sum(len(order.queries) for order in batch) > 1


def _settled(order: Order, answers: Callable[[], Sequence[Answer]]) -> None:
    try:
        order.done.set_result(answers())
    except BaseException as error:  # noqa: BLE001 - told to the one who waits for it
        order.done.set_exception(error)


def _failed(batch: Sequence[Order], error: BaseException) -> None:
    for order in batch:
        order.done.set_exception(error)


def _parts(one: Merged, matrix: Matrix) -> Iterator[tuple[Query, Part]]:
    if len(one.queries) == 1:
        yield one.queries[0], matrix.whole()
        return
    places = one.shared_out(matrix.labels)
    for query, own in zip(one.queries, places, strict=True):
        yield query, matrix.part(own)
