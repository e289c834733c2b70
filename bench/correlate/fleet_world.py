"""A fleet in numbers: services that call each other, changes, faults, and what metrics show.

Harm spreads as it does in production: who calls a slow service waits for it, who calls a failing
one fails for a part of its own requests. Nothing here knows how incidents are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.changes.change import ChangeKind

__all__ = ["DAY", "START_MS", "STEP_MS", "Fault", "Fleet", "Harm", "Made", "drawn", "metrics"]

Floats = NDArray[np.float64]
STEP_MS, DAY = 60_000, 1440
# A Monday.
START_MS = 1_789_948_800_000
SIGNALS = ("requests_per_second", "error_ratio", "latency_p95_seconds", "cpu_cores")


class Harm(Enum):
    """What a fault does."""

    ERRORS = "errors"
    LATENCY = "latency"
    CPU = "cpu"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A change; times in steps from the start of the first day."""

    number: int
    kind: ChangeKind
    service: int | None
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Harm at one service from a step to another; `change` is the guilty one's number."""

    harm: Harm
    size: float
    service: int
    start: float
    ramp: float
    end: float
    change: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All of it, from a seed; `calls` (n, n) are requests to the column per one of the row."""

    calls: Floats
    order: tuple[int, ...]
    rate: Floats
    latency: Floats
    errors: Floats
    changes: tuple[Made, ...]
    faults: tuple[Fault, ...]
    days: int
    seed: int

    @property
    def size(self) -> int:
        """How many services."""
        return len(self.rate)


def drawn(seed: int, *, services: int = 200, days: int = 28, changes: int = 60) -> Fleet:
    """A fleet: layers of services, each called by some of the layers above."""
    rng = np.random.default_rng([seed, 7])
    layer = np.sort(rng.integers(0, 5, services))
    calls = np.zeros((services, services))
    for caller in range(services):
        below = np.flatnonzero(layer > layer[caller])
        if len(below):
            many = min(len(below), 1 + int(rng.poisson(1.5)))
            chosen = rng.choice(below, many, replace=False)
            calls[caller, chosen] = rng.choice([1.0, 1.0, 0.5, 0.2], many)
    rate = np.where(layer == 0, 10.0 ** rng.uniform(0.7, 2.3, services), 0.5)
    for caller in range(services):
        rate += calls[caller] * rate[caller]
    made, bad = _changes(rng, services, days, changes)
    return Fleet(
        calls=calls,
        order=tuple(range(services - 1, -1, -1)),
        rate=rate,
        latency=10.0 ** rng.uniform(-2.3, -1.0, services),
        errors=10.0 ** rng.uniform(-4.0, -2.3, services),
        changes=tuple(made),
        faults=tuple(sorted([*bad, *_unrelated(rng, services, days)], key=lambda one: one.start)),
        days=days,
        seed=seed,
    )


_KINDS = (ChangeKind.DEPLOYMENT, ChangeKind.CONFIG, ChangeKind.FLAG, ChangeKind.INFRASTRUCTURE)


def _changes(
    rng: np.random.Generator, services: int, days: int, a_day: int
) -> tuple[list[Made], list[Fault]]:
    """Most in working hours; one in twenty is bad, and is rolled back after a while."""
    made: list[Made] = []
    bad: list[Fault] = []
    for day in range(2, days):
        for _ in range(rng.poisson(a_day)):
            hour = rng.uniform(8, 18) if rng.random() < 0.8 else rng.uniform(0, 24)
            start = DAY * day + 60 * hour
            kind = _KINDS[rng.choice(4, p=(0.7, 0.12, 0.12, 0.06))]
            service = int(rng.integers(services))
            is_everywhere = kind is ChangeKind.INFRASTRUCTURE and rng.random() < 0.5
            lasts = rng.uniform(5, 20) if kind is ChangeKind.DEPLOYMENT else 0.0
            one = Made(
                number=len(made), kind=kind, service=None if is_everywhere else service,
                start=start, end=start + lasts,
            )  # fmt: skip
            made.append(one)
            if rng.random() < 0.05:
                fault = _fault(rng, service, _shown(rng, one), one.number)
                bad.append(fault)
                made.append(_rollback(len(made), one, fault))
    return made, bad


def _rollback(number: int, bad: Made, fault: Fault) -> Made:
    """What ends the harm of a bad change: to whoever looks at times alone one more suspect."""
    return Made(
        number=number,
        kind=ChangeKind.ROLLBACK,
        service=bad.service,
        start=fault.end - 3,
        end=fault.end,
    )


def _shown(rng: np.random.Generator, change: Made) -> float:
    """When a bad change begins to harm: mostly as it is rolled out, sometimes much later."""
    kind = rng.random()
    if kind < 0.75:
        return change.start + float(rng.uniform(0, max(1.0, (change.end - change.start) * 0.7)))
    return change.end + float(rng.exponential(15.0 if kind < 0.92 else 90.0))


def _unrelated(rng: np.random.Generator, services: int, days: int) -> Iterator[Fault]:
    for day in range(2, days):
        for _ in range(rng.poisson(3)):
            start = DAY * day + float(rng.uniform(0, DAY))
            yield _fault(rng, int(rng.integers(services)), start, None)


def _fault(rng: np.random.Generator, service: int, start: float, change: int | None) -> Fault:
    harm = (Harm.ERRORS, Harm.LATENCY, Harm.CPU, Harm.OUTAGE)[rng.choice(4, p=(0.4, 0.4, 0.1, 0.1))]
    sizes = {
        Harm.ERRORS: 10.0 ** rng.uniform(-1.7, -0.5),
        Harm.LATENCY: rng.uniform(0.6, 4.0),
        Harm.CPU: rng.uniform(0.6, 2.0),
        Harm.OUTAGE: rng.uniform(0.5, 1.0),
    }
    ramp = 0.0 if rng.random() < 0.7 else float(rng.uniform(5, 30))
    lasts = float(rng.uniform(25, 90))
    return Fault(
        harm=harm, size=float(sizes[harm]), service=service, start=start, ramp=ramp,
        end=start + ramp + lasts, change=change,
    )  # fmt: skip


def metrics(fleet: Fleet) -> Iterator[tuple[int, Floats]]:
    """Day by day: its first step, and values (DAY, services, 4) as a Prometheus would give them."""
    rng = np.random.default_rng([fleet.seed, 8])
    memory = np.zeros((2, fleet.size))
    for day in range(fleet.days):
        steps = DAY * day + np.arange(DAY, dtype=float)
        noise = _noise(rng, fleet.size, memory)
        yield DAY * day, _values(rng, fleet, steps, noise)


def _noise(rng: np.random.Generator, size: int, memory: Floats) -> Floats:
    """Correlated in time: (2, DAY, size) of latency and load."""
    shock = rng.standard_t(6.0, (2, DAY, size))
    for step in range(DAY):
        memory[:] = 0.5 * memory + shock[:, step]
        shock[:, step] = memory
    return shock


def _values(rng: np.random.Generator, fleet: Fleet, steps: Floats, noise: Floats) -> Floats:
    harm = {kind: np.zeros((len(steps), fleet.size)) for kind in Harm}
    for fault in fleet.faults:
        harm[fault.harm][:, fault.service] += fault.size * _course(fault, steps)
    season = 1.0 + 0.5 * np.sin(2 * np.pi * (steps[:, None] / DAY - 0.3))
    weekend = np.where((steps[:, None] // DAY) % 7 >= 5, 0.7, 1.0)
    outage = np.minimum(harm[Harm.OUTAGE], 1.0)
    load = fleet.rate * season * weekend * np.exp(0.04 * noise[1])
    failing = np.minimum(1.0, fleet.errors + harm[Harm.ERRORS] + outage)
    slow = fleet.latency * np.exp(0.05 * noise[0])
    usual = fleet.latency.copy()
    for caller in fleet.order:
        for callee in np.flatnonzero(fleet.calls[caller]):
            share = min(1.0, fleet.calls[caller, callee])
            passed = 0.6 * share * (failing[:, callee] - fleet.errors[callee])
            failing[:, caller] = np.minimum(1.0, failing[:, caller] + passed)
            slow[:, caller] += share * slow[:, callee]
            usual[caller] += share * usual[callee]
        slow[:, caller] += harm[Harm.LATENCY][:, caller] * usual[caller]
    for caller in reversed(fleet.order):
        lost = failing[:, caller] - fleet.errors[caller]
        for callee in np.flatnonzero(fleet.calls[caller]):
            part = fleet.calls[caller, callee] * fleet.rate[caller] / fleet.rate[callee]
            load[:, callee] *= 1.0 - 0.3 * min(1.0, part) * lost
    requests = rng.poisson(60 * load)
    errors = rng.binomial(requests, failing) / np.maximum(requests, 1)
    cpu = 0.02 * load * (1.0 + harm[Harm.CPU]) * np.exp(0.05 * rng.standard_normal(load.shape))
    return np.stack([requests / 60.0, errors, slow, cpu], axis=2)


def _course(fault: Fault, steps: Floats) -> Floats:
    """How much of the harm there is at each step: 0 to 1."""
    risen = (steps - fault.start) / fault.ramp if fault.ramp else (steps >= fault.start) * 1.0
    return np.clip(risen, 0.0, 1.0) * (steps < fault.end)
