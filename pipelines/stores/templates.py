"""Templates of log lines in a database: what they are, and how many lines of them there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from detector.errors import NotFoundError
from detector.logs.counted import Template
from detector.logs.kept import Found, KeptTemplate, ServiceLines, TemplateFilter, TemplatePage
from detector.logs.plain import LINE_END
from pipelines.stores import schema
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import Statement, compiled, either, inserted
from pipelines.stores.templates_asked import (
    by_service,
    cursor_of,
    grouped,
    listing,
    service_of,
    template_of,
)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

__all__ = ["SqlTemplates", "add_lines"]

DAY_MS = 86_400_000
_KEY = ("part", "tenant", "id", "service", "level")
_kept, _days = schema.log_templates.c, schema.log_days.c


def _counted(made: sqlite.Insert | postgresql.Insert, smaller: Any, larger: Any) -> Any:  # noqa: ANN401
    """Insert, or add to what was counted; first and last are the outermost."""
    table = made.table
    rows = made.values({c.name: sa.bindparam(c.name) for c in table.c})
    was, now = table.c, rows.excluded
    changed: dict[str, Any] = {"count": was["count"] + now["count"]}
    if "last" in was:
        changed["first"] = smaller(was["first"], now["first"])
        changed["last"] = larger(was["last"], now["last"])
        changed["text"] = now["text"]
    keys = [c.name for c in table.primary_key]
    return rows.on_conflict_do_update(index_elements=keys, set_=changed)


def _adding(table: sa.Table) -> Statement:
    return either(
        _counted(sqlite.insert(table), sa.func.min, sa.func.max),
        lambda: _counted(inserted(table), sa.func.least, sa.func.greatest),
    )


_ADD, _ADD_DAY = _adding(schema.log_templates), _adding(schema.log_days)
_KNOWN = compiled(
    sa.select(_kept.id)
    .where(_kept.part == sa.bindparam("part"), _kept.tenant == sa.bindparam("tenant"))
    .distinct()
)
_TENANTS = compiled(sa.select(_kept.tenant).where(_kept.part == sa.bindparam("part")).distinct())
_DROP = compiled(
    schema.log_templates.delete().where(_kept.last < sa.bindparam("before", type_=sa.BigInteger))
)
_DROP_OF = compiled(
    schema.log_templates.delete().where(
        _kept.tenant == sa.bindparam("tenant"),
        _kept.last <= sa.bindparam("before", type_=sa.BigInteger),
    )
)
_DROP_DAYS = compiled(
    schema.log_days.delete().where(_days.day < sa.bindparam("before", type_=sa.Integer))
)


def add_lines(transaction: Transaction, part: str, tenant: str, found: Found) -> None:
    """Count lines of a template; its text is the newest, its sample the first."""
    key: dict[str, object] = {"part": part, "tenant": tenant, "id": found.id}
    key |= {"service": found.service, "level": int(found.level)}
    row = {**key, "text": found.text, "sample": found.sample, "came": found.came}
    transaction.run(_ADD, {**row, "first": found.first, "last": found.last, "count": found.count})
    for day, count in found.days.items():
        transaction.run(_ADD_DAY, {**key, "day": day, "count": count})


@dataclass(slots=True)
class SqlTemplates:
    """`TemplateStore`, over all parts."""

    database: Connections

    def known(self, part: str, tenant: str) -> frozenset[str]:
        """The ids of all templates of a part."""
        with self.database.read() as looks:
            rows = looks.rows(_KNOWN, {"part": part, "tenant": tenant})
        return frozenset(str(id) for (id,) in rows)

    def tenants(self, part: str) -> list[str]:
        """Tenants that have any."""
        with self.database.read() as looks:
            return [str(tenant) for (tenant,) in looks.rows(_TENANTS, {"part": part})]

    def every_tenant(self) -> list[str]:
        """Tenants that have any, of whichever part."""
        query = sa.select(_kept.tenant).distinct().order_by(_kept.tenant)
        with self.database.built() as connection:
            return [str(tenant) for (tenant,) in connection.execute(query)]

    def list(self, wanted: TemplateFilter) -> TemplatePage:
        """In the order that is asked for, one page; `InputError` for a cursor that is none."""
        query = listing(wanted).limit(wanted.limit + 1)
        with self.database.built() as connection:
            rows = connection.execute(query).all()
        found = [template_of(row) for row in rows[: wanted.limit]]
        is_more = len(rows) > wanted.limit
        return TemplatePage(
            templates=self._with_days(wanted.tenant, found),
            after=cursor_of(rows[wanted.limit - 1], wanted.order) if is_more else None,
        )

    def get(self, tenant: str, id: str) -> Sequence[KeptTemplate]:
        """One template, for each service and level that has it; `NotFoundError`."""
        query = grouped().where(_kept.tenant == tenant, _kept.id == id)
        with self.database.built() as connection:
            rows = connection.execute(query.order_by(_kept.service, _kept.level)).all()
        if not rows:
            raise NotFoundError(f"there is no template {id!r}")
        return self._with_days(tenant, [template_of(row) for row in rows])

    def services(
        self, tenant: str, *, service: str | None = None, most: int = 500
    ) -> tuple[ServiceLines, ...]:
        """What services write, those with lines lately first."""
        with self.database.built() as connection:
            rows = connection.execute(by_service(tenant, service).limit(most)).all()
        return tuple(service_of(row) for row in rows)

    def traces(self, part: str, tenant: str, *, most: int) -> dict[str, str]:
        """Samples that have more than one line, by the ids of their templates, the newest last."""
        query = (
            sa.select(_kept.id, _kept.sample)
            .where(_kept.part == part, _kept.tenant == tenant, _kept.sample.contains(LINE_END))
            .order_by(_kept.last.desc())
            .limit(most)
        )
        with self.database.built() as connection:
            return {str(row[0]): str(row[1]) for row in reversed(connection.execute(query).all())}

    def texts(self, tenant: str, ids: Sequence[str]) -> dict[str, Template]:
        """What templates say, of those that are known, line by line; see `TemplateTexts`."""
        query = (
            sa.select(_kept.id, sa.func.max(_kept.text), sa.func.max(_kept.sample))
            .where(_kept.tenant == tenant, _kept.id.in_(list(ids)))
            .group_by(_kept.id)
        )
        with self.database.built() as connection:
            rows = connection.execute(query).all() if ids else []
        return {
            id: Template(id=id, text=text, sample=sample.replace(LINE_END, "\n"))
            for id, text, sample in rows
        }

    def prune(self, before: int) -> int:
        """Delete templates that were not seen since a time (unix milliseconds); how many."""
        with self.database.write() as transaction:
            gone = transaction.run(_DROP, {"before": before})
            transaction.run(_DROP_DAYS, {"before": before // DAY_MS})
        return gone

    def shrink(self, tenant: str, *, most: int) -> int:
        """Where a tenant has more than twice `most`, delete but those seen last; how many."""
        newest = sa.select(_kept.last).where(_kept.tenant == tenant).order_by(_kept.last.desc())
        with self.database.built() as connection:
            if connection.execute(newest.offset(2 * most).limit(1)).first() is None:
                return 0
            edge = connection.execute(newest.offset(most).limit(1)).scalar_one()
        with self.database.write() as transaction:
            return transaction.run(_DROP_OF, {"tenant": tenant, "before": int(edge)})

    def _with_days(self, tenant: str, found: Sequence[KeptTemplate]) -> tuple[KeptTemplate, ...]:
        if not found:
            return ()
        query = (
            sa.select(_days.id, _days.service, _days.level, _days.day, sa.func.sum(_days.count))
            .where(_days.tenant == tenant, _days.id.in_({one.id for one in found}))
            .group_by(_days.id, _days.service, _days.level, _days.day)
            .order_by(_days.day)
        )
        with self.database.built() as connection:
            rows = connection.execute(query).all()
        days: dict[tuple[str, str, int], dict[int, int]] = {}
        for id, service, level, day, count in rows:
            days.setdefault((id, service, level), {})[int(day)] = int(count)
        return tuple(
            replace(one, days=days.get((one.id, one.service, int(one.level)), {})) for one in found
        )
