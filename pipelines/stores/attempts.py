"""Attempts, verdicts and samples in a database: what every poll writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from detector.errors import ConflictError, NotFoundError
from detector.gate.attempt import Attempt, Identity
from detector.gate.record import PASS_DAYS, Chunk, Filter, Page, StoredVerdict
from detector.signals.plan import Plan
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Row, Transaction
from pipelines.stores.statements import Attempts, Points, Verdicts

__all__ = ["SqlAttempts", "SqlPoints", "SqlVerdicts", "add_chunk", "add_verdict"]

# Attempts under way whose values need not be read out of their bytes again.
_REMEMBERED = 512


class SqlAttempts:
    """`AttemptStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database
        self._guard = threading.Lock()
        self._known: dict[str, tuple[bytes, Attempt]] = {}

    def save(self, attempt: Attempt, *, durable: bool = False) -> Attempt:
        """Insert, or replace the version that was read; the plan only once."""
        with self._db.write(durable=durable) as transaction:
            return self.put(transaction, attempt)

    def put(self, transaction: Transaction, attempt: Attempt) -> Attempt:
        """Insert or replace within a transaction."""
        kept = replace(attempt, version=attempt.version + 1)
        body = pack(replace(attempt, plan=None, version=0))
        moved = _moved(kept, body)
        if attempt.version:
            was = {"of": attempt.id, "was": attempt.version}
            written = transaction.run(Attempts.MOVE, {**moved, **was})
        else:
            written = transaction.run(Attempts.ADD, {**_fixed(attempt), **moved})
        if not written:
            raise ConflictError(f"attempt {attempt.id} was written by another process meanwhile")
        if kept.plan is not None:
            if not self._has_plan(transaction, attempt):
                plan = {"attempt": kept.id, "body": pack(kept.plan)}
                transaction.run(Attempts.ADD_PLAN, plan)
            self._remember(body, kept)
        return kept

    def _has_plan(self, transaction: Transaction, attempt: Attempt) -> bool:
        """Whether the plan was stored; with the version that was read it is known to have been."""
        known = self._known.get(attempt.id)
        if known is not None and known[1].version == attempt.version and known[1].plan is not None:
            return True
        return transaction.first(Attempts.HAS_PLAN, {"id": attempt.id}) is not None

    def get(self, id: str) -> Attempt:
        """By id."""
        with self._db.read() as looks:
            row = looks.first(Attempts.OF_ID, {"id": id})
            if row is None:
                raise NotFoundError(f"no rollout {id!r}")
            return self._read(looks, row)

    def newest(self, identity: Identity, *, asked_until: float) -> Attempt | None:
        """The one first asked about last."""
        asked = {"identity": identity.key, "until": asked_until}
        with self._db.read() as looks:
            row = looks.first(Attempts.NEWEST, asked)
            return None if row is None else self._read(looks, row)

    def _read(self, looks: Transaction, row: Row) -> Attempt:
        """The attempt of a row; as it was last read, where its bytes are the same."""
        id, version, body = row
        known = self._known.get(id)
        if known is not None and known[0] == body and known[1].plan is not None:
            same = known[1].version == version
            return known[1] if same else replace(known[1], version=version)
        attempt = replace(unpack(Attempt, body), version=version)
        # One that has not started has no plan: what another writes after this row belongs to a
        # later version.
        if attempt.started_at is not None:
            plan = looks.first(Attempts.PLAN_OF, {"id": id})
            attempt = replace(attempt, plan=None if plan is None else _plan(plan[0], known))
        self._remember(body, attempt)
        return attempt

    def _remember(self, body: bytes, attempt: Attempt) -> None:
        """What stands for these bytes; were they never committed, nobody will find them."""
        with self._guard:
            self._known.pop(attempt.id, None)
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[attempt.id] = (body, attempt)


def _plan(body: bytes, known: tuple[bytes, Attempt] | None) -> Plan:
    """A plan never changes: the one that was read before is the same."""
    if known is not None and known[1].plan is not None:
        return known[1].plan
    return unpack(Plan, body)


def _fixed(attempt: Attempt) -> dict[str, object]:
    """Columns that never change."""
    identity = attempt.identity
    return {
        "id": attempt.id,
        "identity": identity.key,
        "tenant": identity.tenant,
        "cluster": identity.cluster,
        "namespace": identity.namespace,
        "service": identity.service,
        "rollout": identity.rollout,
        "canary": identity.canary,
        "asked_at": attempt.asked_at,
        "policy_digest": attempt.policy.digest,
        "engine": attempt.engine,
        "follows": attempt.follows,
    }


def _moved(attempt: Attempt, body: bytes) -> dict[str, object]:
    """Columns that each question may change."""
    return {
        "last_asked": attempt.last_asked,
        "started_at": attempt.started_at,
        "interval_s": attempt.interval,
        "latched_at": None if attempt.latch is None else attempt.latch.at,
        "evaluated_to": attempt.evaluated_to,
        "head": attempt.head,
        "body": body,
        "version": attempt.version,
    }


class SqlVerdicts:
    """`VerdictStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def save(self, stored: StoredVerdict, *, at: float) -> None:
        """Insert or replace."""
        with self._db.write() as transaction:
            add_verdict(transaction, stored, at)

    def get(self, id: str) -> StoredVerdict:
        """By id."""
        with self._db.read() as looks:
            row = looks.first(Verdicts.OF_ID, {"id": id})
        if row is None:
            raise NotFoundError(f"no verdict {id!r}")
        return unpack(StoredVerdict, row[0])

    def list(self, wanted: Filter) -> Page:
        """Newest first."""
        query = (
            sa.select(schema.verdicts.c.body)
            .where(*_conditions(wanted))
            .order_by(schema.verdicts.c.id.desc())
            .limit(wanted.limit + 1)
        )
        with self._db.built() as connection:
            bodies = connection.scalars(query).all()
        page = tuple(unpack(StoredVerdict, b).verdict for b in bodies[: wanted.limit])
        return Page(verdicts=page, next=page[-1].id if len(bodies) > len(page) > 0 else None)


def add_verdict(transaction: Transaction, stored: StoredVerdict, at: float) -> None:
    """Insert or replace a verdict."""
    verdict = stored.verdict
    row = {
        "id": verdict.id,
        "attempt": verdict.attempt,
        "service": verdict.service,
        "rollout": verdict.rollout,
        "outcome": verdict.outcome.value,
        "as_of": verdict.as_of.timestamp(),
        "written_at": at,
        "body": pack(stored),
    }
    transaction.run(Verdicts.SAVE, row)


def _conditions(wanted: Filter) -> Iterator[sa.ColumnElement[bool]]:
    table = schema.verdicts
    for name in ("tenant", "service", "rollout", "attempt", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            yield table.c[name] == str(value)
    if wanted.since is not None:
        yield table.c.as_of >= wanted.since
    if wanted.until is not None:
        yield table.c.as_of < wanted.until
    if wanted.after is not None:
        yield table.c.id < wanted.after
    if wanted.newest_only:
        yield table.c.id.in_(_newest())


def _newest() -> sa.Select[tuple[str]]:
    """The newest verdict of each attempt: one look into an index for each."""
    other, attempt = schema.verdicts.alias(), schema.attempts
    newest = sa.select(sa.func.max(other.c.id)).where(other.c.attempt == attempt.c.id)
    return sa.select(newest.correlate(attempt).scalar_subquery()).select_from(attempt)


class SqlPoints:
    """`PointStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def append(self, chunk: Chunk, *, at: float) -> None:
        """Keep one chunk."""
        with self._db.write() as transaction:
            add_chunk(transaction, chunk, at)

    def chain(self, head: str) -> Sequence[Chunk]:
        """Oldest first."""
        if not head:
            return ()
        with self._db.read() as looks:
            rows = {row[0]: row for row in looks.rows(Points.OF_ATTEMPT, {"head": head})}
        chunks = []
        while head:
            row = rows.get(head)
            if row is None:
                raise NotFoundError(f"samples {head[:12]} are gone: they are kept {PASS_DAYS} days")
            name, attempt, prev, body = row
            chunks.append(Chunk(attempt=attempt, hash=name, prev=prev, body=body))
            head = prev
        return chunks[::-1]

    def since(self, head: str, known: str, *, most: int) -> Sequence[Chunk] | None:
        """Step by step, since there are few."""
        chunks: list[Chunk] = []
        with self._db.read() as looks:
            while head and head != known and len(chunks) < most:
                row = looks.first(Points.OF_HASH, {"head": head})
                if row is None:
                    return None
                name, attempt, head, body = row
                chunks.append(Chunk(attempt=attempt, hash=name, prev=head, body=body))
        return chunks[::-1] if head == known else None


def add_chunk(transaction: Transaction, chunk: Chunk, at: float) -> None:
    """Insert a chunk that is not there yet."""
    row = {
        "hash": chunk.hash,
        "attempt": chunk.attempt,
        "prev": chunk.prev,
        "written_at": at,
        "body": chunk.body,
    }
    transaction.run(Points.ADD, row)
