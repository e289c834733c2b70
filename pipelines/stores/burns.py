"""What was told of burns of error budgets, in the database of incidents."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detector.incidents.ports import BurnStep
from detector.slo.following import Following
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.incidents import add_received
from pipelines.stores.statements import compiled

__all__ = ["SqlBurns"]

_kept = schema.burns.c
_PUT = upsert(schema.burns, "tenant", "service", "name")
_OF = compiled(
    sa.select(_kept.service, _kept.name, _kept.body).where(
        _kept.tenant == sa.bindparam("tenant", type_=sa.String)
    )
)


class SqlBurns:
    """`BurnStore`: states and what follows of them are kept in one transaction."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def of(self, tenant: str) -> dict[tuple[str, str], Following]:
        """By service and name."""
        with self._db.read() as looks:
            return _all(looks, tenant)

    def keep(self, tenant: str, steps: Sequence[BurnStep]) -> None:
        """Those that nobody else has kept as far already, durably."""
        with self._db.write(durable=True) as transaction:
            transaction.alone(f"burns {tenant}")
            known = _all(transaction, tenant)
            fresh = [one for one in steps if _is_ahead(one, known.get((one.service, one.name)))]
            for one in fresh:
                row = {"tenant": tenant, "service": one.service, "name": one.name}
                transaction.run(_PUT, {**row, "body": pack(one.following)})
            symptoms = [symptom for one in fresh for symptom in one.symptoms]
            if symptoms:
                add_received(transaction, tenant, symptoms)


def _is_ahead(step: BurnStep, known: Following | None) -> bool:
    return known is None or step.following.at > known.at


def _all(looks: Transaction, tenant: str) -> dict[tuple[str, str], Following]:
    rows = looks.rows(_OF, {"tenant": tenant})
    return {(str(service), str(name)): unpack(Following, body) for service, name, body in rows}
