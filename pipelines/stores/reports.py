"""Reports that are kept, in a database: what lists show beside the content, which is packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import zstandard

from detector.errors import NotFoundError, StoreError
from detector.reports.kept import BACKGROUND, MOST_BYTES, KeptReport, ReportFilter, ReportPage
from pipelines.stores import schema
from pipelines.stores.codec import inflated
from pipelines.stores.connections import Connections
from pipelines.stores.cursors import cursor_at, read_cursor
from pipelines.stores.statements import compiled, insertion

__all__ = ["SqlReports"]

_kept = schema.reports.c
_ABOUT = (
    _kept.id,
    _kept.tenant,
    _kept.name,
    _kept.at,
    _kept.horizon_s,
    _kept.scope,
    _kept.title,
)
_ADD = insertion(schema.reports, keep_old=True)
_GET = compiled(
    sa.select(*_ABOUT, _kept.body).where(
        _kept.tenant == sa.bindparam("tenant"), _kept.id == sa.bindparam("id")
    )
)


class SqlReports:
    """`ReportStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def add(self, report: KeptReport) -> bool:
        """Keep one durably; what was kept before stays."""
        row = {column.name: getattr(report, column.name) for column in _ABOUT}
        row["body"] = zstandard.ZstdCompressor().compress(report.body)
        with self._db.write(durable=True) as transaction:
            return transaction.run(_ADD, row) == 1

    def get(self, tenant: str, id: str) -> KeptReport:
        """By id; `NotFoundError`."""
        with self._db.read() as looks:
            row = looks.first(_GET, {"tenant": tenant, "id": id})
        if row is None:
            raise NotFoundError(f"there is no report {id!r}")
        return _read(row[:-1], _unpacked(id, row[-1]))

    def list(self, wanted: ReportFilter) -> ReportPage:
        """Newest first, one page."""
        query = sa.select(*_ABOUT).where(*_conditions(wanted))
        query = query.order_by(_kept.at.desc(), _kept.id.desc()).limit(wanted.limit + 1)
        with self._db.built() as connection:
            rows = [_read(tuple(row)) for row in connection.execute(query)]
        page, is_more = tuple(rows[: wanted.limit]), len(rows) > wanted.limit
        return ReportPage(
            reports=page, next=cursor_at(page[-1].at, page[-1].id) if is_more else None
        )


def _read(about: Sequence[Any], body: bytes = b"") -> KeptReport:
    values = dict(zip((column.name for column in _ABOUT), about, strict=True))
    return KeptReport(**values, body=body)


def _unpacked(id: str, blob: bytes) -> bytes:
    try:
        return inflated(blob, most=MOST_BYTES)
    except ValueError as error:
        raise StoreError(f"the report {id!r} cannot be read: {error}") from error


def _conditions(wanted: ReportFilter) -> list[sa.ColumnElement[bool]]:
    found = [_kept.tenant == wanted.tenant]
    if wanted.name is not None:
        found.append(_kept.name == wanted.name)
    if wanted.for_people:
        found.append(_kept.name != BACKGROUND)
    if wanted.scope is not None:
        found.append(_kept.scope == wanted.scope)
    if wanted.after is not None:
        at, id = read_cursor(wanted.after)
        found.append(sa.or_(_kept.at < at, sa.and_(_kept.at == at, _kept.id < id)))
    return found
