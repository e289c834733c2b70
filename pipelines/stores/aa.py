"""Self-checks of services in the embedded store."""

from __future__ import annotations

from detector.gate.aa import AaResult, Scope
from pipelines.stores import schema, statements
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections
from pipelines.stores.statements import insertion

__all__ = ["SqlAa"]

_ADD = insertion(schema.aa, but="number")


class SqlAa:
    """`AaStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def save(self, result: AaResult) -> None:
        """Keep one."""
        row = {"scope": _key(result.scope), "at": result.at, "body": pack(result)}
        with self._db.write(durable=True) as transaction:
            transaction.run(_ADD, row)

    def newest(self, scope: Scope, *, until: float) -> AaResult | None:
        """The last one by then."""
        with self._db.read() as looks:
            row = looks.first(statements.AA_NEWEST, {"scope": _key(scope), "until": until})
        return None if row is None else unpack(AaResult, row[0])


def _key(scope: Scope) -> str:
    return repr((scope.tenant, scope.cluster, scope.namespace, scope.service))
