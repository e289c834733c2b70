"""A fleet that writes logs for weeks, with ordinary drift, and what is broken in it on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.logs.counted import LogCounts, Template
from detector.logs.lines import Level, Origin

__all__ = ["DAY", "Fault", "Fleet", "fleet"]

BIN_MS, MINUTE_MS = 15_000, 60_000
HOUR, DAY = 60, 1440
T0 = 1_790_000_000_000 - 1_790_000_000_000 % 604_800_000
_LEVELS = (Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR)
_FOREVER = 10**9


@dataclass(frozen=True, slots=True)
class Fault:
    """What was broken: from minute `start` to `end`, and the templates that show it."""

    kind: str
    service: int
    start: int
    end: int
    ids: frozenset[str]


@dataclass(slots=True)
class Fleet:
    """Templates as columns: whose, level, lines a minute, from when to when, by day or always."""

    rng: np.random.Generator
    services: int
    minutes: int
    service: list[int] = field(default_factory=list)
    level: list[int] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    born: list[int] = field(default_factory=list)
    dies: list[int] = field(default_factory=list)
    daily: list[bool] = field(default_factory=list)
    # Of heartbeats: seconds between beats, how often one is missed, pauses from minute to minute.
    beats: dict[int, tuple[float, float]] = field(default_factory=dict)
    pauses: list[tuple[int, int, int]] = field(default_factory=list)
    deploys: list[tuple[int, int]] = field(default_factory=list)
    silenced: list[tuple[int, int, int]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, service: int, level: int, rate: float, born: int = 0, dies: int = _FOREVER,
            *, daily: bool = False) -> int:  # fmt: skip
        """One more template; its number."""
        self.service.append(service)
        self.level.append(level)
        self.rate.append(rate)
        self.born.append(born)
        self.dies.append(dies)
        self.daily.append(daily)
        return len(self.service) - 1

    def id(self, number: int) -> str:
        """Of a template."""
        return f"lt_{number:016x}"

    def minutes_of_logs(self) -> Iterator[LogCounts]:
        """What each minute has."""
        templates = [Template(id=self.id(n), text=f"template {n} <num>")
                     for n in range(len(self.service))]  # fmt: skip
        columns = _Columns(self)
        for minute in range(self.minutes):
            number, at, count = columns.lines(minute)
            if len(number):
                yield self._counts(minute, templates, number, at, count)

    def _counts(self, minute: int, templates: list[Template], number: NDArray[np.int64],
                at: NDArray[np.int64], count: NDArray[np.int64]) -> LogCounts:  # fmt: skip
        present, place = np.unique(number, return_inverse=True)
        versions = [sum(1 for who, when in self.deploys if who == one and when <= minute)
                    for one in range(self.services)]  # fmt: skip
        return LogCounts(
            step_ms=BIN_MS,
            at=T0 + minute * MINUTE_MS + at * BIN_MS,
            template=place.astype(np.int32),
            origin=np.array(self.service, np.int32)[number],
            level=np.array(self.level, np.uint8)[number],
            count=count,
            templates=tuple(templates[n] for n in present.tolist()),
            origins=tuple(Origin(service=f"s{n}", version=f"v{v}") for n, v in enumerate(versions)),
        )


class _Columns:
    """The same as arrays, and the lines of a minute drawn of them."""

    def __init__(self, world: Fleet) -> None:
        self.world, self.rng = world, world.rng
        self.rate, self.service = np.array(world.rate), np.array(world.service)
        self.born, self.dies = np.array(world.born), np.array(world.dies)
        self.daily = np.array(world.daily)
        self.beats = sorted(world.beats)

    def lines(self, minute: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Template, bin within the minute, and count of each row."""
        down = {who for who, start, end in self.world.pauses if start <= minute < end}
        is_up = ~np.isin(self.service, list(down))
        lives = (self.born <= minute) & (minute < self.dies) & is_up
        hour = minute / 60 % 24
        weekday = 0.5 if minute // DAY % 7 >= 5 else 1.0
        traffic = weekday * (1 + 0.9 * np.sin((hour - 8) / 24 * 2 * np.pi))
        drawn = self.rng.poisson(np.where(lives, self.rate * np.where(self.daily, traffic, 1), 0))
        number = np.flatnonzero(drawn)
        at, count = self.rng.integers(0, 4, len(number)), drawn[number]
        mute = {n for n, start, end in self.world.silenced if start <= minute < end}
        beating = (n for n in self.beats if lives[n] and n not in mute)
        extra = [(n, at) for n in beating for at in self._beats(n, minute)]
        if extra:
            more = np.array(extra, np.int64)
            number = np.concatenate([number, more[:, 0]])
            at = np.concatenate([at, more[:, 1]])
            count = np.concatenate([count, np.ones(len(more), np.int64)])
        return number, at, count.astype(np.int64)

    def _beats(self, number: int, minute: int) -> Iterator[int]:
        period, missing = self.world.beats[number]
        first = int(np.ceil(minute * 60 / period))
        for nth in range(first, int(np.ceil((minute + 1) * 60 / period))):
            if self.rng.random() >= missing:
                yield min(int((nth * period - minute * 60) // 15), 3)


def fleet(seed: int, services: int, days: int) -> Fleet:
    """Services with many rare templates, new ones now and then, deploys, jobs, and faults."""
    world = Fleet(rng=np.random.default_rng(seed), services=services, minutes=days * DAY)
    for service in range(services):
        _ordinary(world, service)
        _drift(world, service, days)
        _deploys(world, service, days)
        _faults(world, service, days)
    return world


def _ordinary(world: Fleet, service: int) -> None:
    rng = world.rng
    for _ in range(rng.integers(25, 60)):
        level = int(rng.choice(_LEVELS, p=(0.15, 0.6, 0.15, 0.1)))
        rate = float(np.exp(rng.normal(np.log(0.1), 2.8)))
        world.add(service, level, min(rate, 60.0), daily=bool(rng.random() < 0.7))
    world.add(service, Level.INFO, 2.0)
    for _ in range(rng.integers(2, 6)):
        number = world.add(service, Level.INFO, 0.0)
        period = float(rng.choice([15, 30, 60, 60, 120, 300, 600, 3600]))
        world.beats[number] = (period, float(rng.choice([0, 0, 0.002, 0.02])))


def _drift(world: Fleet, service: int, days: int) -> None:
    """Things that were never written before and mean nothing: one service has many of them."""
    rng = world.rng
    a_week = {Level.INFO: 6.0, Level.WARN: 1.5, Level.ERROR: float(rng.choice([0.2, 0.5, 1, 8]))}
    for level, rate in a_week.items():
        for _ in range(rng.poisson(rate * days / 7)):
            born = int(rng.integers(0, days * DAY))
            _few(world, service, level, born)


def _few(world: Fleet, service: int, level: int, born: int) -> int:
    """A template that comes some times, and not again."""
    lasts = int(world.rng.integers(1, 60))
    return world.add(service, level, float(world.rng.integers(1, 8)) / lasts, born, born + lasts)


def _deploys(world: Fleet, service: int, days: int) -> None:
    """Three a week: a pause, a new version, banners, now and then a warning or an error."""
    rng = world.rng
    for _ in range(rng.poisson(3 * days / 7)):
        at = int(rng.integers(0, days * DAY))
        world.pauses.append((service, at - int(rng.integers(1, 3)), at))
        world.deploys.append((service, at))
        for _ in range(rng.integers(2, 12)):
            world.add(service, Level.INFO, 1.0, at, at + int(rng.integers(1, 5)))
        for _ in range(rng.poisson(1.0)):
            world.add(service, Level.INFO, float(np.exp(rng.normal(-2, 2))), at, daily=True)
        if rng.random() < 0.3:
            _few(world, service, Level.WARN, at)
        if rng.random() < 0.1:
            _few(world, service, Level.ERROR, at)


def _faults(world: Fleet, service: int, days: int) -> None:
    """After the first three days, each in a part of its own: errors, floods, silences, outages."""
    rng = world.rng
    kinds = rng.permutation(["error", "error", "burst", "silence", "silence", "outage"])
    part = (days - 3) * DAY // len(kinds)
    for nth, kind in enumerate(kinds.tolist()):
        start = 3 * DAY + nth * part + int(rng.integers(0, part // 2))
        end = start + int(rng.integers(30, 120))
        ids: list[int] = []
        if kind in ("error", "burst"):
            for _ in range(1 if kind == "error" else int(rng.integers(5, 20))):
                rate = float(np.exp(rng.uniform(np.log(0.2), np.log(100))))
                ids.append(world.add(service, Level.ERROR, rate, start, end))
        elif kind == "silence":
            ids.append(_silence(world, service, start, start + int(rng.integers(120, 360))))
            end = start + 360
        else:
            world.pauses.append((service, start, end))
        found = frozenset(world.id(number) for number in ids)
        world.faults.append(Fault(kind, service, start, end, found))


def _silence(world: Fleet, service: int, start: int, end: int) -> int:
    """One of its heartbeats of at most ten minutes stops for hours."""
    own = [n for n, (period, _) in world.beats.items() if world.service[n] == service]
    short = [n for n in own if world.beats[n][0] <= 600] or own
    number = int(world.rng.choice(short))
    world.silenced.append((number, start, end))
    return number
