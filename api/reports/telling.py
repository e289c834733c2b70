"""What is said of one resource: how it stands, when it runs out, what to do, and what drives it."""

from __future__ import annotations

from typing import assert_never

from api.reports.words import Wall, chance_text, money_text, past_text, share_text, span_text
from detector.capacity.assessed import (
    Accuracy,
    Action,
    Assessment,
    DriverModel,
    Exhaustion,
    Headroom,
    Sizing,
)
from detector.capacity.units import shown

__all__ = [
    "accuracy_text",
    "advice_text",
    "ahead_text",
    "by_text",
    "driver_text",
    "shorter",
    "used_text",
    "when_text",
]


def when_text(told: Assessment, wall: Wall) -> str:
    """When it runs out, with how sure that is."""
    out, within = told.exhaustion, f"within {span_text(told.horizon_s)}"
    if out is None or told.problem is not None:
        return told.problem or "no limit is known"
    if out.since is not None:
        return _since(out.since, told.as_of, wall)
    if out.p50 is not None:
        return f"{wall.ahead(out.p50, told.as_of)}, {_dated(out, out.p50, told, wall)}"
    if out.p10 is not None:
        first = wall.date(out.p10, told.as_of)
        return f"perhaps from {first} on ({chance_text(out.chance)} {within})"
    return f"not {within} ({chance_text(out.chance)})"


def _since(since: int, now: int, wall: Wall) -> str:
    days = -wall.days(since, now)
    ago = f", {past_text(days)}" if days else ""
    return f"since {wall.day(since, now)}{ago}"


def _dated(out: Exhaustion, middle: int, told: Assessment, wall: Wall) -> str:
    """The likeliest day, and those between which it is in eight cases of ten."""
    now, day = told.as_of, wall.day(middle, told.as_of)
    first = day if out.p10 is None else wall.date(out.p10, now)
    if out.p90 is None:
        late = f"perhaps not within {span_text(told.horizon_s)}"
        return f"{day}, from {first} on or {late}" if out.p10 is not None else f"{day}, or {late}"
    last = wall.date(out.p90, now)
    return day if first == last else f"{day}, between {first} and {last}"


def used_text(told: Assessment) -> str:
    """What is used at its worst, of how much."""
    room, unit = told.headroom, told.identity.unit
    if room is None:
        known = [value for value in told.usage.values if value is not None]
        return shown(known[-1], unit) if known else "–"
    used, limit = shorter(room.used, room.limit, unit), shown(room.limit, unit)
    return f"{used} of {limit} ({share_text(room.share)})"


def shorter(value: float, beside: float, unit: str) -> str:
    """An amount without its unit, where another amount that has the same stands behind it.

    >>> shorter(1, 2, "cores"), shorter(900 * 2**20, 2**31, "bytes")
    ('1', '900 MiB')
    """
    number, _, word = shown(value, unit).partition(" ")
    return number if shown(beside, unit).endswith(f" {word}") else shown(value, unit)


def ahead_text(room: Headroom | None) -> str:
    """What may be used of it within the horizon."""
    return "–" if room is None or room.ahead is None else share_text(room.ahead)


def by_text(sizing: Sizing, now: int, wall: Wall) -> str:
    """The last day to do it."""
    if sizing.by is None:
        return "whenever it suits"
    return "now" if wall.days(sizing.by, now) <= 0 else f"by {wall.day(sizing.by, now)}"


def advice_text(told: Assessment, wall: Wall) -> str:
    """What to do, by when, and what it costs or saves."""
    sizing = told.sizing
    if sizing is None:
        return "–"
    match sizing.action:
        case Action.KEEP:
            return "Keep it as it is"
        case Action.RAISE:
            by = "" if sizing.by is None else f" {by_text(sizing, told.as_of, wall)}"
            return f"Raise {_sizes(told, sizing)}{by}{_cost(sizing)}"
        case Action.LOWER:
            return f"Lower {_sizes(told, sizing)}{_cost(sizing)}"
    assert_never(sizing.action)


def _sizes(told: Assessment, sizing: Sizing) -> str:
    unit = told.identity.unit
    each = f" for each of {told.replicas} replicas" if told.replicas > 1 else ""
    present = shorter(sizing.present, sizing.to, unit)
    return f"the {sizing.what} from {present} to {shown(sizing.to, unit)}{each}"


def _cost(sizing: Sizing) -> str:
    if not sizing.saving:
        return ""
    verb = "saves" if sizing.saving > 0 else "costs"
    return f": {verb} {money_text(sizing.saving, sizing.currency)}"


def driver_text(driver: DriverModel, unit: str) -> str:
    """What usage follows, and how closely."""
    each, low, high = (
        shown(value, unit) for value in (driver.slope, driver.slope_low, driver.slope_high)
    )
    line = f"It follows {driver.name}: each more takes {each} ({low} to {high})"
    if driver.knee is not None and driver.bend:
        line += f", beyond {driver.knee:,.3g} {shown(driver.bend, unit)} more"
    seen = f"seen up to {driver.seen:,.3g}"
    return f"{line}. That explains {share_text(driver.explained)} of its changes; {seen}."


def accuracy_text(of: Accuracy) -> str:
    """What past reports said, and how often they were right."""
    parts = [of.sentence]
    if of.dates:
        parts.append(f"Of {of.dates} dates that came, {of.within} were in the range that was told.")
    if of.date_error_days is not None:
        parts.append(f"The middle was off by {of.date_error_days:.0f} days (median).")
    if of.inside is not None:
        days = share_text(of.inside)
        parts.append(f"Usage was in the range on {days} of the days (80 % is what was promised).")
    return " ".join(part for part in parts if part)
