"""What the page of delivery shows: four measures with trends, and what they were counted of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.ui.marked import shortened
from api.ui.trend import Trend, trend_of
from api.ui.wording import about, day_clock
from detector.delivery.deployments import Deployment, Failure, Mended
from detector.delivery.measures import DEFINITIONS, Band, Measure, Measures, measured
from detector.gate.words import percent

__all__ = ["Card", "DeploymentRow", "Share", "cards_of", "deployment_row", "shares_of"]

_DAY_S, _HOUR_S, _MINUTE_S = 86_400.0, 3600.0, 60.0
_MOST = 30
_NOTHING = "–"
_TITLES = {
    "frequency": "Deployment frequency",
    "lead_time": "Lead time for changes",
    "failure_rate": "Change failure rate",
    "restore_time": "Time to restore",
}
# Which of the list each was counted of, and what these are called.
_OF = {
    "frequency": ("", "deployment", ""),
    "lead_time": ("merged", "deployment", " whose merge was told"),
    "failure_rate": ("failed", "deployment", ""),
    "restore_time": ("mended", "repair", ""),
}
_FAILURES = {
    Failure.FAILED: "failed",
    Failure.ROLLED_BACK: "was rolled back",
    Failure.INCIDENT: "broke something",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One measure. `only` asks for what is behind it; `weeks` are (week, value, band, count)."""

    name: str
    title: str
    value: str
    band: Band | None
    of: str
    only: str
    definition: str
    trend: Trend
    weeks: tuple[tuple[str, str, str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The measures of one service, or of one team."""

    name: str
    title: str
    count: int
    values: tuple[tuple[str, str, Band | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedRow:
    """What was wrong; `incident` has a page, without one `change` ended it."""

    incident: str
    change: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRow:
    """A deployment behind the numbers."""

    change: str
    service: str
    title: str
    version: str
    at: str
    ago: str
    lead: str
    went: str
    has_failed: bool
    mended: tuple[MendedRow, ...]


def cards_of(whole: Measures, weeks: Sequence[Measures]) -> tuple[Card, ...]:
    """The four of them."""
    days = [datetime.fromtimestamp(week.since / 1000, UTC).strftime("%d %b") for week in weeks]
    return tuple(_card(name, whole, weeks, days) for name in _TITLES)


def _card(name: str, whole: Measures, weeks: Sequence[Measures], days: Sequence[str]) -> Card:
    measure, (only, what, more) = _of(whole, name), _OF[name]
    values = [_of(week, name) for week in weeks]
    words = [value_words(name, one.value) for one in values]
    rows = zip(days, words, values, strict=True)
    return Card(
        name=name,
        title=_TITLES[name],
        value=value_words(name, measure.value),
        band=measure.band,
        of=_counted(measure.count, what, more),
        only=only,
        definition=DEFINITIONS[name],
        trend=trend_of(name, weeks, words, days),
        weeks=tuple((day, text, one.band or "", one.count) for day, text, one in rows),
    )


def _counted(count: int, what: str, more: str) -> str:
    many = f"of {count:,}" if count else "no"
    return f"{many} {what}{'' if count == 1 else 's'}{more}"


def _of(measures: Measures, name: str) -> Measure:
    found: Measure = getattr(measures, name)
    return found


def shares_of(
    deployments: Iterable[Deployment], since: int, until: int, key: Callable[[Deployment], str]
) -> tuple[tuple[Share, ...], int]:
    """By service or team, those that deploy most first, and how many more there are."""
    found: dict[str, list[Deployment]] = {}
    for one in deployments:
        if name := key(one):
            found.setdefault(name, []).append(one)
    ranked = sorted(found, key=lambda name: (-len(found[name]), name))
    shares = tuple(_share(name, measured(found[name], since, until)) for name in ranked[:_MOST])
    return shares, max(0, len(ranked) - _MOST)


def _share(name: str, measures: Measures) -> Share:
    each = [(one, _of(measures, one)) for one in _TITLES]
    return Share(
        name=name,
        title=shortened(name),
        count=measures.frequency.count,
        values=tuple((_TITLES[one], value_words(one, m.value), m.band) for one, m in each),
    )


def value_words(name: str, value: float | None) -> str:
    """A measure as people say it; a dash where there is nothing to count.

    >>> value_words("frequency", 0.5), value_words("lead_time", 90_000.0 * 60)
    ('3.5 a week', '90 minutes')
    """
    if value is None:
        return _NOTHING
    match name:
        case "frequency":
            return _often(value)
        case "failure_rate":
            return percent(value) if value else "0 %"
        case _:
            return span_words(value)


def _often(a_day: float) -> str:
    if a_day >= 1:
        return f"{a_day:.2g} a day" if a_day < 100 else f"{a_day:,.0f} a day"
    return f"{7 * a_day:.2g} a week" if a_day >= 1 / 7 else f"{30 * a_day:.2g} a month"


def span_words(milliseconds: float) -> str:
    """How long: in seconds, minutes, hours or days, whichever is below a hundred or so."""
    seconds = milliseconds / 1000
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} minutes"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.1f} hours"
    return f"{seconds / _DAY_S:.1f} days"


def deployment_row(one: Deployment, now: float) -> DeploymentRow:
    """One of the list."""
    return DeploymentRow(
        change=one.change,
        service=one.service,
        title=shortened(one.service) or "unnamed",
        version=shortened(one.version, 60),
        at=day_clock(one.at / 1000, near=now),
        ago=about(one.at / 1000 - now),
        lead=_NOTHING if one.lead_ms is None else span_words(max(0, one.lead_ms)),
        went=", ".join(_FAILURES[failure] for failure in one.failures) or "well",
        has_failed=one.has_failed,
        mended=tuple(_mended(each) for each in one.mended),
    )


def _mended(one: Mended) -> MendedRow:
    is_incident = one.what.startswith("inc_")
    if one.end is None:
        words = "not over yet" if is_incident else "not mended yet"
    else:
        words = f"for {span_words(max(0, one.end - one.began))}"
    return MendedRow(
        incident=one.what if is_incident else "",
        change="" if is_incident or one.end is None else one.what,
        words=words,
    )
