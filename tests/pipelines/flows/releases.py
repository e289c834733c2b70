"""Hours or days of a service that is rolled out again and again, by ReplicaSets as Kubernetes has.

Each rollout adds three pods of a new hash; after half an hour the old ones go and the new ones
become six, or the new ones go, where the rollout was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from detector.series import FloatArray
from pipelines.sources.memory import MemorySource

__all__ = ["SERVICE", "T0", "Pod", "Release", "Week", "fill_week", "openmetrics_of", "pods_of"]

T0 = 1_790_000_000.0
SERVICE, NAMESPACE = "checkout", "shop"
STEP_S, CANARY_S = 15.0, 1800.0
EDGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_HASHES = ("5c4b8d", "6d9f7c", "7f8b9d", "84b6cf", "9d7c5b", "b5f4dd", "c7d6f8", "d4c9b7", "f6b8c5")
_ENDS = ("x2x7k", "b9fqz", "m4c8t", "h7k2w", "q5n9p", "v9c4m", "k8w2d", "t4j6s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One rollout, seconds after the beginning; `errors` is the canary's error rate."""

    at: float
    errors: float = 0.004
    taken_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """How long the history is, what was released when, and how much traffic a pod has."""

    length_s: float
    releases: tuple[Release, ...] = ()
    rate: float = 20.0
    spread: float = 0.0
    seed: int = 3
    begin: float = T0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod's life, seconds after the beginning of the week."""

    name: str
    born: float
    gone: float
    errors: float


def pods_of(week: Week) -> list[Pod]:
    """All pods that ever were, oldest first."""
    made: list[Pod] = []
    stable = _pods(_HASHES[0], range(6), -3600.0, week.length_s, 0.004)
    for number, release in enumerate(week.releases, 1):
        name = _HASHES[number] if number < len(_HASHES) else f"a{number:05x}"
        decided = release.at + CANARY_S
        end = decided if release.taken_back else week.length_s
        canary = _pods(name, range(3), release.at, end, release.errors)
        if release.taken_back:
            made += canary
            continue
        made += [replace(pod, gone=decided + 60) for pod in stable]
        stable = [*canary, *_pods(name, range(3, 6), decided, end, release.errors)]
    return sorted([*made, *stable], key=lambda pod: (pod.born, pod.name))


def _pods(name: str, which: range, born: float, gone: float, errors: float) -> list[Pod]:
    return [
        Pod(name=f"{SERVICE}-{name}-{_ENDS[n]}", born=born, gone=gone, errors=errors) for n in which
    ]


def series_of(week: Week) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    """Labels, times and values of every series."""
    rng = np.random.default_rng(week.seed)
    for pod in pods_of(week):
        begin = max(pod.born, 0.0)
        times = np.arange(begin + rng.uniform(0, STEP_S), min(pod.gone, week.length_s), STEP_S)
        if len(times):
            for labels, values in _served(rng, week, pod, len(times)):
                yield labels, week.begin + times, values


def _served(
    rng: Generator, week: Week, pod: Pod, count: int
) -> Iterator[tuple[dict[str, str], FloatArray]]:
    at = {
        "job": SERVICE,
        "service": SERVICE,
        "namespace": NAMESPACE,
        "pod": pod.name,
        "instance": f"{pod.name}:8080",
    }
    factor = np.exp(rng.normal(0, week.spread))
    requests = rng.poisson(week.rate * STEP_S, count)
    failed = rng.binomial(requests, min(0.9, pod.errors * factor))
    for code, counts in (("200", requests - failed), ("500", failed)):
        values = np.cumsum(counts).astype(float)
        yield {"__name__": "http_requests_total", **at, "code": code, "path": "/cart"}, values
    below = 1 / (1 + (np.array(EDGES) / (0.06 * factor)) ** -2.2)
    shares = np.diff(np.concatenate([[0.0], below, [1.0]]))
    buckets = rng.multinomial(requests, shares).cumsum(axis=1).cumsum(axis=0).astype(float)
    for number, edge in enumerate((*EDGES, np.inf)):
        le = "+Inf" if np.isinf(edge) else f"{edge:g}"
        yield (
            {"__name__": "http_request_duration_seconds_bucket", **at, "le": le},
            buckets[:, number],
        )
    yield (
        {"__name__": "process_start_time_seconds", **at},
        np.full(count, week.begin + pod.born - 5),
    )


def fill_week(week: Week) -> MemorySource:
    """The embedded source with all of it."""
    source = MemorySource(retention_s=1e9)
    for labels, times, values in series_of(week):
        source.add(labels, times, values)
    return source


def openmetrics_of(week: Week) -> str:
    """The same as text for a real Prometheus, each family in one piece."""
    families: dict[str, list[str]] = {}
    for labels, times, values in series_of(week):
        lines = families.setdefault(labels["__name__"], [])
        lines += _lines(labels, times, values)
    kinds = {
        "http_requests_total": "# TYPE http_requests counter",
        "http_request_duration_seconds_bucket": "# TYPE http_request_duration_seconds histogram",
        "process_start_time_seconds": "# TYPE process_start_time_seconds gauge",
    }
    text = [line for name, lines in families.items() for line in (kinds[name], *lines)]
    return "\n".join([*text, "# EOF", ""])


def _lines(labels: dict[str, str], times: FloatArray, values: FloatArray) -> Sequence[str]:
    inside = ",".join(f'{k}="{v}"' for k, v in labels.items() if k != "__name__")
    head = f"{labels['__name__']}{{{inside}}}"
    return [f"{head} {v:.10g} {t:.3f}" for t, v in zip(times, values, strict=True)]
