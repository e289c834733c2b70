"""The judge of a partition of logs or traces: what is counted of them is kept, and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.anomaly import Happened
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Tuning
from detector.stream.ports import SeriesNames
from pipelines.flows.logs_judged import judged, named
from pipelines.flows.logs_open import LogBounds
from pipelines.flows.logs_part import LogsPart
from pipelines.flows.logs_record import Counted
from pipelines.flows.logs_taking import Taking
from pipelines.flows.stream_operators import LABELS, Operators
from pipelines.flows.worker_feeds import Batch, Feed
from pipelines.flows.worker_part import Together, Unit
from pipelines.flows.worker_waiting import LARGE, Waiting
from pipelines.stores.checkpoints import Held, TenantHeld
from pipelines.stores.codec import pack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.said import Said
from pipelines.stores.worker_graphs import GRAPH
from pipelines.topics.port import Message

if TYPE_CHECKING:
    from pipelines.ingest.interning import Interner

__all__ = ["CountedJudge"]

# Places of what no message tells, behind the offset of the last one.
_PLACES = 20
_FLOW, _TIMES = "flow.", "flow.times"
_HOUR_MS = 3_600_000
_NEVER = np.zeros(2, np.int64)
Arrays = Mapping[str, NDArray[Any]]


class _Caught:
    """`CountedStream` that gives back what was counted: the log of Kafka is its spool."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._counted: list[Counted] = []

    def has_room(self) -> bool:
        """Always: messages wait to be read."""
        return True

    def count(self, counted: Counted, names: SeriesNames, rows: int) -> bool:
        """Keep it until it is asked for."""
        self._counted.append(counted)
        names.kept(len(counted.new))
        return True

    def known(self, tenant: str) -> SeriesNames:
        """The names of a tenant's series."""
        return self._operators.names(tenant)

    def taken(self) -> list[Counted]:
        """What was counted since the last time."""
        found, self._counted = self._counted, []
        return found


class CountedJudge:
    """`Judge`. What messages counted follows from them and those before them alone.

    Small ones of one second wait for each other and are counted in one go: senders like Fluent Bit
    write a message a line. Their time is the log's time of the last of them, which goes on while
    nothing comes.
    """

    def __init__(
        self,
        feed: Feed,
        operators: Operators,
        logs: LogsPart,
        database: Connections,
        part: str,
        bounds: LogBounds,
    ) -> None:
        self._feed, self._operators, self._logs = feed, operators, logs
        self._database, self._part, self._bounds = database, part, bounds
        self._caught = _Caught(operators)
        self._taking: Taking | None = None
        self._at, self._hour, self._place = 0, 0, -1
        self._waiting = Waiting()
        self.count = 0
        self.newest: int | None = None

    @property
    def unit(self) -> Unit:
        """See `Judge`."""
        return self._feed.unit

    @property
    def taking(self) -> Taking:
        """The tenants, once it is restored."""
        assert self._taking is not None
        return self._taking

    def restore(self, held: Held) -> None:
        """See `Judge`."""
        arrays = {tenant: one.arrays for tenant, one in held.tenants.items()}
        has_series = {name: one for name, one in held.tenants.items() if LABELS in one.arrays}
        self._operators.restore(has_series)
        self._logs.restore(arrays)
        # What no message told is in the checkpoint, too: places go on behind it.
        is_behind = self._logs.written >> _PLACES == held.position
        self._place = self._logs.written if is_behind else held.position << _PLACES
        self._taking = Taking(
            self._caught,
            self._database,
            self._part,
            counters=self._bounds.counters,
            rates=self._bounds.rates,
            clock=lambda: self._at / 1000,
        )
        counting = {name: _under(_FLOW, one) for name, one in arrays.items()}
        for tenant in {**self.taking.tenants, **counting}:
            self._resume(tenant, arrays.get(tenant, {}))
        self._feed.restore(self.taking, counting)
        self._waiting = Waiting()

    def read(self, message: Message) -> Callable[[], Sequence[Happened]]:
        """See `Judge`."""
        return partial(self._judge, message, self._feed.read(message))

    def together(self, messages: Sequence[Message]) -> Together | None:
        """See `Judge`: they wait for each other by their own rule."""

    def passed(self) -> None:
        """See `Judge`: it had nothing that is known."""

    def whole_to(self, offset: int) -> int:
        """See `Judge`."""
        return offset if self._waiting.since is None else self._waiting.since - 1

    def close(self) -> Sequence[Happened]:
        """See `Judge`."""
        waiting, self._waiting = self._waiting, Waiting()
        if not waiting.batches:
            return ()
        self._place = waiting.last << _PLACES
        self._at = max(self._at, waiting.at)
        if self._at // _HOUR_MS > self._hour:
            self._hour = self._at // _HOUR_MS
            self._logs.forget(self._at)
        # Also of tenants that the messages are not of the time goes on.
        self.taking.tick()
        self._feed.put(waiting.batches)
        newest = [one.newest for one in waiting.batches if one.newest is not None]
        self.newest = max([*newest, self.newest or 0]) if newest else self.newest
        return [one for some in self._caught.taken() for one in self._apply(some)]

    def time_goes(self, now: int) -> Sequence[Happened] | None:
        """See `Judge`."""
        is_due = self._waiting.is_due(now)
        happened = list(self.close()) if is_due else []
        self._at = max(self._at, now)
        self.taking.tick()
        counted = self._caught.taken()
        if not counted:
            return happened if is_due else None
        self._place += 1
        return [*happened, *(one for some in counted for one in self._apply(some))]

    def go_on_at(self, position: int) -> None:
        """See `Judge`."""
        self._logs.go_on_at(position << _PLACES)
        self._place = position << _PLACES

    def said(self, said: Said) -> tuple[Sequence[Happened], Sequence[Tuning]]:
        """See `Judge`."""
        if not said.is_of_lines:
            return self._operators.said(said.tenant, said.feedback)
        happened, _ = self._logs.said(said.tenant, said.feedback)
        # Of a template, what was said is in the state of the detectors.
        return happened, ()

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """See `Judge`."""
        return named(self._operators, self._logs, happened)

    def release(self) -> None:
        """See `Judge`."""
        self._operators.release_all()

    def settle(self) -> None:
        """See `Judge`: counters and templates are shown before their checkpoint."""
        self._logs.settle()

    def held(self) -> Mapping[str, TenantHeld]:
        """See `Judge`."""
        series = self._operators.held()
        tenants = sorted({*series, *self.taking.tenants})
        return {
            tenant: TenantHeld(
                arrays={
                    **(series[tenant].arrays if tenant in series else {}),
                    **self._logs.arrays(tenant),
                    **self._counting(tenant),
                }
            )
            for tenant in tenants
        }

    def add(self, transaction: Transaction) -> None:
        """See `Judge`."""
        self._logs.rise()
        self._logs.catch_up(transaction)

    def wrote(self) -> None:
        """See `Judge`."""
        self._logs.wrote()
        self._operators.renew()

    def open(self) -> int:
        """See `Judge`."""
        return self._operators.open()

    def _judge(self, message: Message, batch: Batch) -> Sequence[Happened]:
        """Count what waited, if this one is not of it; let it wait, if it is small."""
        happened = self.close() if self._waiting.is_before(message.at) else ()
        self._waiting.add(message, batch)
        self.count += batch.size
        return [*happened, *(self.close() if batch.size >= LARGE else ())]

    def _apply(self, counted: Counted) -> Sequence[Happened]:
        happened = judged(self._operators, self._logs, self._place, counted, are_named=True)
        self._feed.counted(counted)
        return happened

    def _resume(self, tenant: str, arrays: Arrays) -> None:
        taken, heard = arrays.get(_TIMES, _NEVER).tolist()
        known = _series(self._operators.names(tenant))
        self.taking.of(tenant).resume(taken, heard, known)
        self._at = max(self._at, taken)

    def _counting(self, tenant: str) -> Arrays:
        taken, graph = self.taking.of(tenant), self._logs.graph(tenant, None)
        told = {} if graph is None else {GRAPH: np.frombuffer(pack(graph), np.uint8)}
        feed = {_FLOW + name: one for name, one in self._feed.arrays(tenant).items()}
        return {**feed, **told, _TIMES: np.array([taken.taken, taken.heard], np.int64)}


def _series(names: Interner) -> Iterator[SeriesInfo]:
    """All that there are: those of a partition of logs or traces are all our own."""
    left = len(names)
    for id in count():
        if not left:
            return
        found = names.get(id)
        if found is not None:
            left -= 1
            yield found


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): one for name, one in arrays.items() if name.startswith(prefix)
    }
