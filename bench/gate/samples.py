"""Raw samples of a rollout as a Prometheus would hold them, in the embedded store of the ports.

Every target is scraped at its own phase with jitter; counters begin at 0 with each container,
series with a code are born with their first event, old pods carry a life behind them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.gate.rates import EDGES, Rates
from bench.gate.rollout import HISTORY_S, Pod, Rollout
from detector.series import FloatArray
from pipelines.sources.memory import MemorySource

__all__ = ["ORIGIN", "SERVICE", "at_times", "fill"]

# Unix seconds at which every simulated attempt starts.
ORIGIN = 1_790_000_000.0
SERVICE, NAMESPACE, KSM = "shop", "prod", "kube-state-metrics"
_ROUTES = ("/api/cart", "/api/search")
_JITTER_S = 0.03
_NOT_FOUND = 0.02
_HEALTH_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class _Life:
    """One container of one pod and the times at which it was scraped."""

    row: int
    pod: Pod
    begin: float
    end: float
    times: FloatArray


def fill(rollout: Rollout, rates: Rates) -> MemorySource:
    """A source that holds all samples of the rollout, history included."""
    rng = np.random.default_rng([rollout.seed, 78])
    source = MemorySource(retention_s=10 * 86_400)
    zeros = bool(rng.random() < 0.5)
    parts: dict[tuple[tuple[str, str], ...], list[tuple[FloatArray, FloatArray]]] = {}
    for row, pod in enumerate(rollout.pods):
        phase = float(rng.uniform(0, rollout.interval))
        for life in _lives(rng, rollout, row, pod, phase):
            for labels, times, values in _series(rng, rates, life, zeros=zeros):
                parts.setdefault(tuple(sorted(labels.items())), []).append((times, values))
        labels, times, values = _restarts(rng, rollout, pod)
        parts.setdefault(tuple(sorted(labels.items())), []).append((times, values))
    for key, chunks in parts.items():
        times = np.concatenate([c[0] for c in chunks]) + ORIGIN
        source.add(dict(key), times, np.concatenate([c[1] for c in chunks]))
    return source


def _lives(rng: Generator, rollout: Rollout, row: int, pod: Pod, phase: float) -> Iterator[_Life]:
    """The pod's containers, in order, each with its scrapes."""
    first = math.ceil((max(pod.birth, -HISTORY_S) - phase) / rollout.interval)
    last = math.floor((min(pod.death, rollout.length) - phase) / rollout.interval)
    planned = phase + rollout.interval * np.arange(first, last + 1, dtype=np.float64)
    times = planned + np.clip(rng.normal(0, _JITTER_S, len(planned)), -0.2, 0.2)
    missed = np.zeros(len(times), dtype=np.bool_)
    for gap in rollout.gaps:
        if gap.pod in (row, -2):
            missed |= (times >= gap.begin) & (times < gap.end)
    times = times[~missed]
    ends = (*pod.starts[1:], pod.death)
    for begin, end in zip(pod.starts, ends, strict=True):
        ready = begin + 2.0
        yield _Life(row, pod, begin, end, times[(times > ready) & (times < end)])


def _series(
    rng: Generator, rates: Rates, life: _Life, *, zeros: bool
) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    """Every series of one container."""
    if not len(life.times):
        return
    mean_buckets = _between(rates.times, rates.buckets[life.row], life)
    buckets = rng.poisson(mean_buckets).astype(np.float64)
    total = buckets.sum(axis=1)
    mean = np.maximum(_between(rates.times, _all(rates, life.row), life), 1e-12)
    failing = _share(rates.errors[life.row], rates, life, mean)
    errors = rng.binomial(total.astype(np.int64), failing).astype(np.float64)
    second = _share(rates.second[life.row], rates, life, mean)
    before = _behind(rng, rates, life)
    yield from _requests(rng, life, total, errors, second, before)
    yield from _histogram(life, buckets, before, zeros=zeros)
    yield from _process(rng, rates, life, before)


def _all(rates: Rates, row: int) -> FloatArray:
    total: FloatArray = rates.buckets[row].sum(axis=1)
    return total


def at_times(times: FloatArray, sums: FloatArray, at: FloatArray) -> FloatArray:
    """Sums (F + 1, ...) at any time, linear between."""
    right = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    part = np.clip((at - times[right - 1]) / (times[right] - times[right - 1]), 0, 1)
    part = part.reshape(-1, *[1] * (sums.ndim - 1))
    values: FloatArray = sums[right - 1] * (1 - part) + sums[right] * part
    return values


def _between(times: FloatArray, sums: FloatArray, life: _Life) -> FloatArray:
    """Expected increments up to each scrape, the first since the container's start."""
    at = np.concatenate([[max(life.begin, -HISTORY_S)], life.times])
    return np.maximum(np.diff(at_times(times, sums, at), axis=0), 0.0)


def _share(sums: FloatArray, rates: Rates, life: _Life, total: FloatArray) -> FloatArray:
    return np.clip(_between(rates.times, sums, life) / total, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Behind:
    """What a container had counted before the first scrape that is kept."""

    seconds: float
    requests: float
    errors: float
    buckets: FloatArray


def _behind(rng: Generator, rates: Rates, life: _Life) -> _Behind:
    seconds = max(-HISTORY_S - life.begin, 0.0)
    first = rates.buckets[life.row][min(40, len(rates.times) - 1)]
    each = first / (rates.times[min(40, len(rates.times) - 1)] - rates.times[0])
    buckets = np.floor(each * seconds) if seconds else np.zeros(len(EDGES) + 1)
    requests = float(buckets.sum())
    errors = float(rng.binomial(int(requests), float(np.clip(rates.rate[life.row][0], 0, 1))))
    return _Behind(seconds, requests, errors, buckets)


def _labels(name: str, pod: Pod, **more: str) -> dict[str, str]:
    return {
        "__name__": name,
        "job": SERVICE,
        "instance": f"{pod.name}:8080",
        "service": SERVICE,
        "namespace": NAMESPACE,
        "pod": pod.name,
        "version": "v2" if pod.canary else "v1",
        **more,
    }


def _requests(
    rng: Generator,
    life: _Life,
    total: FloatArray,
    errors: FloatArray,
    second: FloatArray,
    before: _Behind,
) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    """`http_requests_total` by route and code, and health checks beside."""
    absent = rng.binomial((total - errors).astype(np.int64), _NOT_FOUND)
    for code, counts, past in (
        ("200", total - errors - absent, (before.requests - before.errors) * (1 - _NOT_FOUND)),
        ("404", absent, before.requests * _NOT_FOUND),
        ("500", errors, before.errors),
    ):
        to_second = rng.binomial(counts.astype(np.int64), second)
        split = float(np.floor(past * second[0]))
        for route, part, old in (
            (_ROUTES[0], counts - to_second, np.floor(past) - split),
            (_ROUTES[1], to_second, split),
        ):
            values = old + np.cumsum(part)
            yield _born(
                _labels("http_requests_total", life.pod, code=code, path=route), life, values
            )
    checks = np.floor((life.times - life.begin) / _HEALTH_EVERY_S)
    yield _born(_labels("http_requests_total", life.pod, code="200", path="/healthz"), life, checks)


def _born(
    labels: dict[str, str], life: _Life, values: FloatArray
) -> tuple[dict[str, str], FloatArray, FloatArray]:
    """A series that exists from its first event on."""
    have = values > 0
    return labels, life.times[have], values[have].astype(np.float64)


def _histogram(
    life: _Life, buckets: FloatArray, before: _Behind, *, zeros: bool
) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    counted = np.cumsum(before.buckets + np.cumsum(buckets, axis=0), axis=1)
    have = slice(None) if zeros else slice(int(np.argmax(counted[:, -1] > 0)), None)
    if not zeros and counted[-1, -1] == 0:
        return
    name = "http_request_duration_seconds"
    bounds = [f"{edge:g}" for edge in EDGES] + ["+Inf"]
    for k, bound in enumerate(bounds):
        labels = _labels(f"{name}_bucket", life.pod, le=bound)
        yield labels, life.times[have], counted[have, k].astype(np.float64)
    count = counted[have, -1].astype(np.float64)
    yield _labels(f"{name}_count", life.pod), life.times[have], count
    middle = np.concatenate([[0.003], np.sqrt(EDGES[1:] * EDGES[:-1]), [12.0]])
    total = (before.buckets + np.cumsum(buckets, axis=0)) @ middle
    yield _labels(f"{name}_sum", life.pod), life.times[have], total[have]


def _process(
    rng: Generator, rates: Rates, life: _Life, before: _Behind
) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    """Start time, CPU seconds and resident memory."""
    times = life.times
    began = np.full(len(times), round(ORIGIN + life.begin + 1.0, 2))
    yield _labels("process_start_time_seconds", life.pod), times, began
    used = np.cumsum(_between(rates.times, rates.cpu[life.row], life)) + 0.3 * before.seconds
    yield _labels("process_cpu_seconds_total", life.pod), times, np.round(used, 2)
    cell = np.clip(np.searchsorted(rates.times, times) - 1, 0, rates.memory.shape[1] - 1)
    held = rates.memory[life.row, cell] * np.exp(rng.normal(0, 0.01, len(times)))
    yield _labels("process_resident_memory_bytes", life.pod), times, np.floor(held)


def _restarts(
    rng: Generator, rollout: Rollout, pod: Pod
) -> tuple[dict[str, str], FloatArray, FloatArray]:
    """`kube_pod_container_status_restarts_total`: no version, no service, its own target."""
    low, high = max(pod.birth, -HISTORY_S), min(pod.death, rollout.length)
    phase = rollout.phase
    ends = math.ceil((low - phase) / 30.0), math.floor((high - phase) / 30.0) + 1
    count = np.arange(*ends, dtype=np.float64)
    times: FloatArray = (
        phase + 30.0 * count + np.clip(rng.normal(0, _JITTER_S, len(count)), -0.2, 0.2)
    )
    again = np.array(pod.starts[1:])
    values = np.searchsorted(again, times - 3.0, side="right").astype(np.float64)
    labels = {
        "__name__": "kube_pod_container_status_restarts_total",
        "job": KSM,
        "instance": "ksm:8080",
        "namespace": NAMESPACE,
        "pod": pod.name,
        "container": SERVICE,
    }
    return labels, times, values
