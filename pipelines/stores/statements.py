"""The statements that every poll runs: building one costs more than running it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from pipelines.stores import schema

__all__ = [
    "ATTEMPT_OF_ID",
    "MODES_OF",
    "NEWEST_ATTEMPT",
    "NEWEST_POLICY",
    "OVERRIDES_OF",
    "REVISIONS_LIKE",
    "SAVE_ATTEMPT",
    "SAVE_CHUNK",
    "SAVE_PLAN",
    "SAVE_VERDICT",
]


def _upsert(table: sa.Table, **computed: sa.ColumnElement[str]) -> Insert:
    """Insert or replace by id; a column is a parameter of its own name, or computed."""
    rows = insert(table).values({**{c.name: sa.bindparam(c.name) for c in table.c}, **computed})
    changed = {c.name: rows.excluded[c.name] for c in table.c if c.name != "id"}
    return rows.on_conflict_do_update(index_elements=["id"], set_=changed)


def _first_attempt(*wanted: sa.ColumnElement[bool]) -> sa.Select[Any]:
    table, plans = schema.attempts, schema.plans
    return (
        sa.select(table.c.body, plans.c.body)
        .select_from(table.outerjoin(plans, plans.c.attempt == table.c.id))
        .where(*wanted)
        .order_by(table.c.asked_at.desc(), table.c.id.desc())
        .limit(1)
    )


SAVE_ATTEMPT = _upsert(schema.attempts)
SAVE_PLAN = insert(schema.plans).on_conflict_do_nothing()
ATTEMPT_OF_ID = _first_attempt(schema.attempts.c.id == sa.bindparam("id"))
NEWEST_ATTEMPT = _first_attempt(
    schema.attempts.c.identity == sa.bindparam("identity"),
    schema.attempts.c.asked_at <= sa.bindparam("until"),
)
_TENANT = sa.select(schema.attempts.c.tenant).where(
    schema.attempts.c.id == sa.bindparam("attempt", type_=sa.Text)
)
SAVE_VERDICT = _upsert(schema.verdicts, tenant=sa.func.coalesce(_TENANT.scalar_subquery(), ""))
SAVE_CHUNK = insert(schema.points).on_conflict_do_nothing()
NEWEST_POLICY = (
    sa.select(schema.policies)
    .where(schema.policies.c.name == sa.bindparam("name"))
    .order_by(schema.policies.c.version.desc())
    .limit(1)
)
OVERRIDES_OF = (
    sa.select(schema.overrides.c.body)
    .where(schema.overrides.c.attempt == sa.bindparam("attempt"))
    .order_by(schema.overrides.c.number)
)
MODES_OF = (
    sa.select(schema.modes.c.body)
    .where(schema.modes.c.tenant == sa.bindparam("tenant"))
    .order_by(schema.modes.c.number)
)
REVISIONS_LIKE = (
    sa.select(schema.revisions)
    .where(
        schema.revisions.c.scope == sa.bindparam("scope"),
        schema.revisions.c.key == sa.bindparam("key"),
        schema.revisions.c.until > sa.bindparam("after"),
        schema.revisions.c.since < sa.bindparam("before"),
    )
    .order_by(schema.revisions.c.since)
)
