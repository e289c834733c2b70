"""What a date rests on, in plain words, and why there is none where there can be none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from detector.capacity.assessed import DriverModel
from detector.capacity.days import LASTING_H, REACHED_ONCE, Days
from detector.capacity.driver import load_at
from detector.capacity.moments import counted, day, lasting
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.units import shown
from detector.capacity.whatif import UNDRIVEN, Load, LoadOf, WhatIf
from models.baseline.calendar import DAY_MS
from models.growth.futures import LEAST_DAYS, Futures

__all__ = ["assumed", "problem_of"]

# A silence at the end is bridged up to so many days, and to so much of what was measured.
_SILENT_DAYS, _SILENT_PART = 14, 0.5
# Numbers that are so far apart do not count the same.
_TIMES_ABOVE, _TIMES_BELOW = 100.0, 2.0**29
_LATELY_DAYS, _GAP_DAYS, _YOUNG_DAYS = 30, 3, 42
_WORTH = 0.2


def problem_of(resource: Resource, days: Days, as_of: int) -> str | None:
    """Why nothing can be told of the weeks to come, None where something can."""
    if not np.isfinite(days.last):
        return "nothing was measured"
    age = (as_of - days.last_ms) / DAY_MS
    if age > min(_SILENT_DAYS, max(_SILENT_PART * days.known, 1)):
        return f"nothing was measured in the last {lasting(86_400 * age)}"
    if days.known < LEAST_DAYS:
        told = lasting(86_400 * days.known) if days.known else "less than a day"
        why = f" since it is counted in {resource.unit or 'its unit'}" if days.times != 1 else ""
        return f"not enough history: needs {LEAST_DAYS} days, has {told}{why}"
    return _mixed(resource, days)


def _mixed(resource: Resource, days: Days) -> str | None:
    """Bytes against GiB, and its kin."""
    if resource.limit is None:
        return None
    limit, used = resource.limit.at(days.end_ms), days.last
    if used > _TIMES_ABOVE * limit or 0 < used < limit / _TIMES_BELOW:
        unit = resource.unit or "as plain numbers"
        return f"{used:.4g} are used of a limit of {limit:.4g}, both {unit}: are units mixed?"
    return None


def assumed(
    resource: Resource,
    limit: Limit | None,
    days: Days,
    model: DriverModel | None,
    drawn: Futures,
    as_of: int,
    what_if: Sequence[WhatIf] = (),
) -> tuple[str, ...]:
    """What the date rests on, each in a sentence."""
    return (
        *_of_what_ifs(resource, model, what_if),
        *_of_growth(resource, drawn.weights),
        *_of_limit(resource, limit, as_of),
        *_of_measuring(days, resource.unit),
        *_of_silence(days, as_of),
        *_of_steps(days, drawn.steps),
        *_of_driver(resource, limit, model, as_of),
    )


def _of_what_ifs(
    resource: Resource, model: DriverModel | None, what_if: Sequence[WhatIf]
) -> Iterator[str]:
    own = [one for one in what_if if one.kind in (None, resource.kind)]
    for one in own:
        yield f"It is supposed that: {one.text}."
    if any(isinstance(one, Load) and one.of is LoadOf.TRAFFIC for one in own):
        yield from _of_traffic(resource.kind, model)


def _of_traffic(kind: Kind, model: DriverModel | None) -> Iterator[str]:
    """How more traffic becomes more usage."""
    if kind in UNDRIVEN:
        yield f"Traffic is taken to move no {kind}."
    elif kind is Kind.DISK:
        yield "Traffic is taken to fill the disk so many times as fast."
    elif model is None and kind is not Kind.TRAFFIC:
        yield "Usage is multiplied as traffic is, as nothing is known that drives it."


def _of_growth(resource: Resource, weights: Mapping[str, float]) -> Iterator[str]:
    told = [name for name, weight in sorted(weights.items(), key=lambda one: -one[1])]
    shares = [f"{name} ({weights[name]:.0%})" for name in told if weights[name] >= _WORTH]
    yield f"Usage goes on as its past allows: {' or '.join(shares or told[:1])}."
    if resource.kind not in REACHED_ONCE:
        yield f"A day counts by what it reached for {LASTING_H} hours, not by a single spike."


def _of_limit(resource: Resource, limit: Limit | None, as_of: int) -> Iterator[str]:
    if limit is None:
        yield "No limit is known, so no date can be told."
        return
    unit = resource.unit
    at, value = limit.steps[-1]
    if len(limit.steps) > 1 and as_of - at <= _LATELY_DAYS * DAY_MS:
        before = shown(limit.steps[-2][1], unit)
        yield f"The limit was changed from {before} to {shown(value, unit)} on {day(at)}."
    for at, value in limit.planned:
        yield f"The limit is {shown(value, unit)} from {day(at)} on."
    if not limit.planned:
        yield f"The limit stays at {shown(limit.at(as_of), unit)}."


def _of_measuring(days: Days, unit: str) -> Iterator[str]:
    for count, what in ((days.negative, "below 0"), (days.strays, "beyond all measure")):
        if count:
            yield f"{counted(count, 'value')} {what} {'was' if count == 1 else 'were'} left out."
    if days.times != 1:
        more = f"{days.times:,.4g} times as much" if days.times > 1 else "a fraction of it"
        yield (
            f"Before {day(days.start_ms)} usage is left out: it became {more} at once,"
            f" as if it had not been counted in {unit or 'the same unit'} before."
        )
    missing = _longest_gap(days)
    if missing >= _GAP_DAYS:
        yield f"Nothing is known of {missing} days in a row."
    if days.known < _YOUNG_DAYS:
        yield f"There are {days.known} days of history only, so the dates are wide apart."


def _of_silence(days: Days, as_of: int) -> Iterator[str]:
    """What is not known at the end, and where nothing ever moved."""
    age = as_of - days.last_ms
    if age >= DAY_MS:
        yield (
            f"Nothing was measured in the last {lasting(age // 1000)}: it is taken to have gone on,"
            " and the dates are wider apart."
        )
    if float(np.nanmin(days.worst)) == float(np.nanmax(days.worst)):
        yield (
            f"Usage was the same on all of {days.known} days: nothing is known of how it grows,"
            " and that it stays is no forecast."
        )


def _of_steps(days: Days, found: tuple[int, ...]) -> Iterator[str]:
    """Where the level moved at once, by changes that are known or not."""
    known = len({n - (n - 1 in days.jumps()) for n in days.jumps()})
    if known:
        told = "a known change is" if known == 1 else f"{known} known changes are"
        yield f"What moved with {told} taken as a step, not as growth."
    if found:
        dates = " and ".join(day(days.start_ms + DAY_MS * at + DAY_MS // 2) for at in found)
        yield f"The level moved at once on {dates}; that is taken as a step, not as growth."


def _longest_gap(days: Days) -> int:
    known = np.flatnonzero(np.isfinite(days.worst))
    return int(np.diff(known).max(initial=1)) - 1


def _of_driver(
    resource: Resource, limit: Limit | None, model: DriverModel | None, as_of: int
) -> Iterator[str]:
    if model is None:
        return
    name = model.name or "the driver"
    yield (
        f"Usage follows {name}: {model.slope:.3g} {resource.unit} each"
        f" ({model.slope_low:.3g} to {model.slope_high:.3g}); it explains {model.explained:.0%}."
    )
    if limit is None:
        return
    most = load_at(model, limit.at(as_of))
    beyond = " That is beyond what was seen." if most > model.seen else ""
    yield f"By that the limit is reached at {most:.3g} of {name}.{beyond}"
