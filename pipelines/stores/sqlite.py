"""The embedded store: one SQLite file, write-ahead log, safe for threads and for kill -9."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from detector.gate.record import FAIL_DAYS, PASS_DAYS, Kept, Pruned
from detector.gate.verdict import Outcome
from detector.ports import Stores
from pipelines.stores import schema
from pipelines.stores.aa import SqliteAa
from pipelines.stores.attempts import (
    SqliteAttempts,
    SqlitePoints,
    SqliteVerdicts,
    add_chunk,
    add_verdict,
)
from pipelines.stores.connections import Connections
from pipelines.stores.decisions import (
    SqliteAudit,
    SqliteModes,
    SqliteOverrides,
    SqlitePolicies,
    SqliteRevisions,
)
from pipelines.stores.outbox import SqliteOutbox, add_post
from pipelines.stores.statements import compiled

__all__ = ["Database", "open_sqlite"]

DAY_S = 86_400.0


def open_sqlite(path: Path) -> Stores:
    """The stores of a file, which is made or migrated; `StoreError` where it cannot be used."""
    return Database(path).stores()


class Database(Connections):
    """One SQLite file with its connections."""

    def stores(self) -> Stores:
        """All stores of the gate on this file."""
        attempts = SqliteAttempts(self)
        return Stores(
            attempts=attempts,
            verdicts=SqliteVerdicts(self),
            points=SqlitePoints(self),
            answers=SqliteAnswers(self, attempts),
            policies=SqlitePolicies(self),
            overrides=SqliteOverrides(self),
            modes=SqliteModes(self),
            revisions=SqliteRevisions(self),
            aa=SqliteAa(self),
            outbox=SqliteOutbox(self),
            audit=SqliteAudit(self),
            retention=SqliteRetention(self),
        )


class SqliteAnswers:
    """`AnswerStore`."""

    def __init__(self, database: Connections, attempts: SqliteAttempts) -> None:
        self._db, self._attempts = database, attempts

    def keep(self, kept: Kept) -> None:
        """In one transaction."""
        with self._db.write(durable=kept.durable) as transaction:
            self._attempts.put(transaction, kept.attempt)
            if kept.chunk is not None:
                add_chunk(transaction, kept.chunk, kept.at)
            if kept.verdict is not None:
                add_verdict(transaction, kept.verdict, kept.at)
            for post in kept.posts:
                add_post(transaction, post)


class SqliteRetention:
    """`Retention`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def prune(self, now: float) -> Pruned:
        """Delete what is past its time; samples go with their attempt's last question."""
        old, older = now - PASS_DAYS * DAY_S, now - FAIL_DAYS * DAY_S
        verdicts, points, attempts = schema.verdicts, schema.points, schema.attempts
        failed = verdicts.c.outcome == Outcome.FAIL.value
        latched = attempts.c.latched_at.is_not(None)
        past = sa.or_(attempts.c.last_asked < older, sa.and_(attempts.c.last_asked < old, ~latched))
        kept = sa.select(verdicts.c.attempt)
        steps = (
            verdicts.delete().where(
                sa.or_(verdicts.c.written_at < older, sa.and_(verdicts.c.written_at < old, ~failed))
            ),
            points.delete().where(points.c.attempt.in_(sa.select(attempts.c.id).where(past))),
            attempts.delete().where(past, attempts.c.id.not_in(kept)),
            schema.notices.delete().where(schema.notices.c.at < old),
        )
        with self._db.write() as transaction:
            gone, chunks, rows, _ = (transaction.run(compiled(step)) for step in steps)
        return Pruned(verdicts=gone, chunks=chunks, attempts=rows)
