"""The statements of the stores, compiled once: building one costs more than running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from pipelines.stores import schema

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

__all__ = [
    "AA_NEWEST",
    "MODES_OF",
    "NEWEST_POLICY",
    "OVERRIDES_OF",
    "POLICY_NAMES",
    "Attempts",
    "Points",
    "Revisions",
    "Statement",
    "Verdicts",
    "compiled",
    "either",
    "inserted",
    "insertion",
]


@dataclass(slots=True, eq=False)
class Statement:
    """SQL as SQLite's driver takes it, and the values that are the same at every run.

    `other` makes the same for PostgreSQL when it is first asked for.
    """

    text: str
    fixed: Mapping[str, object]
    other: Callable[[], str] | None = None
    _postgres: str = ""

    @property
    def postgres(self) -> str:
        """The SQL as psycopg takes it."""
        if not self._postgres:
            self._postgres = self.text if self.other is None else self.other()
        return self._postgres

    def with_fixed(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """The values of one run, complete."""
        return {**self.fixed, **values} if self.fixed else values


def compiled(clause: sa.ClauseElement) -> Statement:
    """A clause of SQLAlchemy with its named parameters."""
    return either(clause, lambda: clause)


def either(clause: sa.ClauseElement, other: Callable[[], sa.ClauseElement]) -> Statement:
    """A clause for SQLite, and how it is built for PostgreSQL."""
    found = clause.compile(dialect=sqlite.dialect(paramstyle="named"))
    fixed = {name: value for name, value in found.params.items() if value is not None}
    return Statement(str(found), fixed, lambda: _for_postgres(other()))


def _for_postgres(clause: sa.ClauseElement) -> str:
    # Imported late: who keeps a file does not pay for it.
    from sqlalchemy.dialects.postgresql import psycopg

    return str(clause.compile(dialect=psycopg.dialect()))  # type: ignore[no-untyped-call]


def insertion(table: sa.Table, *, keep_old: bool = False, but: str = "") -> Statement:
    """Insert a row whose columns are parameters of their names, all `but` one; or keep the old."""
    values = _parameters(table, but)
    if not keep_old:
        return compiled(table.insert().values(values))
    return either(
        sqlite.insert(table).values(values).on_conflict_do_nothing(),
        lambda: inserted(table).values(values).on_conflict_do_nothing(),
    )


def inserted(table: sa.Table) -> postgresql.Insert:
    """PostgreSQL's insertion into a table."""
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _parameters(table: sa.Table, but: str = "") -> dict[str, sa.BindParameter[Any]]:
    return {c.name: sa.bindparam(c.name) for c in table.c if c.name != but}


def _upsert(table: sa.Table, **computed: sa.ColumnElement[str]) -> Statement:
    """Insert or replace by id; a column is a parameter of its own name, or computed."""

    def rows(made: sqlite.Insert | postgresql.Insert) -> sa.ClauseElement:
        rows = made.values({**_parameters(table), **computed})
        changed = {c.name: rows.excluded[c.name] for c in table.c if c.name != "id"}
        return rows.on_conflict_do_update(index_elements=["id"], set_=changed)

    return either(rows(sqlite.insert(table)), lambda: rows(inserted(table)))


class Attempts:
    """Attempts and their plans."""

    MOVED = (
        "last_asked", "started_at", "interval_s", "latched_at", "evaluated_to", "head", "body",
        "version",
    )  # fmt: skip

    _row = (schema.attempts.c.id, schema.attempts.c.version, schema.attempts.c.body)
    ADD = insertion(schema.attempts, keep_old=True)
    MOVE = compiled(
        schema.attempts.update()
        .where(
            schema.attempts.c.id == sa.bindparam("of"),
            schema.attempts.c.version == sa.bindparam("was"),
        )
        .values({name: sa.bindparam(name) for name in MOVED})
    )
    OF_ID = compiled(sa.select(*_row).where(schema.attempts.c.id == sa.bindparam("id")))
    NEWEST = compiled(
        sa.select(*_row)
        .where(
            schema.attempts.c.identity == sa.bindparam("identity"),
            schema.attempts.c.asked_at <= sa.bindparam("until"),
        )
        .order_by(schema.attempts.c.asked_at.desc(), schema.attempts.c.id.desc())
        .limit(1)
    )
    ADD_PLAN = insertion(schema.plans, keep_old=True)
    HAS_PLAN = compiled(
        sa.select(schema.plans.c.attempt).where(schema.plans.c.attempt == sa.bindparam("id"))
    )
    PLAN_OF = compiled(
        sa.select(schema.plans.c.body).where(schema.plans.c.attempt == sa.bindparam("id"))
    )


class Verdicts:
    """Verdicts; whose tenant it is, their attempt says."""

    _TENANT = sa.select(schema.attempts.c.tenant).where(
        schema.attempts.c.id == sa.bindparam("attempt", type_=sa.Text)
    )
    SAVE = _upsert(schema.verdicts, tenant=sa.func.coalesce(_TENANT.scalar_subquery(), ""))
    OF_ID = compiled(
        sa.select(schema.verdicts.c.body).where(schema.verdicts.c.id == sa.bindparam("id"))
    )


class Points:
    """Chunks of samples."""

    _row = (
        schema.points.c.hash,
        schema.points.c.attempt,
        schema.points.c.prev,
        schema.points.c.body,
    )
    ADD = insertion(schema.points, keep_old=True)
    OF_HASH = compiled(sa.select(*_row).where(schema.points.c.hash == sa.bindparam("head")))
    OF_ATTEMPT = compiled(
        sa.select(*_row).where(
            schema.points.c.attempt
            == sa.select(schema.points.c.attempt)
            .where(schema.points.c.hash == sa.bindparam("head"))
            .scalar_subquery()
        )
    )


NEWEST_POLICY = compiled(
    sa.select(
        schema.policies.c.body,
        schema.policies.c.version,
        schema.policies.c.at,
        schema.policies.c.person,
    )
    .where(schema.policies.c.name == sa.bindparam("name"))
    .order_by(schema.policies.c.version.desc())
    .limit(1)
)
POLICY_NAMES = compiled(
    sa.select(schema.policies.c.name).distinct().order_by(schema.policies.c.name)
)
OVERRIDES_OF = compiled(
    sa.select(schema.overrides.c.body)
    .where(schema.overrides.c.attempt == sa.bindparam("attempt"))
    .order_by(schema.overrides.c.number)
)
MODES_OF = compiled(
    sa.select(schema.modes.c.body)
    .where(schema.modes.c.tenant == sa.bindparam("tenant"))
    .order_by(schema.modes.c.number)
)
AA_NEWEST = compiled(
    sa.select(schema.aa.c.body)
    .where(schema.aa.c.scope == sa.bindparam("scope"), schema.aa.c.at <= sa.bindparam("until"))
    .order_by(schema.aa.c.at.desc(), schema.aa.c.number.desc())
    .limit(1)
)


class Revisions:
    """Spans of time in which a revision served."""

    _near = schema.revisions.c
    ADD = insertion(schema.revisions, but="number")
    NEAR = compiled(
        sa.select(_near.number, _near.since, _near.until)
        .where(_near.scope == sa.bindparam("scope"), _near.key == sa.bindparam("key"))
        .where(_near.since <= sa.bindparam("begin"), _near.until >= sa.bindparam("end"))
        .limit(1)
    )
    LENGTHEN = compiled(
        schema.revisions.update()
        .where(_near.number == sa.bindparam("of"))
        .values(since=sa.bindparam("since"), until=sa.bindparam("until"))
    )
    LIKE = compiled(
        sa.select(_near.since, _near.until)
        .where(
            _near.scope == sa.bindparam("scope"),
            _near.key == sa.bindparam("key"),
            _near.until > sa.bindparam("after"),
            _near.since < sa.bindparam("before"),
        )
        .order_by(_near.since)
    )
