"""Which versions of services were seen, in a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from detector.changes.change import Place
from detector.changes.inferred import Known
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections
from pipelines.stores.statements import compiled

__all__ = ["SqlVersions"]

_kept = schema.versions.c
_PUT = upsert(schema.versions, "tenant", "place")
_OF = compiled(
    sa.select(_kept.body)
    .where(_kept.tenant == sa.bindparam("tenant"))
    .order_by(_kept.at, _kept.place)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    place: Place
    known: Known


class SqlVersions:
    """`VersionStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def of(self, tenant: str) -> Mapping[Place, Known]:
        """All services, who was looked at longest ago first."""
        with self._db.read() as looks:
            rows = looks.rows(_OF, {"tenant": tenant})
        held = [unpack(_Row, body) for (body,) in rows]
        return {one.place: one.known for one in held}

    def keep(self, tenant: str, known: Mapping[Place, Known]) -> None:
        """Keep some, in one transaction."""
        with self._db.write() as transaction:
            for place, one in known.items():
                row = {"tenant": tenant, "place": _key(place), "at": one.at}
                transaction.run(_PUT, {**row, "body": pack(_Row(place=place, known=one))})


def _key(place: Place) -> str:
    return repr((place.cluster, place.namespace, place.service, place.environment))
