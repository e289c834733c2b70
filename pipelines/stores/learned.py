"""What was learned of kinds of changes and applied, in a database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detector.changes.learned import Learned
from detector.errors import InputError
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = ["SqlLearned"]

_ADD = insertion(schema.learned)
_OF = compiled(
    sa.select(schema.learned.c.body)
    .where(schema.learned.c.tenant == sa.bindparam("tenant"))
    .order_by(schema.learned.c.version)
)


class SqlLearned:
    """`LearnedStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def of(self, tenant: str) -> Sequence[Learned]:
        """Every version, the oldest first."""
        with self._db.read() as looks:
            return _all(looks, tenant)

    def add(self, tenant: str, learned: Learned) -> None:
        """Keep one durably, as the next."""
        with self._db.write(durable=True) as transaction:
            transaction.alone(f"learned {tenant}")
            if learned.version != len(_all(transaction, tenant)) + 1:
                raise InputError(
                    "somebody applied something else meanwhile: look at it anew", field="version"
                )
            row = {"tenant": tenant, "version": learned.version, "body": pack(learned)}
            transaction.run(_ADD, row)


def _all(looks: Transaction, tenant: str) -> list[Learned]:
    return [unpack(Learned, body) for (body,) in looks.rows(_OF, {"tenant": tenant})]
