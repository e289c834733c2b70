"""What a report's page shows, in words: for who decides first, then resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.reports.figures import key_of
from api.reports.gist import gist_of, sentence_of
from api.reports.runway import Runway, runway_of
from api.reports.telling import (
    accuracy_text,
    advice_text,
    ahead_text,
    by_text,
    driver_text,
    shorter,
    used_text,
    when_text,
)
from api.reports.words import Wall, capital, chance_text, money_text, share_text, span_text
from detector.capacity.assessed import Accuracy, Action, Assessment, Outlook, Sizing
from detector.capacity.report import Report
from detector.capacity.resource import Identity
from detector.capacity.units import shown
from detector.reports.state import State, state_of

__all__ = ["PARTS", "ROWS", "Deed", "Part", "Row", "View", "view_of"]

# Resources in the table, and those of them that have a part of their own with a chart: a page with
# more is slow on a phone, and nobody reads it. The other forms of the report have all.
ROWS, PARTS, LEFT_OUT = 2000, 60, 200
_DEEDS, _SAVINGS = 4, 2
_WORDS = {
    State.OUT: ("fail", "✖"),
    State.LIKELY: ("fail", "▲"),
    State.POSSIBLE: ("inconclusive", "△"),
    State.UNKNOWN: ("unknown", "?"),
    State.LASTS: ("pass", "✔"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something to do."""

    by: str
    what: str
    of: str
    why: str
    money: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One resource in the table; `place` is the id of its part, empty without one."""

    place: str
    state: str
    tint: str
    icon: str
    title: str
    where: str
    used: str
    ahead: str
    when: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One resource with its chart."""

    row: Row
    when: str
    key: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    driver: str
    why: str
    assumptions: tuple[str, ...]
    accuracy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole page."""

    title: str
    about: str
    tint: str
    gist: tuple[str, ...]
    counts: tuple[tuple[str, str], ...]
    runway: Runway | None
    deeds: tuple[Deed, ...]
    more_deeds: int
    savings: tuple[Deed, ...]
    more_savings: int
    money: str
    sure: tuple[str, ...]
    what_if: tuple[str, ...]
    rows: tuple[Row, ...]
    more_rows: int
    parts: tuple[Part, ...]
    more_parts: int
    left_out: tuple[tuple[str, str], ...]
    more_left_out: int


def view_of(report: Report, wall: Wall) -> View:
    """The words of a report."""
    told, within = report.assessments, span_text(report.horizon_s)
    states = [state_of(one) for one in told]
    raised = sorted(
        (one for one in told if _does(one, Action.RAISE)), key=lambda one: _sizing(one).by or 2**62
    )
    lowered = sorted(
        (one for one in told if _does(one, Action.LOWER)),
        key=lambda one: -(_sizing(one).saving or 0.0),
    )
    rows = tuple(_row(number, one, wall) for number, one in enumerate(told[:ROWS]))
    return View(
        title=f"Capacity of {report.scope}: the next {within}",
        about=f"As of {wall.minute(report.made_at)}. {_many(len(told))}.",
        tint=_tint(states),
        gist=gist_of(report, wall),
        counts=tuple(_counts(states, within)),
        runway=runway_of(report, wall),
        deeds=tuple(_deed(one, wall) for one in raised[:_DEEDS]),
        more_deeds=max(0, len(raised) - _DEEDS),
        savings=tuple(_deed(one, wall) for one in lowered[:_SAVINGS]),
        more_savings=max(0, len(lowered) - _SAVINGS),
        money=_money(raised, lowered),
        sure=tuple(_sure(told)),
        what_if=report.what_if,
        rows=rows,
        more_rows=max(0, len(told) - ROWS),
        parts=tuple(_part(row, one, wall) for row, one in zip(rows[:PARTS], told, strict=False)),
        more_parts=max(0, len(told) - PARTS),
        left_out=tuple((one.name, one.why) for one in report.left_out[:LEFT_OUT]),
        more_left_out=max(0, len(report.left_out) - LEFT_OUT),
    )


def _many(count: int) -> str:
    return "1 resource" if count == 1 else f"{count:,} resources"


def _tint(states: Sequence[State]) -> str:
    """Of the worst of them; nothing that is known is no good news."""
    order = [State.OUT, State.LIKELY, State.POSSIBLE, State.LASTS]
    return _WORDS[next((one for one in order if one in states), State.UNKNOWN)][0]


def _counts(states: Sequence[State], within: str) -> Iterator[tuple[str, str]]:
    names = {
        State.OUT: "out already",
        State.LIKELY: f"likely out within {within}",
        State.POSSIBLE: "possibly",
        State.LASTS: "not",
        State.UNKNOWN: "not known",
    }
    yield from ((str(states.count(state)), name) for state, name in names.items())


def _sizing(told: Assessment) -> Sizing:
    assert told.sizing is not None
    return told.sizing


def _does(told: Assessment, action: Action) -> bool:
    return told.sizing is not None and told.sizing.action is action


def _deed(told: Assessment, wall: Wall) -> Deed:
    sizing = _sizing(told)
    unit, each = told.identity.unit, f" × {told.replicas}" if told.replicas > 1 else ""
    verb = "Raise" if sizing.action is Action.RAISE else "Lower"
    sizes = f"{shorter(sizing.present, sizing.to, unit)} → {shown(sizing.to, unit)}{each}"
    saving = sizing.saving or 0.0
    verb_money = "saves " if saving > 0 else "costs "
    return Deed(
        by=by_text(sizing, told.as_of, wall).removeprefix("by "),
        what=f"{verb} the {sizing.what}: {sizes}",
        of=told.identity.title,
        why=sizing.why,
        money=verb_money + money_text(saving, sizing.currency) if saving else "",
    )


def _money(raised: Sequence[Assessment], lowered: Sequence[Assessment]) -> str:
    """What it comes to where it all has prices in one currency."""
    priced = [_sizing(one) for one in (*raised, *lowered) if _sizing(one).saving is not None]
    currencies = {one.currency for one in priced}
    if not priced or len(currencies) > 1:
        return "No prices are set, so costs are not told." if not priced else ""
    currency = currencies.pop()
    saved = sum(one.saving or 0.0 for one in priced if one.action is Action.LOWER)
    spent = -sum(one.saving or 0.0 for one in priced if one.action is Action.RAISE)
    told = [
        f"to raise what is too small costs {money_text(spent, currency)}" if spent else "",
        f"to lower what is too large saves {money_text(saved, currency)}" if saved else "",
    ]
    free = len(raised) + len(lowered) - len(priced)
    beside = f" {_many(free)} without a price not counted." if free else ""
    return f"{capital('; '.join(one for one in told if one))}.{beside}" if any(told) else ""


def _sure(told: Sequence[Assessment]) -> Iterator[str]:
    """How far dates can be relied on."""
    yield (
        "Dates are ranges: eight cases of ten should lie within. The day that is named is their"
        " middle."
    )
    known = [one.accuracy for one in told if one.accuracy is not None]
    if dates := sum(one.dates for one in known):
        within = sum(one.within for one in known)
        yield f"So far {within} of {dates} dates were within the range that an earlier report told."
    yield from _usual(known)
    if not known:
        yield "No earlier report can be held against what came yet."
    unknown = sum(state_of(one) is State.UNKNOWN for one in told)
    if unknown:
        yield f"Of {_many(unknown)} nothing can be told yet; the table says why."


def _usual(known: Sequence[Accuracy]) -> Iterator[str]:
    inside = [one.inside for one in known if one.inside is not None]
    if inside:
        share = share_text(sum(inside) / len(inside))
        yield f"Usage was in its told range on {share} of the days since (80 % was promised)."


def _row(number: int, told: Assessment, wall: Wall) -> Row:
    state, of = state_of(told), told.identity
    tint, icon = _WORDS[state]
    return Row(
        place=f"resource-{number}" if number < PARTS else "",
        state=state.value,
        tint=tint,
        icon=icon,
        title=of.title,
        where=_where(of),
        used=used_text(told),
        ahead=ahead_text(told.headroom),
        when=when_text(told, wall),
        advice=advice_text(told, wall),
    )


def _where(of: Identity) -> str:
    """Its place, its team, and what else tells it apart, each once."""
    named = {of.cluster, of.namespace, of.service, of.name}
    others = (f"{k}={v}" for k, v in sorted(of.labels.items()) if v not in named)
    team = f"team {of.team}" if of.team else ""
    return " · ".join(part for part in (of.cluster, of.namespace, team, *others) if part)


def _assumed(told: Assessment) -> tuple[str, ...]:
    """What is supposed comes first, where the assumptions do not say it themselves."""
    said = "\n".join(told.assumptions)
    return (*(f"Assumed: {one}" for one in told.what_if if one not in said), *told.assumptions)


def _part(row: Row, told: Assessment, wall: Wall) -> Part:
    unit = told.identity.unit
    return Part(
        row=row,
        when=sentence_of(told, wall),
        key=key_of(told) if any(value is not None for value in told.usage.values) else (),
        facts=tuple(_facts(row, told)),
        driver="" if told.driver is None else driver_text(told.driver, unit),
        why="" if told.sizing is None else told.sizing.why,
        assumptions=_assumed(told),
        accuracy="" if told.accuracy is None else accuracy_text(told.accuracy),
    )


def _facts(row: Row, told: Assessment) -> Iterator[tuple[str, str]]:
    unit, out = told.identity.unit, told.exhaustion
    yield "Used, at its worst in a week", row.used
    yield from [("May be used by the end", row.ahead)] if row.ahead != "–" else []
    if out is not None:
        yield f"Chance within {span_text(told.horizon_s)}", chance_text(out.chance)
        yield from [("Counts as run out", out.means)] if out.means else []
    if told.requested is not None:
        yield "Requested", shown(told.requested.now, unit)
    if told.replicas > 1:
        yield "Replicas", f"{told.replicas}, of which the fullest is shown"
    yield from _forecaster(told.outlook)
    yield "Known from", told.identity.source


def _forecaster(outlook: Outlook | None) -> Iterator[tuple[str, str]]:
    """Which forecasters speak, and how good they were."""
    if outlook is None or not outlook.weights:
        return
    shares = sorted(outlook.weights.items(), key=lambda one: -one[1])[:3]
    names = ", ".join(f"{name} {share_text(share)}" for name, share in shares)
    known = outlook.mase is not None and outlook.mase == outlook.mase
    error = f"; its error was lately {outlook.mase:.2f} of a naive forecast's" if known else ""
    yield "Forecast", names + error
