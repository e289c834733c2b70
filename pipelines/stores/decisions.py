"""What people decided, and which revisions served, in a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from detector.errors import NotFoundError
from detector.gate.attempt import Revision
from detector.gate.decision import AuditEntry, ModeChange, Override
from detector.gate.policy import Policy
from detector.gate.record import PolicyVersion
from pipelines.stores import schema, statements
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import Revisions, insertion

__all__ = ["SqlAudit", "SqlModes", "SqlOverrides", "SqlPolicies", "SqlRevisions"]

_ADD_POLICY = insertion(schema.policies)
_ADD_OVERRIDE = insertion(schema.overrides, but="number")
_ADD_MODE = insertion(schema.modes, but="number")
_ADD_ENTRY = insertion(schema.audit, but="number")


class SqlPolicies:
    """`PolicyStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def save(self, policy: Policy, *, at: float, person: str) -> int:
        """Save a version."""
        with self._db.write(durable=True) as transaction:
            transaction.alone(f"policy {policy.name}")
            newest = _newest_policy(transaction, policy.name)
            if newest is not None and newest.policy == policy:
                return newest.version
            version = 1 if newest is None else newest.version + 1
            row = {"name": policy.name, "version": version, "at": at, "person": person}
            transaction.run(_ADD_POLICY, {**row, "body": pack(policy)})
            return version

    def get(self, name: str) -> Policy:
        """The newest version."""
        with self._db.read() as looks:
            newest = _newest_policy(looks, name)
        if newest is None:
            raise NotFoundError(f"no policy {name!r}")
        return newest.policy

    def all(self) -> Sequence[PolicyVersion]:
        """The newest version of each."""
        with self._db.read() as looks:
            names = [row[0] for row in looks.rows(statements.POLICY_NAMES, {})]
            found = [_newest_policy(looks, name) for name in names]
        return [version for version in found if version is not None]


def _newest_policy(looks: Transaction, name: str) -> PolicyVersion | None:
    row = looks.first(statements.NEWEST_POLICY, {"name": name})
    if row is None:
        return None
    body, version, at, person = row
    return PolicyVersion(policy=unpack(Policy, body), version=version, at=at, person=person)


class SqlOverrides:
    """`OverrideStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def add(self, override: Override) -> None:
        """Keep one."""
        with self._db.write(durable=True) as transaction:
            row = {"attempt": override.attempt, "body": pack(override)}
            transaction.run(_ADD_OVERRIDE, row)

    def of(self, attempt: str) -> Sequence[Override]:
        """Oldest first."""
        with self._db.read() as looks:
            rows = looks.rows(statements.OVERRIDES_OF, {"attempt": attempt})
        return [unpack(Override, row[0]) for row in rows]


class SqlModes:
    """`ModeStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def add(self, change: ModeChange) -> None:
        """Keep one."""
        with self._db.write(durable=True) as transaction:
            transaction.run(_ADD_MODE, {"tenant": change.tenant, "body": pack(change)})

    def of(self, tenant: str) -> Sequence[ModeChange]:
        """Oldest first."""
        with self._db.read() as looks:
            rows = looks.rows(statements.MODES_OF, {"tenant": tenant})
        return [unpack(ModeChange, row[0]) for row in rows]


class SqlRevisions:
    """`RevisionStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def saw(self, revisions: Sequence[Revision], *, apart_s: float) -> None:
        """Lengthen or add."""
        with self._db.write() as transaction:
            for scope in sorted({_scope(seen) for seen in revisions}):
                transaction.alone(f"revisions {scope}")
            for seen in revisions:
                _lengthen(transaction, seen, apart_s)

    def known(self, like: Revision, *, since: float) -> Sequence[Revision]:
        """Spans that end after `since`."""
        asked = {"scope": _scope(like), "key": like.key, "after": since, "before": like.since}
        with self._db.read() as looks:
            rows = looks.rows(Revisions.LIKE, asked)
        return [replace(like, since=begin, until=end) for begin, end in rows]


def _lengthen(transaction: Transaction, seen: Revision, apart_s: float) -> None:
    near = {
        "scope": _scope(seen),
        "key": seen.key,
        "begin": seen.until + apart_s,
        "end": seen.since - apart_s,
    }
    row = transaction.first(Revisions.NEAR, near)
    if row is None:
        new = {"scope": _scope(seen), "key": seen.key, "since": seen.since, "until": seen.until}
        transaction.run(Revisions.ADD, {**new, "body": pack(seen)})
        return
    number, since, until = row
    span = {"since": min(since, seen.since), "until": max(until, seen.until)}
    transaction.run(Revisions.LENGTHEN, {**span, "of": number})


def _scope(revision: Revision) -> str:
    return repr((revision.tenant, revision.cluster, revision.namespace, revision.service))


class SqlAudit:
    """`AuditLog`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def write(self, entry: AuditEntry) -> None:
        """Append."""
        with self._db.write(durable=True) as transaction:
            transaction.run(_ADD_ENTRY, {"at": entry.at, "body": pack(entry)})

    def entries(self, *, limit: int, before: float | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        table = schema.audit
        query = sa.select(table.c.body).order_by(table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.at < before)
        with self._db.built() as connection:
            return [unpack(AuditEntry, body) for body in connection.scalars(query)]
