"""Anomalies in a database: told again they are kept once, and an older word does not win."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from detector.errors import NotFoundError
from detector.stream.anomaly import Anomaly, AnomalyState
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Tuning
from detector.stream.record import AnomalyFilter, AnomalyPage, KeptAnomaly, KeptFeedback
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Row, Transaction
from pipelines.stores.cursors import cursor_at, read_cursor
from pipelines.stores.statements import Statement, compiled, either, inserted, insertion

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

__all__ = ["SqlAnomalies", "add_anomaly", "add_tuning", "cursor_after", "plain_name", "upsert"]

_kept = schema.anomalies.c
_row = (_kept.id, _kept.start, _kept.body)


def _latest(made: sqlite.Insert | postgresql.Insert, key: Sequence[str]) -> sa.ClauseElement:
    """Insert, or replace what was told earlier."""
    rows = made.values({c.name: sa.bindparam(c.name) for c in made.table.c})
    changed = {c.name: rows.excluded[c.name] for c in made.table.c if c.name not in key}
    where = None
    if "told_at" in made.table.c:
        where = made.table.c["told_at"] <= rows.excluded["told_at"]
    return rows.on_conflict_do_update(index_elements=list(key), set_=changed, where=where)


def upsert(table: sa.Table, *key: str) -> Statement:
    """Insert a row, or replace that of its key; where `told_at` is kept, not by an older one."""
    return either(_latest(sqlite.insert(table), key), lambda: _latest(inserted(table), key))


_PUT = upsert(schema.anomalies, "id")
_TUNE = upsert(schema.stream_tunings, "part", "tenant", "series")
_ADD_FEEDBACK = insertion(schema.feedback, but="number")
_OF_ID = compiled(
    sa.select(*_row).where(_kept.id == sa.bindparam("id"), _kept.tenant == sa.bindparam("tenant"))
)
_FEEDBACK_OF = compiled(
    sa.select(schema.feedback.c.body)
    .where(schema.feedback.c.anomaly == sa.bindparam("anomaly"))
    .order_by(schema.feedback.c.number)
)
_TUNING_OF = compiled(
    sa.select(schema.stream_tunings.c.body).where(
        schema.stream_tunings.c.part == sa.bindparam("part"),
        schema.stream_tunings.c.tenant == sa.bindparam("tenant"),
        schema.stream_tunings.c.series == sa.bindparam("series"),
    )
)


class SqlAnomalies:
    """`AnomalyStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def get(self, tenant: str, id: str) -> KeptAnomaly:
        """By id; `NotFoundError`."""
        with self._db.read() as looks:
            row = looks.first(_OF_ID, {"id": id, "tenant": tenant})
            if row is None:
                raise NotFoundError(f"there is no anomaly {id!r}")
            return _whole(looks, row)

    def list(self, wanted: AnomalyFilter) -> AnomalyPage:
        """Newest first, one page."""
        query = sa.select(*_row).where(*_conditions(wanted))
        query = query.order_by(_kept.start.desc(), _kept.id.desc()).limit(wanted.limit + 1)
        with self._db.built() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        page, more = rows[: wanted.limit], len(rows) > wanted.limit
        with self._db.read() as looks:
            found = tuple(_whole(looks, row) for row in page)
        return AnomalyPage(anomalies=found, next=cursor_after(found[-1].anomaly) if more else None)

    def say(self, anomaly: str, feedback: KeptFeedback) -> None:
        """Keep what a person said, durably."""
        with self._db.write(durable=True) as transaction:
            transaction.run(_ADD_FEEDBACK, {"anomaly": anomaly, "body": pack(feedback)})


def add_anomaly(
    transaction: Transaction, part: str, at: int, anomaly: Anomaly, series: dict[int, SeriesInfo]
) -> None:
    """Keep an anomaly as it was told at a time."""
    row = {
        "id": anomaly.id,
        "tenant": anomaly.tenant,
        "service": plain_name(anomaly.subject.service),
        "metric": plain_name(anomaly.subject.metric),
        "severity": anomaly.severity.rank,
        "state": anomaly.state.value,
        "start": anomaly.start,
        "end": anomaly.end,
        "told_at": at,
        "body": pack((part, anomaly, series)),
    }
    transaction.run(_PUT, row)


def add_tuning(transaction: Transaction, part: str, tenant: str, tuning: Tuning) -> None:
    """Keep what feedback made of a series."""
    row = {"part": part, "tenant": tenant, "series": tuning.series, "body": pack(tuning)}
    transaction.run(_TUNE, row)


def _whole(looks: Transaction, row: Row) -> KeptAnomaly:
    part, anomaly, series = unpack(tuple[str, Anomaly, dict[int, SeriesInfo]], row[2])
    said = looks.rows(_FEEDBACK_OF, {"anomaly": anomaly.id})
    tunings: dict[int, Tuning] = {}
    for one in anomaly.contributions if said else ():
        asked = {"part": part, "tenant": anomaly.tenant, "series": one.series}
        found = looks.first(_TUNING_OF, asked)
        if found is not None:
            tunings[one.series] = unpack(Tuning, found[0])
    feedback = tuple(unpack(KeptFeedback, body) for (body,) in said)
    return KeptAnomaly(
        anomaly=anomaly, series=series, feedback=feedback, tunings=tunings, part=part
    )


def _conditions(wanted: AnomalyFilter) -> list[sa.ColumnElement[bool]]:
    found = [_kept.tenant == wanted.tenant, _kept.severity >= wanted.severity.rank]
    if wanted.service is not None:
        found.append(_kept.service == plain_name(wanted.service))
    if wanted.metric is not None:
        found.append(_kept.metric == plain_name(wanted.metric))
    if wanted.is_open is not None:
        state = AnomalyState.OPEN if wanted.is_open else AnomalyState.CLOSED
        found.append(_kept.state == state.value)
    if wanted.since is not None:
        found.append(sa.or_(_kept.end.is_(None), _kept.end >= wanted.since))
    if wanted.until is not None:
        found.append(_kept.start < wanted.until)
    if wanted.after is not None:
        start, id = read_cursor(wanted.after)
        before = sa.and_(_kept.start == start, _kept.id < id)
        found.append(sa.or_(_kept.start < start, before))
    return found


def plain_name(name: str) -> str:
    """A name to search for: a label may have a character that PostgreSQL's texts cannot."""
    return name.replace("\0", "\ufffd")


def cursor_after(last: Anomaly) -> str:
    """The `next` of a page that ends with an anomaly."""
    return cursor_at(last.start, last.id)
