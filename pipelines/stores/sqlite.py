"""The embedded store: one SQLite file, write-ahead log, safe for threads and for kill -9."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from detector.errors import NotFoundError, StoreError
from detector.gate.attempt import (
    Attempt,
    AuditEntry,
    Identity,
    ModeChange,
    Override,
    Revision,
)
from detector.gate.policy import Policy
from detector.gate.record import (
    FAIL_DAYS,
    PASS_DAYS,
    Chunk,
    Filter,
    Page,
    PolicyVersion,
    Pruned,
    StoredVerdict,
)
from detector.gate.verdict import Outcome
from detector.ports import Stores
from detector.signals.plan import Plan
from pipelines.stores import schema, statements
from pipelines.stores.codec import pack, unpack
from pipelines.stores.migrate import migrate

__all__ = ["Database", "open_sqlite"]

DAY_S = 86_400.0
_BUSY_MS = 5000


def open_sqlite(path: Path) -> Stores:
    """The stores of a file, which is made or migrated; `StoreError` where it cannot be used."""
    return Database(path).stores()


class Database:
    """One SQLite file with its connections."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the data directory {path.parent} cannot be made: {error}") from error
        self.engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000}, pool_size=8
        )
        sa.event.listen(self.engine, "connect", _configure)
        with _told(path), self.engine.connect() as connection:
            connection.exec_driver_sql("begin immediate")
            migrate(connection)
            connection.commit()

    def stores(self) -> Stores:
        """All stores of the gate on this file."""
        return Stores(
            attempts=SqliteAttempts(self),
            verdicts=SqliteVerdicts(self),
            points=SqlitePoints(self),
            policies=SqlitePolicies(self),
            overrides=SqliteOverrides(self),
            modes=SqliteModes(self),
            revisions=SqliteRevisions(self),
            audit=SqliteAudit(self),
            retention=SqliteRetention(self),
        )

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read with; errors come as `StoreError`."""
        with _told(self.path), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sa.Connection]:
        """A transaction; `durable` returns only when it is on the disk."""
        with _told(self.path), self._writing, self.engine.connect() as connection:
            if durable:
                connection.exec_driver_sql("pragma synchronous=full")
                connection.rollback()
            try:
                with connection.begin():
                    yield connection
            finally:
                if durable:
                    connection.exec_driver_sql("pragma synchronous=normal")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"the store {path} failed: {cause}") from error


def _configure(connection: Any, record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    del record
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=wal",
        "synchronous=normal",
        "foreign_keys=on",
        f"busy_timeout={_BUSY_MS}",
    ):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


class SqliteAttempts:
    """`AttemptStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, attempt: Attempt, *, durable: bool = False) -> None:
        """Insert or replace; the plan only once."""
        row = _attempt_row(attempt)
        with self._db.write(durable=durable) as connection:
            connection.execute(statements.SAVE_ATTEMPT, row)
            if attempt.plan is not None:
                plan = {"attempt": attempt.id, "body": pack(attempt.plan)}
                connection.execute(statements.SAVE_PLAN, plan)

    def get(self, id: str) -> Attempt:
        """By id."""
        found = self._first(statements.ATTEMPT_OF_ID, {"id": id})
        if found is None:
            raise NotFoundError(f"no rollout {id!r}")
        return found

    def newest(self, identity: Identity, *, asked_until: float) -> Attempt | None:
        """The one first asked about last."""
        asked = {"identity": identity.key, "until": asked_until}
        return self._first(statements.NEWEST_ATTEMPT, asked)

    def _first(self, query: sa.Select[Any], asked: dict[str, object]) -> Attempt | None:
        with self._db.read() as connection:
            row = connection.execute(query, asked).first()
        if row is None:
            return None
        plan = None if row[1] is None else unpack(Plan, row[1])
        return _with_plan(unpack(Attempt, row[0]), plan)


def _with_plan(attempt: Attempt, plan: Plan | None) -> Attempt:
    return replace(attempt, plan=plan)


def _attempt_row(attempt: Attempt) -> dict[str, object]:
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
        "last_asked": attempt.last_asked,
        "started_at": attempt.started_at,
        "interval_s": attempt.interval,
        "policy_digest": attempt.policy.digest,
        "engine": attempt.engine,
        "latched_at": None if attempt.latch is None else attempt.latch.at,
        "evaluated_to": attempt.evaluated_to,
        "head": attempt.head,
        "body": pack(_with_plan(attempt, None)),
    }


class SqliteVerdicts:
    """`VerdictStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, stored: StoredVerdict, *, at: float) -> None:
        """Insert or replace."""
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
        with self._db.write() as connection:
            connection.execute(statements.SAVE_VERDICT, row)

    def get(self, id: str) -> StoredVerdict:
        """By id."""
        table = schema.verdicts
        with self._db.read() as connection:
            body = connection.scalar(sa.select(table.c.body).where(table.c.id == id))
        if body is None:
            raise NotFoundError(f"no verdict {id!r}")
        return unpack(StoredVerdict, body)

    def list(self, wanted: Filter) -> Page:
        """Newest first."""
        query = (
            sa.select(schema.verdicts.c.body)
            .where(*_conditions(wanted))
            .order_by(schema.verdicts.c.id.desc())
            .limit(wanted.limit + 1)
        )
        with self._db.read() as connection:
            bodies = connection.scalars(query).all()
        page = tuple(unpack(StoredVerdict, b).verdict for b in bodies[: wanted.limit])
        return Page(verdicts=page, next=page[-1].id if len(bodies) > len(page) > 0 else None)


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


class SqlitePoints:
    """`PointStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def append(self, chunk: Chunk, *, at: float) -> None:
        """Keep one chunk."""
        row = {
            "hash": chunk.hash,
            "attempt": chunk.attempt,
            "prev": chunk.prev,
            "written_at": at,
            "body": chunk.body,
        }
        with self._db.write() as connection:
            connection.execute(statements.SAVE_CHUNK, row)

    def chain(self, head: str) -> Sequence[Chunk]:
        """Oldest first."""
        if not head:
            return ()
        table = schema.points
        attempt = sa.select(table.c.attempt).where(table.c.hash == head).scalar_subquery()
        query = sa.select(table).where(table.c.attempt == attempt)
        with self._db.read() as connection:
            rows = {row.hash: row for row in connection.execute(query)}
        chunks = []
        while head:
            row = rows.get(head)
            if row is None:
                raise NotFoundError(f"samples {head[:12]} are gone: they are kept {PASS_DAYS} days")
            chunks.append(Chunk(attempt=row.attempt, hash=row.hash, prev=row.prev, body=row.body))
            head = row.prev
        return chunks[::-1]


class SqlitePolicies:
    """`PolicyStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, policy: Policy, *, at: float, person: str) -> int:
        """Save a version."""
        with self._db.write(durable=True) as connection:
            newest = _newest_policy(connection, policy.name)
            if newest is not None and newest.policy == policy:
                return newest.version
            version = 1 if newest is None else newest.version + 1
            connection.execute(
                schema.policies.insert().values(
                    name=policy.name, version=version, at=at, person=person, body=pack(policy)
                )
            )
            return version

    def get(self, name: str) -> Policy:
        """The newest version."""
        with self._db.read() as connection:
            newest = _newest_policy(connection, name)
        if newest is None:
            raise NotFoundError(f"no policy {name!r}")
        return newest.policy

    def all(self) -> Sequence[PolicyVersion]:
        """The newest version of each."""
        table = schema.policies
        with self._db.read() as connection:
            names = connection.scalars(sa.select(table.c.name).distinct().order_by(table.c.name))
            found = [_newest_policy(connection, name) for name in names.all()]
        return [version for version in found if version is not None]


def _newest_policy(connection: sa.Connection, name: str) -> PolicyVersion | None:
    row = connection.execute(statements.NEWEST_POLICY, {"name": name}).first()
    if row is None:
        return None
    policy = unpack(Policy, row.body)
    return PolicyVersion(policy=policy, version=row.version, at=row.at, person=row.person)


class SqliteOverrides:
    """`OverrideStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, override: Override) -> None:
        """Keep one."""
        row = schema.overrides.insert().values(attempt=override.attempt, body=pack(override))
        with self._db.write(durable=True) as connection:
            connection.execute(row)

    def of(self, attempt: str) -> Sequence[Override]:
        """Oldest first."""
        with self._db.read() as connection:
            bodies = connection.scalars(statements.OVERRIDES_OF, {"attempt": attempt})
            return [unpack(Override, body) for body in bodies]


class SqliteModes:
    """`ModeStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, change: ModeChange) -> None:
        """Keep one."""
        row = schema.modes.insert().values(tenant=change.tenant, body=pack(change))
        with self._db.write(durable=True) as connection:
            connection.execute(row)

    def of(self, tenant: str) -> Sequence[ModeChange]:
        """Oldest first."""
        with self._db.read() as connection:
            bodies = connection.scalars(statements.MODES_OF, {"tenant": tenant})
            return [unpack(ModeChange, body) for body in bodies]


class SqliteRevisions:
    """`RevisionStore`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def saw(self, revisions: Sequence[Revision], *, apart_s: float) -> None:
        """Lengthen or add."""
        with self._db.write() as connection:
            for seen in revisions:
                _lengthen(connection, seen, apart_s)

    def known(self, like: Revision, *, since: float) -> Sequence[Revision]:
        """Spans that end after `since`."""
        asked = {"scope": _scope(like), "key": like.key, "after": since, "before": like.since}
        with self._db.read() as connection:
            return [
                _revision(row, like) for row in connection.execute(statements.REVISIONS_LIKE, asked)
            ]


def _lengthen(connection: sa.Connection, seen: Revision, apart_s: float) -> None:
    table = schema.revisions
    near = (
        sa.select(table)
        .where(table.c.scope == _scope(seen), table.c.key == seen.key)
        .where(table.c.since - apart_s <= seen.until, table.c.until + apart_s >= seen.since)
        .limit(1)
    )
    row = connection.execute(near).first()
    if row is None:
        connection.execute(
            table.insert().values(
                scope=_scope(seen),
                key=seen.key,
                since=seen.since,
                until=seen.until,
                body=pack(seen),
            )
        )
        return
    connection.execute(
        table.update()
        .where(table.c.number == row.number)
        .values(since=min(row.since, seen.since), until=max(row.until, seen.until))
    )


def _scope(revision: Revision) -> str:
    return repr((revision.tenant, revision.cluster, revision.namespace, revision.service))


def _revision(row: Any, like: Revision) -> Revision:  # noqa: ANN401 - a row
    return replace(like, since=row.since, until=row.until)


class SqliteAudit:
    """`AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def write(self, entry: AuditEntry) -> None:
        """Append."""
        with self._db.write(durable=True) as connection:
            connection.execute(schema.audit.insert().values(at=entry.at, body=pack(entry)))

    def entries(self, *, limit: int, before: float | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        table = schema.audit
        query = sa.select(table.c.body).order_by(table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.at < before)
        with self._db.read() as connection:
            return [unpack(AuditEntry, body) for body in connection.scalars(query)]


class SqliteRetention:
    """`Retention`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def prune(self, now: float) -> Pruned:
        """Delete what is past its time; samples go with their attempt's last question."""
        old, older = now - PASS_DAYS * DAY_S, now - FAIL_DAYS * DAY_S
        verdicts, points, attempts = schema.verdicts, schema.points, schema.attempts
        failed = verdicts.c.outcome == Outcome.FAIL.value
        latched = attempts.c.latched_at.is_not(None)
        past = sa.or_(attempts.c.last_asked < older, sa.and_(attempts.c.last_asked < old, ~latched))
        asked = sa.select(verdicts.c.attempt)
        with self._db.write() as connection:
            gone = connection.execute(
                verdicts.delete().where(
                    sa.or_(
                        verdicts.c.written_at < older,
                        sa.and_(verdicts.c.written_at < old, ~failed),
                    )
                )
            ).rowcount
            chunks = connection.execute(
                points.delete().where(points.c.attempt.in_(sa.select(attempts.c.id).where(past)))
            ).rowcount
            rows = connection.execute(
                attempts.delete().where(past, attempts.c.id.not_in(asked))
            ).rowcount
        return Pruned(verdicts=gone, chunks=chunks, attempts=rows)
