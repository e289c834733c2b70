"""A shop as wide as wanted, as raw samples in the embedded source, with eight signals bound.

Every pod has its own phase of scraping; counters look as those of real clients: by route and code,
buckets cumulative over edges, container metrics that know only the pod's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from detector.series import FloatArray, Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.sources.memory import MemorySource
from pipelines.testing import FixedDiscovery

__all__ = ["EDGES", "HISTORY_S", "INTERVAL_S", "ORIGIN", "SIGNALS", "Shop", "bind", "fill"]

# Unix seconds at which the canary's first pod is born.
ORIGIN = 1_790_000_000.0
HISTORY_S = 7200.0
INTERVAL_S = 15.0
EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
_ROUTES = ("/api/cart", "/api/search")
_FIVES = (Matcher("code", MatchOp.MATCHES, "5.."),)
_REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
_BUCKETS = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
_CALLS = Family(metric="dependency_calls_total", shape=Shape.COUNTER)
_STARTED = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)
_CPU = Family(metric="container_cpu_usage_seconds_total", shape=Shape.COUNTER, joined=True)
_MEMORY = Family(metric="container_memory_rss", shape=Shape.GAUGE, joined=True)
_RESTARTS = Family(
    metric="kube_pod_container_status_restarts_total", shape=Shape.COUNTER, joined=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """How many pods of each arm, requests per second of one pod, seconds of the attempt."""

    canary: int = 5
    control: int = 10
    per_pod: float = 60.0
    length_s: float = 1800.0
    seed: int = 1


def _bound(name: str, kind: Kind, total: Family, load: Family | None = None) -> BoundSignal:
    advisory, grows = kind is Kind.GAUGE, name == "memory_growth"
    signal = Signal(name=name, kind=kind, judged=not advisory, grows=grows)
    bad = _FIVES if kind is Kind.RATIO else ()
    return BoundSignal(signal=signal, pack="bench", unit=Unit.POD, total=total, bad=bad, load=load)


SIGNALS = (
    _bound("error_rate", Kind.RATIO, _REQUESTS),
    _bound("latency", Kind.LATENCY, _BUCKETS),
    _bound("tail95", Kind.LATENCY, _BUCKETS),
    _bound("tail99", Kind.LATENCY, _BUCKETS),
    _bound("restarts", Kind.EVENTS, _RESTARTS),
    _bound("dependency_errors", Kind.RATIO, _CALLS),
    _bound("cpu_per_request", Kind.GAUGE, _CPU, load=_REQUESTS),
    _bound("memory_growth", Kind.GAUGE, _MEMORY),
)


# Discovery is not what is measured here.
bind = FixedDiscovery(
    requests=_REQUESTS,
    signals=SIGNALS,
    start_time=_STARTED,
    control=Matcher("version", MatchOp.EQUAL, "v1"),
)


def fill(shop: Shop) -> MemorySource:
    """A source that holds all samples of the shop, history included."""
    source = MemorySource(retention_s=10 * 86_400.0)
    rng = np.random.default_rng(shop.seed)
    for number in range(shop.canary + shop.control):
        is_canary = number < shop.canary
        name = f"shop-{'5c4b8d' if is_canary else '6d9f7c'}-{number:05d}"
        born = 0.0 if is_canary else -HISTORY_S - 3600.0
        begin = max(born, -HISTORY_S)
        count = int((shop.length_s - begin) / INTERVAL_S)
        times = begin + rng.uniform(0, INTERVAL_S) + INTERVAL_S * np.arange(count)
        for labels, values in _series(rng, shop, name, "v2" if is_canary else "v1", born, count):
            source.add(labels, times + ORIGIN, values)
    return source


def _series(
    rng: Generator, shop: Shop, pod: str, version: str, born: float, count: int
) -> Iterator[tuple[dict[str, str], FloatArray]]:
    """Every series of one pod."""
    told = {
        "service": "shop",
        "namespace": "prod",
        "job": "shop",
        "instance": f"{pod}:8080",
        "pod": pod,
        "version": version,
    }
    requests = rng.poisson(shop.per_pod * INTERVAL_S * np.exp(rng.normal(0, 0.02)), count)
    failed = rng.binomial(requests, 0.003)
    for code, counts in (("200", requests - failed), ("500", failed)):
        first = rng.binomial(counts, 0.7)
        for route, part in zip(_ROUTES, (first, counts - first), strict=True):
            yield _named(_REQUESTS, told, code=code, path=route), _sums(part)
    below = np.concatenate([[0.0], 1 - np.exp(-((EDGES / 0.08) ** 0.9)), [1.0]])
    buckets = rng.multinomial(requests, np.diff(below)).cumsum(axis=1)
    for number, edge in enumerate([*EDGES, np.inf]):
        le = "+Inf" if np.isinf(edge) else f"{edge:g}"
        yield _named(_BUCKETS, told, le=le), _sums(buckets[:, number])
    lost = rng.binomial(requests, 0.002)
    for code, counts in (("200", requests - lost), ("503", lost)):
        yield _named(_CALLS, told, code=code), _sums(counts)
    yield _named(_STARTED, told), np.full(count, ORIGIN + born)
    bare = {"namespace": "prod", "pod": pod, "container": "app"}
    yield _named(_CPU, bare), np.cumsum(0.3 + requests * 0.004 * rng.normal(1, 0.03, count))
    yield _named(_MEMORY, bare), 2e8 * np.exp(rng.normal(0, 0.01, count))
    yield _named(_RESTARTS, bare), np.zeros(count)


def _named(family: Family, labels: dict[str, str], **more: str) -> dict[str, str]:
    return {"__name__": family.metric, **labels, **more}


def _sums(counts: np.ndarray) -> FloatArray:
    return np.cumsum(counts).astype(np.float64)
