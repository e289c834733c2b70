"""Days of a small company in memory: services with rollouts in their past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipelines.sources.memory import MemorySource

__all__ = ["DAY_S", "NOW", "Life", "company"]

DAY_S = 86_400.0
NOW = 1_790_000_000.0 + 3 * DAY_S
EDGES = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
RATE = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One pod of a service: when it is there, its errors, how much slower, and its traffic."""

    service: str
    pod: str
    begin: float = NOW - 4 * DAY_S
    end: float = NOW
    errors: float = 0.004
    slower: float = 1.0
    rate: float = RATE


def company(
    lives: Iterable[Life], *, days: float = 3.0, step_s: float = 30.0, seed: int = 3
) -> MemorySource:
    """A source in which each pod is scraped every `step_s` seconds over some days."""
    held = MemorySource(retention_s=1e9)
    for number, life in enumerate(lives):
        rng = np.random.default_rng([seed, number])
        begin, end = max(life.begin, NOW - days * DAY_S), min(life.end, NOW)
        times = np.round(np.arange(begin + rng.uniform(0, step_s), end, step_s), 3)
        requests = rng.poisson(life.rate * step_s, len(times))
        failed = rng.binomial(requests, life.errors)
        at = {"service": life.service, "namespace": "shop", "pod": life.pod, "job": life.service}
        for code, counts in (("200", requests - failed), ("500", failed)):
            labels = {"__name__": "http_requests_total", **at, "code": code}
            held.add(labels, times, np.cumsum(counts).astype(float))
        below = 1 / (1 + (np.array(EDGES) / (0.06 * life.slower)) ** -2.2)
        shares = np.diff(np.concatenate([[0.0], below, [1.0]]))
        buckets = rng.multinomial(requests, shares).cumsum(axis=1).cumsum(axis=0)
        for place, edge in enumerate((*EDGES, np.inf)):
            le = "+Inf" if np.isinf(edge) else f"{edge:g}"
            labels = {"__name__": "http_request_duration_seconds_bucket", **at, "le": le}
            held.add(labels, times, buckets[:, place].astype(float))
    return held
