"""What security scanners found, in a database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detector.scans.ports import ScanFilter
from detector.scans.scan import Scan
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections
from pipelines.stores.statements import insertion

__all__ = ["SqlScans"]

_kept = schema.scans.c
_ADD = insertion(schema.scans, keep_old=True)


class SqlScans:
    """`ScanStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def add(self, tenant: str, scan: Scan) -> bool:
        """Keep one durably; what was kept before stays."""
        row = {
            "tenant": tenant,
            "id": scan.id,
            "service": scan.service,
            "revision": scan.revision,
            "at": scan.at,
            "body": pack(scan),
        }
        with self._db.write(durable=True) as transaction:
            return transaction.run(_ADD, row) == 1

    def list(self, wanted: ScanFilter) -> Sequence[Scan]:
        """Newest first."""
        query = sa.select(_kept.body).where(*_conditions(wanted))
        query = query.order_by(_kept.at.desc(), _kept.id.desc()).limit(wanted.limit)
        with self._db.built() as connection:
            return tuple(unpack(Scan, body) for (body,) in connection.execute(query))


def _conditions(wanted: ScanFilter) -> list[sa.ColumnElement[bool]]:
    found = [_kept.tenant == wanted.tenant]
    if wanted.service is not None:
        found.append(_kept.service == wanted.service)
    if wanted.revision is not None:
        found.append(_kept.revision == wanted.revision)
    if wanted.until is not None:
        found.append(_kept.at <= wanted.until)
    if wanted.after is not None:
        at, id = wanted.after
        found.append(sa.or_(_kept.at < at, sa.and_(_kept.at == at, _kept.id < id)))
    return found
