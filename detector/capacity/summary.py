"""A report made of assessments: the most urgent first, and what a manager has to read of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.capacity.assessed import Action, Assessment, Exhaustion
from detector.capacity.moments import day, lasting
from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Kind
from detector.capacity.units import shown

__all__ = ["composed", "sentence", "urgency"]

# A chance below this is not worth a sentence of its own.
_WORTH = 0.1
_NAMED = 5


def composed(
    assessments: Sequence[Assessment],
    *,
    made_at: int,
    horizon_s: int,
    scope: str,
    left_out: Sequence[LeftOut] = (),
    what_if: Sequence[str] = (),
) -> Report:
    """The report of what was assessed, in the order of `urgency`, with its summary."""
    ordered = sorted(assessments, key=urgency)
    return Report(
        made_at=made_at,
        horizon_s=horizon_s,
        scope=scope,
        assessments=tuple(ordered),
        left_out=tuple(left_out),
        what_if=tuple(what_if),
        summary=tuple(_summary(ordered, len(left_out), horizon_s)),
    )


def urgency(of: Assessment) -> tuple[int, float, float, str]:
    """Ascending: what is used up since long, what will be soon, what may be, then the fullest."""
    found, fullness = of.exhaustion, -of.headroom.share if of.headroom else 0.0
    if found is None:
        return (4 if of.problem is None else 3, 0.0, fullness, of.identity.key)
    if found.since is not None:
        return (0, float(found.since), fullness, of.identity.key)
    if found.p50 is not None:
        return (1, float(found.p50), fullness, of.identity.key)
    return (2, -round(found.chance, 2), fullness, of.identity.key)


def sentence(of: Assessment) -> str:
    """What there is to say of a resource in one or two sentences."""
    title = _begun(of.identity.title)
    if of.problem is not None:
        return f"{title}: no date can be told: {of.problem}" + "." * (of.problem[-1:] != "?")
    if of.exhaustion is None:
        return f"{title}: no date can be told, as no limit is known."
    return f"{title} {_when(of.exhaustion, of)}.{_advice(of)}"


def _begun(title: str) -> str:
    """As a sentence begins with it.

    >>> _begun("cpu of web"), _begun("disk data of db")
    ('CPU of web', 'Disk data of db')
    """
    if title.partition(" ")[0] == Kind.CPU:
        return title[:3].upper() + title[3:]
    return title[0].upper() + title[1:]


def _when(found: Exhaustion, of: Assessment) -> str:
    within = lasting(of.horizon_s)
    if found.since is not None:
        return f"is used up since {day(found.since)}"
    if found.p50 is not None and found.p10 is not None:
        late = "later than the horizon" if found.p90 is None else day(found.p90)
        return (
            f"runs out about {day(found.p50)} (between {day(found.p10)} and {late} with 80 %;"
            f" {_percent(found.chance)} within {within})"
        )
    if found.chance >= _WORTH:
        return f"may run out within {within}: the chance is {_percent(found.chance)}"
    return f"lasts for the next {within}: the chance that it runs out is {_percent(found.chance)}"


def _percent(share: float) -> str:
    """No chance is told as none or as certain.

    >>> _percent(0.0), _percent(0.42), _percent(1.0)
    ('below 1 %', '42 %', 'above 99 %')
    """
    if share < 0.01:
        return "below 1 %"
    return "above 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _advice(of: Assessment) -> str:
    sizing = of.sizing
    if sizing is None or sizing.action is Action.KEEP:
        return ""
    unit, by = of.identity.unit, ""
    if sizing.by is not None:
        by = " now" if sizing.by <= of.as_of else f" before {day(sizing.by)}"
    said = "Raise" if sizing.action is Action.RAISE else "Lower"
    each = " of each replica" if of.replicas > 1 else ""
    step = f"from {shown(sizing.present, unit)} to {shown(sizing.to, unit)}"
    return f" {said} the {sizing.what}{each} {step}{by}{_cost(sizing.saving, sizing.currency)}."


def _cost(saving: float | None, currency: str) -> str:
    if saving is None or round(abs(saving)) == 0:
        return ""
    word = "saves" if saving > 0 else "costs"
    return f"; that {word} {abs(saving):,.0f} {currency} a month".replace("  ", " ")


def _summary(ordered: Sequence[Assessment], left_out: int, horizon_s: int) -> Iterator[str]:
    urgent = [one for one in ordered if _is_urgent(one)]
    if ordered:
        yield _overview(ordered, urgent, horizon_s)
    for one in urgent[:_NAMED]:
        yield sentence(one)
    if len(urgent) > _NAMED:
        yield f"{_things(len(urgent) - _NAMED)} more may run out within {lasting(horizon_s)}."
    yield from _too_much(ordered)
    yield from _unknown(ordered, left_out)


def _overview(ordered: Sequence[Assessment], urgent: Sequence[Assessment], horizon_s: int) -> str:
    told = sum(one.exhaustion is not None for one in ordered)
    within = lasting(horizon_s)
    if not told:
        return "No date can be told of anything here."
    if not urgent:
        return f"Nothing of {_things(told)} is likely to run out within {within}."
    return f"{len(urgent)} of {_things(told)} may run out within {within}; the most urgent first."


def _is_urgent(one: Assessment) -> bool:
    return one.exhaustion is not None and one.exhaustion.chance >= _WORTH


def _too_much(ordered: Sequence[Assessment]) -> Iterator[str]:
    """What could be given back."""
    lower = [one.sizing for one in ordered if one.sizing and one.sizing.action is Action.LOWER]
    if not lower:
        return
    saving = sum(one.saving for one in lower if one.saving is not None)
    currency = next((one.currency for one in lower if one.currency), "")
    worth = f", which saves {saving:,.0f} {currency} a month" if round(saving) > 0 else ""
    yield f"{_things(len(lower))} could be given less{worth}."


def _unknown(ordered: Sequence[Assessment], left_out: int) -> Iterator[str]:
    """What nothing is said of."""
    unknown = [one for one in ordered if one.problem is not None]
    if unknown:
        first = unknown[0]
        rest = f", and of {len(unknown) - 1} more" if len(unknown) > 1 else ""
        yield f"No date can be told of {first.identity.title} ({first.problem}){rest}."
    if left_out:
        yield f"{_things(left_out)} could not be looked at; the reasons are listed."


def _things(count: int) -> str:
    return "1 resource" if count == 1 else f"{count} resources"
