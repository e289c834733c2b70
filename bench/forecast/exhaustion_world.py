"""Resources that run out, or do not: their past by the hour, their limit, and what came after.

Disks (even, changing and drifting growth; logs that are rotated by day, week or month), memory
(leaks that restart, and what grows by use), CPU and traffic (weeks, growth that adds or compounds,
known and unknown steps), connections with stray spikes, licences that come in steps. The limit is
drawn from what was true at the end of the past, never from what came; so is a planned one. What
came says when it ran out, by the words of docs/capacity.md, in code of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.capacity.resource import Kind, Limit, Resource
from models.forecast.history import History

__all__ = ["AFTER_DAYS", "FAMILIES", "Case", "came", "drawn"]

Floats = NDArray[np.float64]
# Midnight of a Thursday, 1 January 2026.
START_MS = 1_767_225_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# Days that are simulated after the report.
AFTER_DAYS = 200
_ONCE = (Kind.DISK, Kind.MEMORY, Kind.PARTITIONS, Kind.LICENCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a family made: all hours, the slope in a day at the end of the past, known changes."""

    kind: Kind
    values: Floats
    slope: float
    changes: tuple[int, ...] = ()
    # What the limit is to be above; the worst of the last week where not told.
    top: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A resource at `now`, and in how many days it ran out: inf for not within `AFTER_DAYS`."""

    family: str
    resource: Resource
    now: int
    came: float
    after: Floats = field(repr=False)


def drawn(family: str, seed: int) -> Case:
    """One case."""
    rng = np.random.default_rng([seed, list(FAMILIES).index(family)])
    days = int(rng.choice([42, 56, 60, 90, 120, 180]))
    past = 24 * days
    world = FAMILIES[family](rng, past)
    values = np.maximum(world.values, 0.0)
    now = START_MS + HOUR_MS * past
    limit = _limit(world, past, rng)
    history = History(
        values=_with_gaps(values[:past], rng), start_ms=START_MS, changes=world.changes
    )
    resource = Resource(
        name=family, kind=world.kind, unit="", service="bench", usage=history, limit=limit
    )
    after = values[past:]
    return Case(
        family=family, resource=resource, now=now, after=after,
        came=came(after, limit, now, world.kind),
    )  # fmt: skip


def _limit(world: World, past: int, rng: np.random.Generator) -> Limit:
    """Above what is used by the growth of so many days; now and then it is known to be raised."""
    recent = world.values[past - 168 : past]
    top = float(recent.max() if world.top is None else world.top)
    room = world.slope * rng.uniform(4, 80)
    if world.slope <= 0:
        room = top * rng.uniform(0.1, 0.5)
    value = top * 1.002 + room
    now = START_MS + HOUR_MS * past
    if rng.random() < 0.1:
        later = now + DAY_MS * int(rng.integers(5, 40))
        return Limit(steps=((0, value),), planned=((later, value + world.slope * 20 + 0.05 * top),))
    if rng.random() < 0.1:
        return Limit(steps=((0, value * 0.9), (now - 9 * DAY_MS, value)))
    return Limit.of(value)


def _with_gaps(values: Floats, rng: np.random.Generator) -> Floats:
    """Single hours are missing, and of one in four a stretch of up to five days."""
    seen = np.where(rng.random(len(values)) < 0.01, np.nan, values)
    if rng.random() < 0.25:
        size = int(rng.integers(6, 120))
        at = int(rng.integers(0, len(values) - size - 48))
        seen[at : at + size] = np.nan
    return seen


def came(after: Floats, limit: Limit, now: int, kind: Kind) -> float:
    """In days from now, as the documentation says what exhausted means."""
    hours = now + HOUR_MS * np.arange(len(after))
    bound = np.array([limit.at(int(hour)) for hour in hours])
    full = after >= bound
    if kind in _ONCE:
        return float(np.argmax(full) / 24) if full.any() else np.inf
    days = full[: len(full) // 24 * 24].reshape(-1, 24).sum(axis=1) >= 2
    for at in np.flatnonzero(days):
        if days[at + 1 : at + 7].any():
            return float(at)
    return np.inf


def _hours(past: int) -> Floats:
    return np.arange(past + 24 * AFTER_DAYS, dtype=np.float64)


def _daily(hour: Floats, depth: float, rng: np.random.Generator) -> Floats:
    """The day and the week of people: about 1 at the mean, deeper at night and on Sundays."""
    phase = rng.uniform(-3, 3)
    day = 1 - depth * np.cos((hour - 3 - phase) * np.pi / 12)
    weekend = rng.uniform(0.6, 1.05)
    return day * np.where((hour // 24 + 3) % 7 >= 5, weekend, 1.0)


def _smooth(size: int, kept: float, rng: np.random.Generator) -> Floats:
    """Noise of unit spread, of which so much is kept from step to step."""
    shocks = rng.standard_normal(size) * np.sqrt(1 - kept**2)
    made = np.empty(size)
    value = rng.standard_normal()
    for at, shock in enumerate(shocks):
        value = kept * value + shock
        made[at] = value
    return made


def _written(hour: Floats, rates: Floats, rng: np.random.Generator) -> Floats:
    """What is written each hour: in lumps, by the day of people; `rates` in a day."""
    lumps = rng.gamma(rng.uniform(0.3, 3), size=len(hour))
    busy = _daily(hour, rng.uniform(0.0, 0.6), rng)
    written: Floats = rates / 24 * busy * lumps / lumps.mean()
    return written


def _disk(rng: np.random.Generator, hour: Floats, rates: Floats, first: float) -> Floats:
    """What is kept of what is written, and logs that are thrown away each night."""
    kept = first + np.cumsum(_written(hour, rates, rng))
    logs = rng.uniform(0, 3) * float(np.mean(rates))
    return (
        kept
        + logs
        * ((hour % 24) / 24)
        * rng.uniform(0.8, 1.2, len(hour) // 24 + 1).repeat(24)[: len(hour)]
    )


def _rate(rng: np.random.Generator) -> tuple[float, float]:
    """What there is at first, and what comes to it in a day."""
    first = float(np.exp(rng.uniform(2, 7)))
    return first, first * float(np.exp(rng.uniform(np.log(0.002), np.log(0.02))))


def disk_even(rng: np.random.Generator, past: int) -> World:
    """The same growth all the time."""
    hour = _hours(past)
    first, rate = _rate(rng)
    values = _disk(rng, hour, np.full(len(hour), rate), first)
    return World(kind=Kind.DISK, values=values, slope=rate)


def disk_changing(rng: np.random.Generator, past: int) -> World:
    """Growth that becomes another at times that nobody knows, once in two months."""
    hour = _hours(past)
    first, rate = _rate(rng)
    changes = np.cumsum(rng.exponential(60 * 24, 40))
    levels = rate * np.exp(0.4 * rng.standard_normal(41))
    rates = levels[np.searchsorted(changes, hour)]
    return World(
        kind=Kind.DISK, values=_disk(rng, hour, rates, first), slope=float(rates[past - 1])
    )


def disk_drifting(rng: np.random.Generator, past: int) -> World:
    """Growth that is never quite the same, over weeks."""
    hour = _hours(past)
    first, rate = _rate(rng)
    days = _smooth(len(hour) // 24 + 1, float(np.exp(-1 / rng.uniform(15, 60))), rng)
    rates = rate * np.exp(0.3 * days.repeat(24)[: len(hour)])
    return World(
        kind=Kind.DISK, values=_disk(rng, hour, rates, first), slope=float(rates[past - 1])
    )


def disk_rotated(rng: np.random.Generator, past: int) -> World:
    """Even growth below logs that are kept for a week to a month, and then thrown away."""
    hour = _hours(past)
    first, rate = _rate(rng)
    every = 24 * int(rng.choice([7, 7, 10, 14, 30]))
    age = (hour + int(rng.integers(0, every))) % every
    logs = rate * rng.uniform(0.5, 4) * age / 24
    values = first + np.cumsum(_written(hour, np.full(len(hour), rate), rng)) + logs
    top = float(values[past - min(every, past) : past].max())
    return World(kind=Kind.DISK, values=values, slope=rate, top=top)


def memory_leak(rng: np.random.Generator, past: int) -> World:
    """A leak that a restart ends, by deployments that are more or less regular."""
    hour = _hours(past)
    first = float(np.exp(rng.uniform(2, 7)))
    mean, regular = rng.uniform(6, 16) * 24, rng.uniform(3, 30)
    restarts = np.cumsum(rng.gamma(regular, mean / regular, len(hour) // 48)).astype(int)
    of = np.searchsorted(restarts, hour, side="right")
    begun = np.concatenate([[-rng.uniform(0, mean)], restarts])[of]
    rate = first * float(np.exp(rng.uniform(np.log(0.01), np.log(0.06))))
    each = rate * np.exp(0.1 * rng.standard_normal(len(restarts) + 1))[of]
    base = first * (1 + 0.01 * rng.standard_normal(len(restarts) + 1))[of]
    values = base + each * (hour - begun) / 24 + 0.003 * first * _smooth(len(hour), 0.9, rng)
    inside = restarts[(restarts > 0) & (restarts < past)]
    known = tuple(int(one) for one in inside) if rng.random() < 0.5 else ()
    top = float(values[max(0, past - 60 * 24) : past].max())
    return World(kind=Kind.MEMORY, values=values, slope=rate / 12, top=top, changes=known)


def memory_growing(rng: np.random.Generator, past: int) -> World:
    """Memory by use, that grows."""
    hour = _hours(past)
    first, rate = _rate(rng)
    swing = rng.uniform(0.01, 0.1)
    values = (first + rate * hour / 24) * (1 + swing * (_daily(hour, 0.5, rng) - 1))
    values = values + first * rng.uniform(0.002, 0.02) * _smooth(len(hour), 0.97, rng)
    return World(kind=Kind.MEMORY, values=values, slope=rate)


def _load(rng: np.random.Generator, hour: Floats, level: Floats) -> Floats:
    """What people do, with noise of 0.5 to 3 % by the hour and of 0.5 to 2 % by the day."""
    days = _smooth(len(hour) // 24 + 1, rng.uniform(0.2, 0.8), rng).repeat(24)[: len(hour)]
    by_day, by_hour = rng.uniform(0.005, 0.02), rng.uniform(0.005, 0.03)
    noise = np.exp(by_day * days + by_hour * rng.standard_normal(len(hour)))
    return level * _daily(hour, rng.uniform(0.2, 0.6), rng) * noise


def _sloped(values: Floats, level: Floats, past: int) -> float:
    """How much the weekly worst grows in a day, by what is true at the end."""
    worst = float(np.quantile(values[past - 168 : past], 0.99))
    return worst * float((level[past - 1] - level[past - 25]) / level[past - 1])


def cpu_adding(rng: np.random.Generator, past: int) -> World:
    """Traffic that grows by the same each week."""
    hour = _hours(past)
    first, rate = _rate(rng)
    level = first + rate * hour / 24
    values = _load(rng, hour, level)
    return World(kind=Kind.CPU, values=values, slope=_sloped(values, level, past))


def cpu_compounding(rng: np.random.Generator, past: int) -> World:
    """Traffic that grows by the same share each week."""
    hour = _hours(past)
    level = np.exp(rng.uniform(2, 7)) * np.exp(rng.uniform(0.01, 0.07) * hour / 168)
    values = _load(rng, hour, level)
    return World(kind=Kind.TRAFFIC, values=values, slope=_sloped(values, level, past))


def cpu_stepped(rng: np.random.Generator, past: int) -> World:
    """Growth, and rollouts that took more or less at once, of which most are known."""
    hour = _hours(past)
    first, rate = _rate(rng)
    level = first + rate * hour / 24
    steps = np.sort(rng.integers(10 * 24, past - 4 * 24, rng.integers(1, 3)))
    times = np.cumprod(np.concatenate([[1.0], np.exp(0.2 * rng.standard_normal(len(steps)))]))
    level = level * times[np.searchsorted(steps, hour, side="right")]
    values = _load(rng, hour, level)
    known = tuple(sorted({int(one) for one in steps if rng.random() < 0.8}))
    return World(kind=Kind.CPU, values=values, slope=_sloped(values, level, past), changes=known)


def connections(rng: np.random.Generator, past: int) -> World:
    """Whole numbers, with stray spikes of an hour."""
    hour = _hours(past)
    first = float(np.exp(rng.uniform(4.6, 7.6)))
    rate = first * float(np.exp(rng.uniform(np.log(0.002), np.log(0.02))))
    level = first + rate * hour / 24
    values = rng.poisson(_load(rng, hour, level)).astype(np.float64)
    slope = _sloped(values, level, past)
    spikes = rng.random(len(hour)) < 1 / (24 * 20)
    # Of the limit's top no spike takes part: people set limits by what is usual.
    top = float(np.quantile(values[past - 168 : past], 0.99))
    values[spikes] *= rng.uniform(1.5, 3, int(spikes.sum()))
    return World(kind=Kind.CONNECTIONS, values=values, slope=slope, top=top)


def licences(rng: np.random.Generator, past: int) -> World:
    """People who come, now and then a team, and hardly leave."""
    hour = _hours(past)
    first = float(rng.integers(60, 800))
    rate = first * rng.uniform(0.003, 0.015)
    comes = rng.poisson(rate / 24, len(hour)) * (1 + rng.poisson(0.5, len(hour)))
    leaves = rng.poisson(0.1 * rate / 24, len(hour))
    values = first + np.cumsum(comes - leaves)
    return World(kind=Kind.LICENCES, values=values.astype(np.float64), slope=1.4 * rate)


def flat(rng: np.random.Generator, past: int) -> World:
    """What does not grow."""
    hour = _hours(past)
    level = np.full(len(hour), float(np.exp(rng.uniform(2, 7))))
    values = _load(rng, hour, level)
    return World(kind=Kind.CPU, values=values, slope=0.0)


FAMILIES: Mapping[str, Callable[[np.random.Generator, int], World]] = {
    made.__name__: made
    for made in (
        disk_even,
        disk_changing,
        disk_drifting,
        disk_rotated,
        memory_leak,
        memory_growing,
        cpu_adding,
        cpu_compounding,
        cpu_stepped,
        connections,
        licences,
        flat,
    )
}
