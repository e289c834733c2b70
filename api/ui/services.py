"""What the pages of services show: who calls whom, what is logged, and all services in short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.ui.marked import Part, parts_of, plain_lines, shortened
from api.ui.wording import ICONS, about, amount, day_clock, value_text
from detector.gate.verdict import Outcome, Verdict
from detector.gate.words import seconds_text
from detector.logs.kept import KeptTemplate, ServiceLines
from detector.spans.names import Node, NodeKind
from detector.spans.topology import Edge, Graph
from detector.stream.record import KeptAnomaly

__all__ = [
    "Call",
    "Calls",
    "ServiceRow",
    "TemplateRow",
    "calls_of",
    "service_rows",
    "template_rows",
]

_CALLS = 30
_DAY_S = 86_400.0
_KINDS = {
    NodeKind.OUTSIDE: "from outside",
    NodeKind.SERVICE: "",
    NodeKind.UNSEEN: "sends no spans",
    NodeKind.DATABASE: "database",
    NodeKind.MESSAGING: "messages",
}
# Beyond that share of failed calls a call is marked.
_MANY_FAIL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Calls between a service and another end; `service` is that end's name where it has a page."""

    name: str
    kind: str
    service: str
    version: str
    own_version: str
    rate: str
    errors: str
    median: str
    tail95: str
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Who calls a service and whom it calls, the busiest first."""

    callers: tuple[Call, ...]
    callees: tuple[Call, ...]
    more_callers: int
    more_callees: int
    span: str


def calls_of(service: str, graph: Graph | None, *, near: float) -> Calls | None:
    """None where no span of the service has come."""
    if graph is None or not graph.edges:
        return None
    callers = [_call(e, e.caller, e.callee) for e in graph.edges if _is(service, e.callee)]
    callees = [_call(e, e.callee, e.caller) for e in graph.edges if _is(service, e.caller)]
    begin, end = (day_clock(at / 1000, near=near) for at in (graph.since, graph.until))
    return Calls(
        callers=tuple(callers[:_CALLS]),
        callees=tuple(callees[:_CALLS]),
        more_callers=max(0, len(callers) - _CALLS),
        more_callees=max(0, len(callees) - _CALLS),
        span=f"{begin.removesuffix(' UTC')} to {end}",
    )


def _is(service: str, node: Node) -> bool:
    return node.kind is NodeKind.SERVICE and node.name == service


def _call(edge: Edge, other: Node, own: Node) -> Call:
    has_page = other.kind is NodeKind.SERVICE and other.name
    return Call(
        name=shortened(other.name) or "outside",
        kind=_KINDS[other.kind],
        service=other.name if has_page else "",
        version=shortened(other.version, 60),
        own_version=shortened(own.version, 60),
        rate=f"{edge.rate:.3g}/s",
        errors=value_text(edge.error_ratio, "ratio"),
        median=_seconds(edge.median_s),
        tail95=_seconds(edge.tail95_s),
        is_bad=(edge.error_ratio or 0.0) >= _MANY_FAIL,
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else seconds_text(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """A template in the logs of a service."""

    id: str
    level: str
    parts: tuple[Part, ...]
    sample: str
    count: str
    first: str
    last: str
    is_new: bool


def template_rows(
    templates: Sequence[KeptTemplate], known: ServiceLines | None, now: float
) -> tuple[TemplateRow, ...]:
    """In the order that they come; new are those of the last day, unless all of the service is."""
    edge = now - _DAY_S
    is_young = known is None or known.came / 1000 >= edge
    return tuple(
        TemplateRow(
            id=one.id,
            level=one.level.name.lower(),
            parts=parts_of(one.text),
            sample=plain_lines(one.sample) if one.sample != one.text else "",
            count=amount(one.count),
            first=day_clock(one.first / 1000, near=now),
            last=about(one.last / 1000 - now),
            is_new=not is_young and one.came / 1000 >= edge,
        )
        for one in templates
    )


@dataclass(slots=True, kw_only=True)
class ServiceRow:
    """One service in short; words are empty where nothing is known. `title` may be shown."""

    name: str
    title: str
    calls: str = ""
    errors: str = ""
    lines: str = ""
    grave: str = ""
    is_grave: bool = False
    open: int = 0
    outcome: Outcome | None = None
    icon: str = ""
    revision: str = ""
    attempt: str = ""
    asked: str = ""
    _rate: float = field(default=0.0, repr=False)
    _failed: float = field(default=0.0, repr=False)


def service_rows(
    graph: Graph | None,
    lines: Iterable[ServiceLines],
    anomalies: Iterable[KeptAnomaly],
    verdicts: Iterable[Verdict],
    *,
    now: float,
) -> tuple[ServiceRow, ...]:
    """Every service that any of them names, by name; of each its newest rollout."""
    rows: dict[str, ServiceRow] = {}

    def row(name: str) -> ServiceRow:
        return rows.setdefault(name, ServiceRow(name=name, title=shortened(name)))

    for edge in () if graph is None else graph.edges:
        for node in (edge.caller, edge.callee):
            if node.kind is NodeKind.SERVICE and node.name:
                _called(row(node.name), edge, is_callee=node is edge.callee)
    for one in lines:
        if one.service:
            _logged(row(one.service), one)
    for kept in anomalies:
        if kept.anomaly.subject.service:
            row(kept.anomaly.subject.service).open += 1
    for verdict in verdicts:
        _judged(row(verdict.service), verdict, now)
    return tuple(rows[name] for name in sorted(rows))


def _called(row: ServiceRow, edge: Edge, *, is_callee: bool) -> None:
    if is_callee:
        row._rate += edge.rate
        row._failed += edge.rate * (edge.error_ratio or 0.0)
    row.calls = f"{row._rate:.3g}/s" if row._rate else ""
    row.errors = value_text(row._failed / row._rate, "ratio") if row._rate else ""


def _logged(row: ServiceRow, one: ServiceLines) -> None:
    row.lines, row.grave = amount(one.lines), amount(one.grave)
    row.is_grave = one.grave > 0


def _judged(row: ServiceRow, verdict: Verdict, now: float) -> None:
    """The first that comes is the newest."""
    if row.outcome is None:
        row.outcome, row.icon = verdict.outcome, ICONS[verdict.outcome]
        row.revision = shortened(verdict.revision or verdict.rollout or "", 60)
        row.attempt = verdict.attempt
        row.asked = about(verdict.as_of.timestamp() - now)
