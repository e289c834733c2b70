"""`/services`: all services in short, and of each its calls, logs, anomalies and rollouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.context import Context, In
from api.receiving import tenant_of
from api.routes.templates import LevelName
from api.ui.listing import ListRow, list_row
from api.ui.marked import shortened
from api.ui.odd import Odd, odd_of
from api.ui.rendering import Base, html, shown
from api.ui.services import (
    Calls,
    ServiceRow,
    TemplateRow,
    calls_of,
    service_rows,
    template_rows,
)
from api.ui.wording import amount, day_clock
from detector.errors import InputError, SerinusError
from detector.gate.record import Filter
from detector.logs.kept import ServiceLines, TemplateFilter, TemplateOrder, TemplatePage
from detector.logs.lines import Level
from detector.spans.topology import Graph
from detector.stream.record import AnomalyFilter, AnomalyPage
from pipelines.flows.logs_open import OpenLogs

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_PER_PAGE, _TEMPLATES, _ANOMALIES, _ROLLOUTS = 100, 25, 10, 10
# What a list of all services looks at of each kind.
_MOST = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesView:
    """A page of services, by name; `unread` says what could not be read."""

    rows: tuple[ServiceRow, ...]
    asked: str
    older: str | None
    is_first: bool
    unread: Mapping[str, str]
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """The page of one service; `logged` is what it writes in short, empty where nothing came."""

    name: str
    title: str
    takes_logs: bool
    calls: Calls | None
    logged: str
    templates: tuple[TemplateRow, ...]
    level: str
    text: str
    before: str
    older: str | None
    anomalies: tuple[Odd, ...]
    more_anomalies: bool
    rollouts: tuple[ListRow, ...]
    unread: Mapping[str, str]
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Which templates are wanted, as it was typed."""

    level: str = ""
    text: str = ""
    before: str = ""


class Reading:
    """Reads what it can, and notes what it could not, by what it is."""

    def __init__(self) -> None:
        self.unread: dict[str, str] = {}

    def of(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        """What is read, or that nothing is known; a cursor or a filter that is none is told."""
        try:
            return read()
        except InputError:
            raise
        except SerinusError as error:
            self.unread[what] = f"{what} could not be read: {error}."
            return otherwise


@router.get("/services")
async def listed(
    request: Request,
    context: In,
    name: Annotated[str, Query(max_length=512)] = "",
    after: Annotated[str, Query(max_length=512)] = "",
) -> Response:
    """By name, those of the tenant that `X-Scope-OrgID` names."""
    tenant = tenant_of(request)
    return await shown(context, lambda: _listed(context, tenant, name.strip(), after))


def _listed(context: Context, tenant: str, name: str, after: str) -> Response:
    reading, now, logs = Reading(), context.clock(), _logs(context)
    graph: Graph | None = None
    lines: tuple[ServiceLines, ...] = ()
    if logs is not None:
        graph = reading.of("Calls", lambda: logs().graph(tenant, None), None)
        lines = reading.of("Logs", lambda: logs().templates.services(tenant, most=_MOST), ())
    is_open = AnomalyFilter(tenant=tenant, is_open=True, limit=_MOST)
    anomalies = reading.of("Anomalies", lambda: _anomalies(context, is_open), _NONE)
    newest = Filter(limit=_MOST, newest_only=True)
    rows = service_rows(
        graph,
        lines,
        anomalies.anomalies,
        context.gate.records.list(newest).verdicts,
        now=now,
    )
    fitting = [row for row in rows if name.lower() in row.name.lower() and row.name > after]
    page = tuple(fitting[:_PER_PAGE])
    view = ServicesView(
        rows=page,
        asked=name,
        older=page[-1].name if len(fitting) > len(page) else None,
        is_first=not after,
        unread=reading.unread,
        now=day_clock(now),
    )
    return html("services.html", view=view)


@router.get("/services/{service:path}")
async def one(
    request: Request,
    context: In,
    base: Base,
    *,
    service: str,
    level: Annotated[str, Query(max_length=16)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[str, Query(max_length=1024)] = "",
) -> Response:
    """One service; `level`, `text` and `before` choose among its log templates."""
    tenant, looked = tenant_of(request), Looked(level=level, text=text.strip(), before=before)
    return await shown(context, lambda: _one(context, tenant, service, looked, base))


def _one(context: Context, tenant: str, service: str, looked: Looked, base: str) -> Response:
    reading, now, logs = Reading(), context.clock(), _logs(context)
    link = context.settings.traces.link
    graph: Graph | None = None
    known: ServiceLines | None = None
    page = TemplatePage(templates=())
    if logs is not None:
        store = reading.of("Logs", lambda: logs().templates, None)
        graph = reading.of("Calls", lambda: logs().graph(tenant, service), None)
        wanted = _wanted(tenant, service, looked)
        if store is not None:
            of = partial(store.services, tenant, service=service, most=1)
            found: tuple[ServiceLines, ...] = reading.of("Logs", of, ())
            known = found[0] if found else None
            page = reading.of("Logs", lambda: store.list(wanted), page)
    mine = AnomalyFilter(tenant=tenant, service=service, limit=_ANOMALIES)
    anomalies = reading.of("Anomalies", lambda: _anomalies(context, mine), _NONE)
    rollouts = context.gate.records.list(Filter(service=service, limit=_ROLLOUTS, newest_only=True))
    view = ServiceView(
        name=service,
        title=shortened(service, 253),
        takes_logs=logs is not None,
        calls=calls_of(service, graph, near=now),
        logged=_in_short(known, now),
        templates=template_rows(page.templates, known, now),
        level=looked.level,
        text=looked.text,
        before=looked.before,
        older=page.after,
        anomalies=tuple(
            odd_of(one, now=now, base=base, link=link, verdicts=rollouts.verdicts)
            for one in anomalies.anomalies
        ),
        more_anomalies=anomalies.next is not None,
        rollouts=tuple(list_row(verdict, now) for verdict in rollouts.verdicts),
        unread=reading.unread,
        now=day_clock(now),
    )
    return html("service.html", view=view, levels=[one.value for one in LevelName])


_NONE = AnomalyPage(anomalies=(), next=None)


def _logs(context: Context) -> Callable[[], OpenLogs] | None:
    """What takes lines and spans, once it is open; None where this serinus takes none."""
    streaming = context.streaming
    if streaming is None or not context.settings.logs.enabled:
        return None
    return lambda: streaming.logs


def _anomalies(context: Context, wanted: AnomalyFilter) -> AnomalyPage:
    return _NONE if context.streaming is None else context.streaming.anomalies.list(wanted)


def _wanted(tenant: str, service: str, looked: Looked) -> TemplateFilter:
    try:
        level = Level[LevelName(looked.level).name] if looked.level else Level.UNKNOWN
    except ValueError:
        words = ", ".join(LevelName)
        told = f"level is one of {words}, not {looked.level!r}"
        raise InputError(told, field="level") from None
    return TemplateFilter(
        tenant=tenant,
        service=service,
        level=level,
        text=looked.text or None,
        after=looked.before or None,
        limit=_TEMPLATES,
        order=TemplateOrder.GRAVEST,
    )


def _in_short(known: ServiceLines | None, now: float) -> str:
    if known is None:
        return ""
    since = day_clock(known.came / 1000, near=now)
    return (
        f"{amount(known.lines)} lines of {amount(known.templates)} templates since {since},"
        f" {amount(known.grave)} of them at level error or fatal."
    )
