"""Cohorts of a feature flag to simulate: the same pods serve both, users differ and come back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from bench.gate.longpast import World
from bench.gate.rates import EDGES, buckets_at
from bench.gate.rollout import HISTORY_S, Fault, Rollout
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE
from detector.series import FloatArray
from pipelines.sources.memory import MemorySource

__all__ = ["BUCKETS", "WEIGHT", "cohorts"]

# Buckets of users a side, and the share of them that has the flag.
BUCKETS, WEIGHT = 40, 0.5
_PODS = 3


def cohorts(rng: Generator, rollout: Rollout, *, silent: bool) -> World:
    """All samples: users without the flag for two hours, then both."""
    source = MemorySource(retention_s=10 * 86_400)
    for variant in ("off", "on"):
        for user in range(BUCKETS):
            _add(rng, rollout, source, variant, f"{variant}-{user}", silent=silent)
    return World(source, ())


def _add(
    rng: Generator, rollout: Rollout, source: MemorySource, variant: str, user: str, *, silent: bool
) -> None:
    """One bucket of users: its own habits, on every pod."""
    flagged = variant == "on"
    theta, failing = float(rng.normal(0, 0.08)), float(rng.normal(0, 0.3))
    if flagged and rollout.fault is Fault.LATENCY_50:
        theta += rollout.fault_latency
    rate = rollout.error_rate * np.exp(failing)
    rate += rollout.fault_errors if flagged and rollout.fault is Fault.ERRORS_TWO else 0.0
    begin = 0.0 if flagged else -HISTORY_S
    each = rollout.rps * rng.lognormal(0, 0.5) / BUCKETS / _PODS
    for pod in range(_PODS):
        phase = float(rng.uniform(0, rollout.interval))
        count = int((rollout.length - begin) / rollout.interval)
        times = begin + phase + rollout.interval * np.arange(count)
        if silent and flagged:
            continue
        # From the start on half of the users have the flag.
        share = np.where(times < 0, 1.0, 0.5) * each * rollout.interval
        buckets = rng.poisson(share[:, None] * buckets_at(rollout, theta))
        labels = {
            "job": SERVICE,
            "instance": f"{SERVICE}-{pod}:8080",
            "service": SERVICE,
            "namespace": NAMESPACE,
            "pod": f"{SERVICE}-5d8b7f9c6-{pod}",
            "feature_flag_variant": variant,
            "user_bucket": user,
        }
        for told, values in _series(rng, labels, buckets, min(float(rate), 0.9)):
            source.add(told, times + ORIGIN, values)


def _series(
    rng: Generator, labels: dict[str, str], buckets: np.ndarray, rate: float
) -> Iterator[tuple[dict[str, str], FloatArray]]:
    total = buckets.sum(axis=1)
    failed = rng.binomial(total, rate)
    for code, counts in (("200", total - failed), ("500", failed)):
        name = {"__name__": "http_requests_total", "code": code, "path": "/api/cart"}
        yield name | labels, np.cumsum(counts).astype(np.float64)
    below = np.cumsum(np.cumsum(buckets, axis=1), axis=0).astype(np.float64)
    for k, edge in enumerate([*(f"{e:g}" for e in EDGES), "+Inf"]):
        name = {"__name__": "http_request_duration_seconds_bucket", "le": edge}
        yield name | labels, below[:, k]
