"""Rollouts whose pods write to their logs: what is drawn, and the raw samples that tell of it.

Pods, traffic, plans of weights and what disturbs them are those of `bench/gate/rollout.py`. On top
comes the ordinary life of a log: every healthy rollout has some `Drift`, a faulty one too, and
beside it an error line that only the new version writes. Lines are drawn bin by bin from rates per
request and are told as serinus tells them: cumulative counters by pod, level and template.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.gate.rates import Rates, expected
from bench.gate.rollout import HISTORY_S, Rollout, draw
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE, at_times
from detector.series import FloatArray
from pipelines.sources.memory import MemorySource

__all__ = ["FAULT", "Drift", "World", "drawn", "filled"]

STEP_S = 15.0
FAULT = "lt_00000000000000ff"
_LINES = "serinus_log_lines_total"
# Faults are asked for where the canary serves as much, up to ten times that, at its first step.
_FAULT_RPS = 20.0


class Drift(StrEnum):
    """What a healthy release does to its logs."""

    BANNER = "banner at pod start"
    VERSIONS = "texts with the version"
    TIMER = "rare error of a timer"
    DUMP = "configuration at start"
    COLD = "errors while starting"
    DEBUG = "other debug level"
    VANISH = "texts that vanish"
    BURST = "burst on both sides"
    CLUSTER = "rare error in clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One rollout with its lines, drawn.

    `edges` (T + 1,) of the bins, seconds from the start; `requests` (P, T) served; `lines`
    (P, M, T) at error level by template; `chat` (P, T) at info level.
    """

    rollout: Rollout
    rates: Rates
    drifts: frozenset[Drift]
    faulty: bool
    edges: FloatArray
    names: tuple[str, ...]
    requests: FloatArray
    lines: FloatArray
    chat: FloatArray

    @property
    def canary(self) -> NDArray[np.bool_]:
        """Which pods are the canary's, (P,)."""
        return np.array([pod.canary for pod in self.rollout.pods])


def drawn(seed: int, *, faulty: bool) -> World:
    """One world; a faulty one has enough canary requests from the start."""
    rng = np.random.default_rng([seed, 91])
    rollout = draw(seed)
    if faulty:
        each = _FAULT_RPS * 10 ** rng.uniform(0, 1)
        rollout = replace(rollout, rps=each / rollout.steps[0][1])
    rates = expected(rollout)
    drifts = frozenset(one for one in Drift if rng.random() < 0.5) or frozenset({Drift.BANNER})
    edges = np.arange(-HISTORY_S, rollout.length + STEP_S, STEP_S)
    served = _served(rng, rates, edges)
    told = _Lines(rng, rollout, edges, served)
    told.usual()
    for drift in sorted(drifts):
        told.add(drift)
    if faulty:
        told.fault()
    names = tuple(told.lines)
    level = 3.0 if Drift.DEBUG in drifts else 1.0
    chatty = np.where([pod.canary for pod in rollout.pods], level, 1.0)[:, None]
    return World(
        rollout=rollout,
        rates=rates,
        drifts=drifts,
        faulty=faulty,
        edges=edges,
        names=names,
        requests=served,
        lines=_beside([told.lines[name] for name in names], served),
        chat=rng.poisson((1.0 * served + 0.2 * STEP_S) * chatty * told.alive).astype(np.float64),
    )


def _beside(each: list[FloatArray], served: FloatArray) -> FloatArray:
    """Lines of all templates, (P, M, T), of a silent service none."""
    if not each:
        return np.zeros((len(served), 0, served.shape[1]))
    return np.stack(each, axis=1)


def _served(rng: Generator, rates: Rates, edges: FloatArray) -> FloatArray:
    sums = np.zeros((len(rates.requests), len(rates.times)))
    np.cumsum(rates.requests * np.diff(rates.times), axis=1, out=sums[:, 1:])
    mean = np.stack([np.diff(at_times(rates.times, one, edges)) for one in sums])
    return rng.poisson(np.maximum(mean, 0.0)).astype(np.float64)


@dataclass(slots=True)
class _Lines:
    """Lines by template in the making, each (P, T)."""

    rng: Generator
    rollout: Rollout
    edges: FloatArray
    served: FloatArray
    lines: dict[str, FloatArray] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)
    alive: FloatArray = field(init=False)
    age: FloatArray = field(init=False)
    canary: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        middle = (self.edges[1:] + self.edges[:-1]) / 2
        births = np.array([pod.birth for pod in self.rollout.pods])[:, None]
        deaths = np.array([pod.death for pod in self.rollout.pods])[:, None]
        self.age = middle - births
        self.alive = ((self.age > 0) & (middle < deaths)).astype(np.float64)
        self.canary = np.array([[float(pod.canary)] for pod in self.rollout.pods])

    def usual(self) -> None:
        """What the service writes all along: few templates are common, most are rare."""
        rng, count = self.rng, int(self.rng.choice([0, 3, 10, 30, 80]))
        weights = 1 / np.arange(1, count + 1) ** 1.1
        total = 10 ** rng.uniform(-4.3, -1.7)
        spread, shared = rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.12)
        for part in (weights / max(weights.sum(), 1e-9)).tolist():
            each = spread * rng.standard_normal(self.canary.shape)
            arm = shared * rng.standard_normal() * self.canary
            self.known.append(self._write(total * part * np.exp(each + arm) * self.served))

    def _write(self, mean: FloatArray, name: str | None = None) -> str:
        """Lines of one template with these means; its name."""
        name = name or f"lt_{self.rng.integers(1 << 63):016x}"
        made = self.rng.poisson(mean * self.alive).astype(np.float64)
        self.lines[name] = self.lines.get(name, 0.0) + made
        return name

    def fault(self) -> None:
        """One in a hundred canary requests writes a line that nobody wrote before."""
        counted = self.rng.binomial(self.served.astype(np.int64), 0.01) * self.canary
        self.lines[FAULT] = counted.astype(np.float64)

    def add(self, drift: Drift) -> None:
        """Some drift of a kind."""
        {
            Drift.BANNER: self._banner,
            Drift.VERSIONS: self._versions,
            Drift.TIMER: self._timer,
            Drift.DUMP: self._dump,
            Drift.COLD: self._cold,
            Drift.DEBUG: lambda: None,
            Drift.VANISH: self._vanish,
            Drift.BURST: self._burst,
            Drift.CLUSTER: self._cluster,
        }[drift]()

    def _starting(self, low: float, high: float) -> FloatArray:
        """Bins in which a pod's age is between two times; also after restarts of its container."""
        found = (self.age > low) & (self.age <= high)
        middle = (self.edges[1:] + self.edges[:-1]) / 2
        for row, pod in enumerate(self.rollout.pods):
            for start in pod.starts[1:]:
                found[row] |= (middle - start > low) & (middle - start <= high)
        return found.astype(np.float64)

    def _banner(self) -> None:
        """A few lines by each pod once it starts; with the version in them they are new texts."""
        starting = self._starting(0.0, 15.0)
        for _ in range(int(self.rng.integers(1, 5))):
            own = self.canary if self.rng.random() < 0.5 else 1.0
            self._write(self.rng.uniform(1, 3) * starting * own)

    def _dump(self) -> None:
        """Dozens of texts, many lines, within half a minute of the start."""
        starting = self._starting(0.0, 30.0)
        for _ in range(int(self.rng.integers(5, 40))):
            self._write(self.rng.uniform(0.5, 10) * starting)

    def _cold(self) -> None:
        """Refused connections while a pod starts, fewer by the second."""
        for _ in range(int(self.rng.integers(1, 4))):
            span, each = self.rng.uniform(10, 40), self.rng.uniform(0.05, 0.5)
            mean = each * STEP_S * np.exp(-np.maximum(self.age, 0.0) / span)
            name = (
                str(self.rng.choice(self.known)) if self.known and self.rng.random() < 0.5 else None
            )
            self._write(mean, name)

    def _versions(self) -> None:
        """Texts that name the version: of the canary alone, and rare."""
        for _ in range(int(self.rng.integers(1, 7))):
            self._write(10 ** self.rng.uniform(-6, -4) * self.served * self.canary)

    def _timer(self) -> None:
        """A line now and then whatever the traffic, of the new version alone or of both."""
        for _ in range(int(self.rng.integers(1, 3))):
            own = self.canary if self.rng.random() < 0.5 else np.ones_like(self.canary)
            every = self.rng.uniform(1200, 7200)
            self._write(STEP_S / every * np.ones_like(self.served) * own)

    def _vanish(self) -> None:
        """A part of the known texts is not written by the new version any more."""
        for name in self.known:
            if self.rng.random() < 0.2:
                self.lines[name] = self.lines[name] * (1 - self.canary)

    def _burst(self) -> None:
        """Something that both sides depend on fails: known texts by the dozen, and a new one."""
        middle = (self.edges[1:] + self.edges[:-1]) / 2
        for _ in range(int(self.rng.integers(1, 4))):
            begin = float(self.rng.uniform(-1800, self.rollout.length))
            inside = (middle >= begin) & (middle < begin + self.rng.uniform(30, 300))
            share = 10 ** self.rng.uniform(-3, -1.3)
            each = np.exp(0.1 * self.rng.standard_normal(self.canary.shape))
            name = (
                str(self.rng.choice(self.known)) if self.known and self.rng.random() < 0.5 else None
            )
            self._write(share * each * self.served * inside, name)

    def _cluster(self) -> None:
        """Known and rare, but many lines at once on one pod, on either side."""
        for _ in range(int(self.rng.integers(1, 3))):
            every = self.rng.uniform(1200, 3600)
            begins = self.rng.random(self.served.shape) < STEP_S / every
            size = self.rng.uniform(5, 40) * begins
            lasting = int(self.rng.integers(1, 5))
            mean = sum(np.roll(size, k, axis=1) for k in range(lasting)) / lasting
            self._write(np.asarray(mean, np.float64))


# -- raw samples


def filled(world: World) -> MemorySource:
    """A source with the requests as scraped and the lines as serinus counts them."""
    rng = np.random.default_rng([world.rollout.seed, 92])
    source = MemorySource(retention_s=10 * 86_400)
    for row, pod in enumerate(world.rollout.pods):
        labels = {
            "namespace": NAMESPACE,
            "service": SERVICE,
            "pod": pod.name,
            "version": "v2" if pod.canary else "v1",
        }
        for more, times, values in (*_requests(rng, world, row), *_counted(rng, world, row)):
            if len(times):
                source.add({**labels, **more}, times + ORIGIN, values)
    return source


Told = Iterator[tuple[dict[str, str], FloatArray, FloatArray]]


def _requests(rng: Generator, world: World, row: int) -> Told:
    """`http_requests_total` of one pod by code, from 0 with each container."""
    pod, every = world.rollout.pods[row], world.rollout.interval
    phase = float(rng.uniform(0, every))
    times = np.arange(-HISTORY_S + phase, world.rollout.length, every)
    times = times[(times > pod.birth + 2.0) & (times < pod.death)]
    for gap in world.rollout.gaps:
        if gap.pod in (row, -2):
            times = times[(times < gap.begin) | (times >= gap.end)]
    share = world.rollout.error_rate * math.exp(pod.errors + pod.canary * world.rollout.arm_errors)
    failed = rng.binomial(world.requests[row].astype(np.int64), min(share, 0.9))
    own = {"__name__": "http_requests_total", "job": SERVICE, "instance": f"{pod.name}:8080"}
    for code, counts in (("200", world.requests[row] - failed), ("500", failed)):
        values = np.floor(at_times(world.edges, np.append(0.0, np.cumsum(counts)), times))
        for start in pod.starts[1:]:
            before = at_times(world.edges, np.append(0.0, np.cumsum(counts)), np.array([start]))
            values = np.where(times >= start, values - np.floor(before), values)
        born = np.maximum(values, 0.0) > 0 if code == "500" else np.ones(len(times), np.bool_)
        yield {**own, "code": code, "path": "/api"}, times[born], np.maximum(values, 0.0)[born]


def _counted(rng: Generator, world: World, row: int) -> Told:
    """Lines of one pod: by level, and error lines by template, from the first of each on."""
    pod, ends = world.rollout.pods[row], world.edges[1:]
    alive = (ends > pod.birth) & (ends - STEP_S < min(pod.death, world.rollout.length))
    for template, level, counts in (
        ("", "info", world.chat[row]),
        ("", "error", world.lines[row].sum(axis=0)),
        *((name, "error", world.lines[row, at]) for at, name in enumerate(world.names)),
    ):
        # A stable pod has written before; how much must not matter.
        behind = float(rng.integers(0, 500)) if counts[0] else 0.0
        values = behind + np.cumsum(counts)
        there = alive & (values > 0)
        labels = {"__name__": _LINES, "level": level, "template": template}
        yield labels, ends[there], values[there]
