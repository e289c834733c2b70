"""All stores of the gate on one database, and what spans several of them."""

from __future__ import annotations

import sqlalchemy as sa

from detector.gate.record import FAIL_DAYS, PASS_DAYS, Kept, Pruned
from detector.gate.verdict import Outcome
from detector.ports import Stores
from detector.reports.kept import BACKGROUND, BACKGROUND_DAYS
from pipelines.stores import schema
from pipelines.stores.aa import SqlAa
from pipelines.stores.attempts import (
    SqlAttempts,
    SqlPoints,
    SqlVerdicts,
    add_chunk,
    add_verdict,
)
from pipelines.stores.changes import SqlChanges
from pipelines.stores.connections import Connections
from pipelines.stores.decisions import (
    SqlAudit,
    SqlModes,
    SqlOverrides,
    SqlPolicies,
    SqlRevisions,
)
from pipelines.stores.learned import SqlLearned
from pipelines.stores.outbox import SqlOutbox, add_post
from pipelines.stores.reports import SqlReports
from pipelines.stores.scans import SqlScans
from pipelines.stores.statements import compiled
from pipelines.stores.versions import SqlVersions

__all__ = ["stores_on"]

DAY_S = 86_400.0


def stores_on(database: Connections) -> Stores:
    """All stores of the gate."""
    attempts = SqlAttempts(database)
    return Stores(
        attempts=attempts,
        verdicts=SqlVerdicts(database),
        points=SqlPoints(database),
        answers=SqlAnswers(database, attempts),
        policies=SqlPolicies(database),
        overrides=SqlOverrides(database),
        modes=SqlModes(database),
        revisions=SqlRevisions(database),
        aa=SqlAa(database),
        outbox=SqlOutbox(database),
        audit=SqlAudit(database),
        changes=SqlChanges(database),
        learned=SqlLearned(database),
        scans=SqlScans(database),
        reports=SqlReports(database),
        versions=SqlVersions(database),
        retention=SqlRetention(database),
    )


class SqlAnswers:
    """`AnswerStore`."""

    def __init__(self, database: Connections, attempts: SqlAttempts) -> None:
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


class SqlRetention:
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
            schema.versions.delete().where(schema.versions.c.at < round(1000 * old)),
            schema.changes.delete().where(schema.changes.c.last_at < round(1000 * older)),
            schema.scans.delete().where(schema.scans.c.at < round(1000 * older)),
            schema.reports.delete().where(schema.reports.c.at < round(1000 * older)),
            schema.reports.delete().where(
                schema.reports.c.name == BACKGROUND,
                schema.reports.c.at < round(1000 * (now - BACKGROUND_DAYS * DAY_S)),
            ),
        )
        with self._db.write() as transaction:
            gone, chunks, rows, *_ = (transaction.run(compiled(step)) for step in steps)
        return Pruned(verdicts=gone, chunks=chunks, attempts=rows)
