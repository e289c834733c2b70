"""All that one partition of a worker keeps: in one transaction, by its owner alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from detector.errors import ConflictError
from detector.stream.feedback import Tuning
from pipelines.stores import schema
from pipelines.stores.anomalies import add_anomaly, add_tuning, upsert
from pipelines.stores.checkpoints import Checkpoints, Held, TenantHeld
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.events import Told, add_event
from pipelines.stores.said import Said, mark_applied, said_after
from pipelines.stores.statements import compiled

__all__ = ["Owed", "PartProgress", "WorkerPartStore", "progress_of"]

_marks, _workers = schema.stream_marks.c, schema.stream_workers.c
_HOLD = compiled(
    schema.stream_marks.update()
    .where(_marks.part == sa.bindparam("of"), _marks.epoch == sa.bindparam("mine"))
    .values(epoch=_marks.epoch)
)
_OWN = upsert(schema.stream_workers, "part")
_BEFORE = compiled(
    sa.select(_workers.newest, _workers.wrote_at).where(_workers.part == sa.bindparam("part"))
)
_PROGRESS = compiled(
    sa.select(
        _marks.part,
        _marks.position,
        _marks.epoch,
        _workers.worker,
        _workers.taken_at,
        _workers.wrote_at,
        _workers.newest,
        _workers.words,
    )
    .join_from(schema.stream_workers, schema.stream_marks, _marks.part == _workers.part)
    .order_by(_marks.part)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartProgress:
    """How far a part is, and who works on it; times in unix seconds, `newest` in milliseconds.

    `position` is the offset up to which the last checkpoint holds everything, -1 for none.
    """

    part: str
    position: int
    epoch: int
    worker: str
    taken_at: float
    wrote_at: float | None
    newest: int | None
    words: str


@dataclass(slots=True, kw_only=True)
class Owed:
    """What is to be kept: events, what feedback made of series, and the numbers of that."""

    events: list[Told] = field(default_factory=list)
    tunings: list[tuple[str, Tuning]] = field(default_factory=list)
    applied: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.events or self.applied)


class WorkerPartStore:
    """The part of one worker; one thread at a time. `ConflictError` once another has taken it."""

    def __init__(
        self,
        database: Connections,
        part: str,
        worker: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.part = part
        self._db, self._worker, self._clock = database, worker, clock
        self._checkpoints = Checkpoints(database, part)
        self._taken_at = 0.0
        self.newest: int | None = None
        self._wrote_at: float | None = None

    def take(self) -> Held:
        """Become the owner, and read; whoever owned the part before can write no more."""
        held = self._checkpoints.take()
        self._taken_at = self._clock()
        with self._db.write() as transaction:
            self.hold(transaction)
            before = transaction.first(_BEFORE, {"part": self.part})
            self.newest, self._wrote_at = before or (None, None)
            self._own(transaction)
        return held

    def said(self, after: int) -> list[Said]:
        """What people said to the part after a number."""
        with self._db.read() as looks:
            return said_after(looks, self.part, after)

    def tell(self, owed: Owed) -> None:
        """Keep events before their checkpoint; told again after a death, they are kept once."""
        with self._db.write(durable=True) as transaction:
            self.hold(transaction)
            self._add(transaction, owed)

    def checkpoint(
        self,
        position: int,
        tenants: Mapping[str, TenantHeld],
        owed: Owed,
        newest: int | None,
        *,
        beside: Callable[[Transaction], None] = lambda _: None,
    ) -> None:
        """State, the offset that it stands for, and what happened up to there; may be repeated.

        `beside` puts more into the same transaction.
        """
        with self._db.write(durable=True) as transaction:
            sums = self._checkpoints.write(transaction, position, tenants)
            self._add(transaction, owed)
            beside(transaction)
            self.newest, self._wrote_at = newest, self._clock()
            self._own(transaction)
        self._checkpoints.wrote(sums, tenants)

    def stopped(self, words: str) -> None:
        """Tell people why nothing of the part is read any more."""
        with self._db.write() as transaction:
            self.hold(transaction)
            self._own(transaction, words)

    def hold(self, transaction: Transaction) -> None:
        """Nobody takes the part until this is through; `ConflictError` where one has."""
        mine = {"of": self.part, "mine": self._checkpoints.epoch}
        if transaction.run(_HOLD, mine) != 1:
            raise ConflictError(f"another worker has taken {self.part}: nothing was written")

    def _add(self, transaction: Transaction, owed: Owed) -> None:
        for told in owed.events:
            one = told.happened
            add_anomaly(transaction, self.part, one.at, one.anomaly, told.series)
            add_event(transaction, self.part, told, self._clock())
        for tenant, tuning in owed.tunings:
            add_tuning(transaction, self.part, tenant, tuning)
        mark_applied(transaction, owed.applied)

    def _own(self, transaction: Transaction, words: str = "") -> None:
        row = {
            "part": self.part,
            "worker": self._worker,
            "taken_at": self._taken_at,
            "wrote_at": self._wrote_at,
            "newest": self.newest,
            "words": words,
        }
        transaction.run(_OWN, row)


def progress_of(database: Connections) -> list[PartProgress]:
    """How far all parts of workers are, by name."""
    with database.read() as looks:
        rows = looks.rows(_PROGRESS, {})
    names = PartProgress.__dataclass_fields__
    return [PartProgress(**dict(zip(names, row, strict=True))) for row in rows]
