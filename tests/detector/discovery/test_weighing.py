"""Which workload held the traffic before the start, from the two ends of an hour."""

from __future__ import annotations

import numpy as np

from detector.discovery.asked import asked_of
from detector.discovery.looking import Look
from detector.discovery.traffic import Candidate, candidates
from detector.discovery.weighing import traffic_before
from detector.gate.request import VerdictRequest
from detector.signals.packs import shipped_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource
from tests.detector.discovery.clusters import BY_POD, T0, endpoints

OLD, NEW = "checkout-5c4b8d-x2x7k", "checkout-7f6bcd-g5h2j"
GROUPS = {frozenset({"old"}): {OLD}, frozenset({"new"}): {NEW}}


def counted(pod: str, times: list[float], values: list[float], held: MemorySource) -> None:
    """One request series of a pod."""
    (labels, *_) = endpoints("prometheus_client", pod)
    held.add(labels, np.array(times) + T0, values)


def candidate(held: MemorySource) -> Candidate:
    """The service's request metric."""
    series = held.series([], T0, T0)
    found = {"http_requests_total": [*series, *endpoints("prometheus_client", OLD)]}
    request = VerdictRequest(service="checkout", canary=BY_POD)
    return candidates(shipped_packs(), found, asked_of(request))[0]


def weights(held: MemorySource, source: MemorySource | FakeSource | None) -> tuple[float, float]:
    """Traffic of the old and of the new workload."""
    look = Look(catalog=held, start=T0, end=T0 + 60, timeout_s=1)
    traffic = traffic_before(look, source, candidate(held), GROUPS)
    return traffic[frozenset({"old"})], traffic[frozenset({"new"})]


def test_traffic_is_what_was_added_within_the_hour() -> None:
    """A counter that has stood high for weeks is no traffic."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-3500, -60], [1e6, 1e6 + 5], held)
    counted(NEW, [-3500, -60], [10, 900], held)
    assert weights(held, held) == (5.0, 890.0)


def test_a_counter_that_fell_began_anew() -> None:
    """A restart does not make a workload's traffic negative."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-3500, -60], [1000, 40], held)
    counted(NEW, [-60], [30], held)
    assert weights(held, held) == (40.0, 30.0)


def test_pods_that_are_gone_weigh_nothing() -> None:
    """Whatever they served, they cannot be compared with any more."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-3500, -900], [0, 1e6], held)
    counted(NEW, [-3500, -60], [0, 10], held)
    assert weights(held, held) == (0.0, 10.0)


def test_without_samples_pods_are_counted() -> None:
    """A catalogue alone still tells who was there just before the start."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-3500, -900], [0, 1e6], held)
    counted(NEW, [-3500, -60], [0, 10], held)
    assert weights(held, None) == (0.0, 1.0)


def test_only_the_ends_of_the_hour_are_read() -> None:
    """An hour of every series of a large service is no small question."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-3500, -60], [0, 10], held)
    fake = FakeSource(held)
    weights(held, fake)
    assert [read.end - read.start for read in fake.reads] == [300.0, 300.0]


def test_nan_is_no_traffic() -> None:
    """A broken sample does not decide who is the control."""
    held = MemorySource(retention_s=1e9)
    counted(OLD, [-60], [float("nan")], held)
    counted(NEW, [-60], [1], held)
    assert weights(held, held) == (0.0, 1.0)
