"""Templates of log lines as they are asked for: filters, orders, pages, and services in short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from detector.errors import InputError
from detector.logs.kept import KeptTemplate, ServiceLines, TemplateFilter, TemplateOrder
from detector.logs.lines import Level
from pipelines.stores import schema

__all__ = [
    "by_service",
    "cursor_after",
    "cursor_of",
    "grouped",
    "listing",
    "service_of",
    "template_of",
]

_kept = schema.log_templates.c
# Of one in any order: is it grave, how many lines, when it came, and which it is.
_Place = tuple[str, int, int, str, str, int]


def grouped() -> sa.Select[Any]:
    """A row for each template, service and level, over all parts."""
    return sa.select(
        _kept.id,
        _kept.service,
        _kept.level,
        sa.func.max(_kept.text),
        sa.func.max(_kept.sample),
        sa.func.min(_kept.came).label("came"),
        sa.func.min(_kept.first),
        sa.func.max(_kept.last),
        sa.func.sum(_kept.count),
    ).group_by(_kept.tenant, _kept.id, _kept.service, _kept.level)


def listing(wanted: TemplateFilter) -> sa.Select[Any]:
    """A page and what follows it, in order."""
    came = sa.func.min(_kept.came)
    query = grouped().where(_kept.tenant == wanted.tenant).order_by(*_order(wanted.order))
    if wanted.service is not None:
        query = query.where(_kept.service == wanted.service)
    if wanted.ids is not None:
        query = query.where(_kept.id.in_(wanted.ids))
    if wanted.level > Level.UNKNOWN:
        query = query.where(_kept.level >= int(wanted.level))
    if wanted.text is not None:
        query = query.where(_kept.text.icontains(wanted.text, autoescape=True))
    if wanted.since is not None:
        query = query.having(came >= wanted.since)
    if wanted.after is not None:
        query = query.having(_beyond(wanted.after, wanted.order))
    return query


def _ranks(order: TemplateOrder) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """What comes first, the greatest first."""
    match order:
        case TemplateOrder.NEWEST:
            return sa.func.min(_kept.came), sa.literal(0)
        case TemplateOrder.GRAVEST:
            return sa.case((_is_grave(), 1), else_=0), sa.func.sum(_kept.count)


def _is_grave() -> sa.ColumnElement[bool]:
    return _kept.level >= int(Level.ERROR)


def _order(order: TemplateOrder) -> list[Any]:
    first, second = _ranks(order)
    ranks = [first.desc()] if order is TemplateOrder.NEWEST else [first.desc(), second.desc()]
    return [*ranks, _kept.id, _kept.service, _kept.level]


def _beyond(cursor: str, order: TemplateOrder) -> sa.ColumnElement[bool]:
    """What comes after the last one of the page before."""
    of, was_first, was_second, id, service, level = _read(cursor)
    if of != order.value:
        raise InputError("the cursor is of another order", field="cursor")
    first, second = _ranks(order)
    rest = sa.tuple_(_kept.id, _kept.service, _kept.level) > sa.tuple_(
        sa.literal(id), sa.literal(service), sa.literal(level)
    )
    same = sa.and_(first == was_first, second == was_second)
    return sa.or_(
        first < was_first,
        sa.and_(first == was_first, second < was_second),
        sa.and_(same, rest),
    )


def template_of(row: Sequence[Any]) -> KeptTemplate:
    id, service, level, text, sample, came, first, last, count = row
    return KeptTemplate(
        id=id,
        service=service,
        level=Level(level),
        text=text,
        sample=sample,
        came=int(came),
        first=int(first),
        last=int(last),
        count=int(count),
    )


def cursor_of(row: Sequence[Any], order: TemplateOrder) -> str:
    """The cursor of the page that follows a row."""
    return cursor_after(template_of(row), order)


def cursor_after(one: KeptTemplate, order: TemplateOrder) -> str:
    """The cursor of the page that follows a template."""
    ranks = (one.came, 0)
    if order is TemplateOrder.GRAVEST:
        ranks = (int(one.level >= Level.ERROR), one.count)
    return msgspec.msgpack.encode((order.value, *ranks, one.id, one.service, int(one.level))).hex()


def _read(cursor: str) -> _Place:
    try:
        found: _Place = msgspec.msgpack.decode(bytes.fromhex(cursor), type=_Place)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InputError("the cursor is none that a page gave", field="cursor") from error
    return found


def by_service(tenant: str, service: str | None) -> sa.Select[Any]:
    """A row for each service, or one."""
    grave = sa.case((_is_grave(), _kept.count), else_=0)
    last = sa.func.max(_kept.last)
    query = sa.select(
        _kept.service,
        sa.func.count(_kept.id.distinct()),
        sa.func.sum(_kept.count),
        sa.func.sum(grave),
        sa.func.min(_kept.came),
        last,
    ).where(_kept.tenant == tenant)
    if service is not None:
        query = query.where(_kept.service == service)
    return query.group_by(_kept.service).order_by(last.desc(), _kept.service)


def service_of(row: Sequence[Any]) -> ServiceLines:
    """A row of `by_service`."""
    service, templates, lines, grave, came, last = row
    return ServiceLines(
        service=service,
        templates=int(templates),
        lines=int(lines),
        grave=int(grave),
        came=int(came),
        last=int(last),
    )
