"""Fitted models in a database: a row a version, older ones that are of no use any more gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from detector.errors import ConflictError
from detector.fitted.model import FittedModel
from detector.gate.aa import Scope
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections
from pipelines.stores.statements import compiled, insertion

__all__ = ["KEPT", "SqlFitted"]

# Versions of a service that are kept beside the one in use.
KEPT = 10

_row = schema.fitted.c
_of = _row.scope == sa.bindparam("scope")
_ADD = insertion(schema.fitted, keep_old=True)
_LAST = compiled(sa.select(sa.func.max(_row.version)).where(_of))
_CURRENT = compiled(
    sa.select(_row.version, _row.body)
    .where(_of, _row.promoted == 1, _row.at <= sa.bindparam("until"))
    .order_by(_row.version.desc())
    .limit(1)
)
_IN_USE = compiled(
    sa.select(_row.scope, sa.func.max(_row.version)).where(_row.promoted == 1).group_by(_row.scope)
)
_ONE = compiled(sa.select(_row.body).where(_of, _row.version == sa.bindparam("version")))
_NEWEST = compiled(
    sa.select(_row.version, _row.body)
    .where(_of)
    .order_by(_row.version.desc())
    .limit(sa.bindparam("most"))
)
_FORGET = compiled(
    sa.delete(schema.fitted).where(
        _of, _row.version <= sa.bindparam("oldest"), _row.version != sa.bindparam("current")
    )
)


class SqlFitted:
    """`FittedStore`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def save(self, model: FittedModel) -> FittedModel:
        """Keep it under the next version."""
        scope, promoted = _key(model.scope), model.promotion.is_promoted
        with self._db.write(durable=True) as transaction:
            last = transaction.first(_LAST, {"scope": scope})
            version = 1 + (0 if last is None or last[0] is None else int(last[0]))
            kept = replace(model, version=version)
            values = {
                "scope": scope,
                "version": version,
                "at": model.at,
                "promoted": int(promoted),
                "body": pack(kept),
            }
            if transaction.run(_ADD, values) != 1:
                raise ConflictError(f"another model of {model.scope.service} was kept just now")
            found = transaction.first(_CURRENT, {"scope": scope, "until": float("inf")})
            current = 0 if found is None else int(found[0])
            oldest = {"scope": scope, "oldest": version - KEPT, "current": current}
            transaction.run(_FORGET, oldest)
        return kept

    def current(self, scope: Scope, *, until: float) -> FittedModel | None:
        """The newest that was promoted by then."""
        with self._db.read() as looks:
            row = looks.first(_CURRENT, {"scope": _key(scope), "until": until})
        return None if row is None else unpack(FittedModel, row[1])

    def in_use(self, known: Mapping[Scope, int]) -> Iterator[FittedModel]:
        """Those of all services that are used and are not known."""
        held = {_key(scope): version for scope, version in known.items()}
        with self._db.read() as looks:
            rows = looks.rows(_IN_USE, {})
        for scope, version in rows:
            if held.get(scope) == version:
                continue
            with self._db.read() as looks:
                row = looks.first(_ONE, {"scope": scope, "version": version})
            if row is not None:
                yield unpack(FittedModel, row[0])

    def versions(self, scope: Scope, *, limit: int) -> Sequence[FittedModel]:
        """Newest first."""
        with self._db.read() as looks:
            rows = looks.rows(_NEWEST, {"scope": _key(scope), "most": limit})
        return tuple(unpack(FittedModel, row[1]) for row in rows)


def _key(scope: Scope) -> str:
    return repr((scope.tenant, scope.cluster, scope.namespace, scope.service))
