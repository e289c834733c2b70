"""Changes in a database: an event told again changes nothing, whoever takes it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detector.changes.change import Change, ChangeEvent, change_id, with_event
from detector.changes.record import ChangeFilter, ChangePage, last_word
from detector.errors import NotFoundError
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.cursors import cursor_at, read_cursor
from pipelines.stores.statements import compiled

__all__ = ["SqlChanges"]

_kept = schema.changes.c
_PUT = upsert(schema.changes, "tenant", "id")
_OF_ID = compiled(
    sa.select(_kept.body).where(
        _kept.tenant == sa.bindparam("tenant"), _kept.id == sa.bindparam("id")
    )
)


class SqlChanges:
    """`ChangeLog`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def add(self, tenant: str, events: Sequence[ChangeEvent]) -> tuple[Change, ...]:
        """In one transaction; those who tell of one tenant at the same time wait for each other."""
        changed: dict[str, Change] = {}
        with self._db.write(durable=True) as transaction:
            transaction.alone(f"changes {tenant}")
            for event in events:
                change = _told(transaction, tenant, event)
                if change is not None:
                    changed[change.id] = change
        return tuple(changed.values())

    def get(self, tenant: str, id: str) -> Change:
        """By id; `NotFoundError`."""
        with self._db.read() as looks:
            row = looks.first(_OF_ID, {"tenant": tenant, "id": id})
        if row is None:
            raise NotFoundError(f"there is no change {id!r}")
        return unpack(Change, row[0])

    def list(self, wanted: ChangeFilter) -> ChangePage:
        """Newest start first, one page."""
        query = sa.select(_kept.body).where(*_conditions(wanted))
        query = query.order_by(_kept.started_at.desc(), _kept.id.desc()).limit(wanted.limit + 1)
        with self._db.built() as connection:
            rows = [body for (body,) in connection.execute(query)]
        page = tuple(unpack(Change, body) for body in rows[: wanted.limit])
        is_more = len(rows) > wanted.limit
        return ChangePage(
            changes=page, next=cursor_at(page[-1].started_at, page[-1].id) if is_more else None
        )


def _told(transaction: Transaction, tenant: str, event: ChangeEvent) -> Change | None:
    id = change_id(event.source, event.subject)
    row = transaction.first(_OF_ID, {"tenant": tenant, "id": id})
    change = with_event(None if row is None else unpack(Change, row[0]), event)
    if change is not None:
        transaction.run(_PUT, _row(tenant, change))
    return change


def _row(tenant: str, change: Change) -> dict[str, object]:
    return {
        "tenant": tenant,
        "id": change.id,
        "service": change.place.service,
        "kind": change.kind.value,
        "started_at": change.started_at,
        "last_at": last_word(change),
        "body": pack(change),
    }


def _conditions(wanted: ChangeFilter) -> list[sa.ColumnElement[bool]]:
    found = [_kept.tenant == wanted.tenant]
    if wanted.service is not None:
        places = (wanted.service, "") if wanted.or_anywhere else (wanted.service,)
        found.append(_kept.service.in_(places))
    if wanted.kind is not None:
        found.append(_kept.kind == wanted.kind.value)
    if wanted.since is not None:
        found.append(_kept.last_at >= wanted.since)
    if wanted.until is not None:
        found.append(_kept.started_at < wanted.until)
    if wanted.after is not None:
        started, id = read_cursor(wanted.after)
        same = sa.and_(_kept.started_at == started, _kept.id < id)
        found.append(sa.or_(_kept.started_at < started, same))
    return found
