"""Weeks before a simulated rollout, and other services beside it: counters that are drawn by need.

A service is drawn in steps of five minutes: traffic with a daily and a weekly season, errors and
latency that drift by the hour and step with each release. A scrape reads its counters in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter

from bench.gate.rates import EDGES, buckets_at
from bench.gate.rollout import HISTORY_S, Rollout
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE
from detector.selector import matches
from detector.series import Answer, FloatArray, Query, Series
from pipelines.sources.memory import MemorySource

__all__ = [
    "LONG_S",
    "STEP_S",
    "Counter",
    "Drift",
    "World",
    "drifting",
    "elsewhere",
    "rushing",
    "weeks_before",
]

STEP_S = 300.0
LONG_S = 29 * 86_400.0
_DAY_S, _WEEK_S = 86_400.0, 604_800.0
_HOURLY_S = 3 * 3600.0
_RUSH_S = 5400.0
_HASHES = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a service shows beside its own mean, in steps from `-LONG_S` on: logs.

    `releases`: seconds at which another revision of it came.
    """

    traffic: FloatArray
    errors: FloatArray
    latency: FloatArray
    releases: tuple[float, ...]


def _grid(length: float) -> FloatArray:
    """Begins of the steps up to `length`."""
    return np.arange(-LONG_S, length + STEP_S, STEP_S)


def drifting(rng: Generator, length: float) -> Drift:
    """Drawn: how much it drifts, its seasons, and one release in most weeks."""
    grid = _grid(length)
    releases = tuple(float(-k * _WEEK_S + rng.uniform(0.1, 0.9) * _WEEK_S) for k in (4, 3, 2, 1))
    latency, errors = np.exp(rng.uniform(np.log([0.01, 0.05]), np.log([0.05, 0.20])))
    seasons = np.exp(rng.uniform(np.log([0.01, 0.05, 0.2]), np.log([0.12, 0.30, 0.8])))
    return Drift(
        traffic=_season(rng, grid, seasons[2]) + 0.05 * _wander(rng, grid),
        errors=errors * _wander(rng, grid)
        + _season(rng, grid, seasons[1])
        + _steps(rng, grid, releases, 0.15),
        latency=latency * _wander(rng, grid)
        + _season(rng, grid, seasons[0])
        + _steps(rng, grid, releases, 0.03),
        releases=releases,
    )


def rushing(drift: Drift, length: float, at: float, size: tuple[float, float]) -> Drift:
    """The same with a rush of 90 minutes at this time of each working day, or of each weekend's.

    `size`: how much more errors and latency (logs) then; `at` seconds, of the day of the start.
    """
    grid = _grid(length)[: len(drift.errors)]
    is_weekend = ((grid + ORIGIN) // _DAY_S + 3) % 7 >= 5
    of_kind = is_weekend == ((ORIGIN // _DAY_S + 3) % 7 >= 5)
    begin = math.floor(at / STEP_S) * STEP_S
    on = ((grid - begin) % _DAY_S < _RUSH_S) & of_kind
    return replace(drift, errors=drift.errors + size[0] * on, latency=drift.latency + size[1] * on)


def _wander(rng: Generator, grid: FloatArray) -> FloatArray:
    """Standard normal, with a memory of three hours."""
    keep = math.exp(-STEP_S / _HOURLY_S)
    white = rng.standard_normal(len(grid) + 256) * math.sqrt(1 - keep**2)
    wandered: FloatArray = lfilter([1.0], [1.0, -keep], white)[256:]
    return wandered


def _season(rng: Generator, grid: FloatArray, size: float) -> FloatArray:
    """A day's wave and a week's; nothing at the start of the attempt."""
    turns, week = rng.uniform(0, 2 * np.pi, 2)

    def wave(t: FloatArray | float) -> FloatArray:
        day: FloatArray = np.asarray(np.sin(2 * np.pi * np.asarray(t) / _DAY_S + turns))
        both: FloatArray = size * (day + 0.3 * np.sin(2 * np.pi * np.asarray(t) / _WEEK_S + week))
        return both

    return wave(grid) - wave(0.0)


def _steps(rng: Generator, grid: FloatArray, at: Sequence[float], sd: float) -> FloatArray:
    """Each release is a little better or worse than the one before."""
    level = sum((grid < t) * rng.normal(0, sd) for t in at)
    return np.asarray(level, np.float64)


@dataclass(frozen=True, slots=True)
class Counter:
    """One series: cumulative values at the steps between which it lives."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray
    phase: float
    interval: float

    def between(self, start: float, end: float) -> Series | None:
        """Its scrapes with `start < time <= end` (unix seconds)."""
        low, high = max(start, self.times[0] + ORIGIN), min(end, self.times[-1] + ORIGIN)
        first = math.floor((low - ORIGIN - self.phase) / self.interval) + 1
        last = math.floor((high - ORIGIN - self.phase) / self.interval)
        if last < first:
            return None
        at = self.phase + self.interval * np.arange(first, last + 1)
        values = np.floor(np.interp(at, self.times, self.values))
        return Series(labels=self.labels, times=at + ORIGIN, values=values)


@dataclass(slots=True)
class World:
    """Source, catalogue and clock in one: samples in memory, counters by need, and nothing to come.

    `now` is unix seconds.
    """

    source: MemorySource
    counters: Sequence[Counter]
    now: float = ORIGIN

    def __call__(self) -> float:
        return self.now

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Samples up to now; see `MetricSource`."""
        end = min(end, self.now)
        near = self.source.read(queries, start, end, timeout_s=timeout_s)
        return [
            Answer(series=(*answer.series, *self._far(query, start, end)))
            for query, answer in zip(queries, near, strict=True)
        ]

    def _far(self, query: Query, start: float, end: float) -> list[Series]:
        found = (c.between(start, end) for c in self.counters if _selects(query, c.labels))
        return [series for series in found if series is not None]

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """See `MetricCatalog`."""
        return self.source.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `MetricCatalog`."""
        end = min(end, self.now)
        near = self.source.series(queries, start, end, timeout_s=timeout_s)
        far = [
            c.labels
            for c in self.counters
            if any(_selects(q, c.labels) for q in queries) and c.between(start, end) is not None
        ]
        return [*near, *far]

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        found = self.series(queries, start, end, timeout_s=timeout_s)
        return sorted({labels[label] for labels in found if label in labels})


def _selects(query: Query, labels: Mapping[str, str]) -> bool:
    named = labels["__name__"] == query.metric
    return named and all(matches(m, labels) for m in query.matchers)


def weeks_before(rng: Generator, rollout: Rollout, drift: Drift) -> list[Counter]:
    """The service itself up to two hours before the attempt: each revision with pods of its own."""
    edges = [-LONG_S, *drift.releases, -HISTORY_S]
    found: list[Counter] = []
    for begin, end in pairwise(edges):
        name = "".join(rng.choice(list(_HASHES), 9))
        found += _pods(rng, rollout, drift, SERVICE, f"{SERVICE}-{name}", (begin, end))
    return found


def elsewhere(
    rng: Generator, rollout: Rollout, name: str, drift: Drift, shaken: tuple[float, float]
) -> list[Counter]:
    """Another service of the cluster; `shaken`: log errors and latency since the attempt began."""
    since = _grid(rollout.length)[: len(drift.errors)] >= 0
    moved = Drift(
        traffic=drift.traffic,
        errors=drift.errors + shaken[0] * since,
        latency=drift.latency + shaken[1] * since,
        releases=(),
    )
    span = (-HISTORY_S - 3600.0, rollout.length)
    return _pods(rng, rollout, moved, name, f"{name}-6d5f7c9b8", span)


def _pods(
    rng: Generator,
    rollout: Rollout,
    drift: Drift,
    service: str,
    workload: str,
    span: tuple[float, float],
) -> list[Counter]:
    """Two pods from one time to another."""
    grid = _grid(rollout.length)
    inside = np.flatnonzero((grid >= span[0]) & (grid < span[1]))
    steps = np.append(grid[inside], grid[inside[-1]] + STEP_S)
    found: list[Counter] = []
    for _ in range(2):
        pod = f"{workload}-{''.join(rng.choice(list(_HASHES), 5))}"
        labels = {
            "job": service,
            "instance": f"{pod}:8080",
            "service": service,
            "namespace": NAMESPACE,
            "pod": pod,
            "version": "v1",
        }
        found += _series(rng, rollout, drift, inside, steps, labels)
    return found


def _series(
    rng: Generator,
    rollout: Rollout,
    drift: Drift,
    inside: np.ndarray,
    steps: FloatArray,
    labels: Mapping[str, str],
) -> list[Counter]:
    mean = 0.5 * rollout.rps * STEP_S * np.exp(drift.traffic[inside])
    shape = _shapes(rollout, drift.latency[inside])
    buckets = rng.poisson(mean[:, None] * shape)
    total = buckets.sum(axis=1)
    failing = np.minimum(rollout.error_rate * np.exp(drift.errors[inside]), 0.9)
    failed = rng.binomial(total, failing)
    phase = float(rng.uniform(0, rollout.interval))

    def counter(metric: str, counts: np.ndarray, **more: str) -> Counter:
        sums = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
        told = {"__name__": metric, **labels, **more}
        return Counter(told, steps, sums, phase, rollout.interval)

    path = "/api/cart"
    found = [
        counter("http_requests_total", total - failed, code="200", path=path),
        counter("http_requests_total", failed, code="500", path=path),
    ]
    bounds = [f"{edge:g}" for edge in EDGES] + ["+Inf"]
    below = np.cumsum(buckets, axis=1)
    name = "http_request_duration_seconds_bucket"
    return found + [counter(name, below[:, k], le=le) for k, le in enumerate(bounds)]


def _shapes(rollout: Rollout, latency: FloatArray) -> FloatArray:
    """Bucket shares at each log latency, between points of a table."""
    at = np.linspace(-1.2, 1.2, 97)
    table = np.stack([buckets_at(rollout, float(theta)) for theta in at])
    shapes = np.stack([np.interp(latency, at, column) for column in table.T], axis=1)
    scaled: FloatArray = shapes / shapes.sum(axis=1, keepdims=True)
    return scaled
