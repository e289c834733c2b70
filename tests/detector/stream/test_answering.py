"""What the stream tells a gate: the very series that its plan reads, or why it does not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from detector.gate.course import Streamed
from detector.selector import parse_selector
from detector.signals.plan import Plan
from detector.stream.answering import streamed
from tests.detector.stream.services import EDGES, Pushed, plan_of, series_of_pod

HOUR = 60
NAMES = {"error_rate", "latency", "tail95"}


def told(pushed: Pushed, plan: Plan | None = None, *, later_s: float = 0.0) -> Streamed:
    """By what was pushed, asked now or later."""
    return streamed(pushed.tallies, pushed.series, plan or plan_of(), until=pushed.now + later_s)


def running(errors: float = 0.1) -> Pushed:
    """Two old pods and a new one for three hours."""
    pods = ("pod-old-1", "pod-old-2", "pod-new-1")
    return Pushed().born(*pods).push(3 * HOUR, errors)


def test_requests_and_failures_of_all_pods_are_told() -> None:
    """Both arms, and the pods of whatever was before them."""
    found = told(running()).of("error_rate")
    assert found is not None
    assert found.table[1:] == pytest.approx(np.array([[5400.0, 540.0]] * 5))


def test_durations_are_told_once_for_all_signals_of_them() -> None:
    """Latency and its tails are read off the same buckets."""
    found = told(running())
    assert found.signals["latency"] == found.signals["tail95"]
    course = found.of("latency")
    assert course is not None
    assert course.edges == (0.05, 0.1, 0.5, math.inf)
    assert len(course.edges) == len(EDGES)
    assert course.table[-1] == pytest.approx(5400.0 * np.array([0.4, 0.8, 0.98, 1.0]))


def test_what_has_no_past_is_neither_told_nor_missed() -> None:
    """Restarts are counted against a fixed rate."""
    found = told(running())
    assert found.signals.keys() == NAMES
    assert found.why == {}


def test_it_says_how_far_it_is_behind() -> None:
    """A stream that stands still for hours does not know what the gate asks about."""
    found = told(running(), later_s=3 * 3600.0)
    assert found.signals == {}
    assert found.why == dict.fromkeys(NAMES, "it is 180 minutes behind")


def test_before_a_whole_half_hour_there_is_nothing() -> None:
    """The first minutes say nothing of half hours."""
    found = told(Pushed().born("pod-old-1").push(10))
    assert set(found.why.values()) == {"it has not counted a whole half hour yet"}


def test_another_service_is_not_told_for_this_one() -> None:
    """Neighbours share metrics, not their past."""
    found = told(running(), plan_of("cart"))
    assert found.why["error_rate"] == "no http_requests_total of the service is pushed to it"


def test_a_plan_that_reads_a_part_of_the_service_is_not_told_the_whole() -> None:
    """Where the gate reads one route, the sum over all of them is something else."""
    pushed = running()
    plan = plan_of()
    pods = parse_selector('pod=~"pod-old-.+"', field="x")
    only = replace(plan.signals[0], total=replace(plan.signals[0].total, matchers=pods))
    found = told(pushed, replace(plan, signals=(only,)))
    assert found.why == {"error_rate": "it counts other series of the service as well"}


def test_failures_by_another_label_are_not_told() -> None:
    """A policy that counts 4xx as errors is not answered with 5xx."""
    plan = plan_of()
    strict = replace(plan.signals[0], bad=parse_selector('code=~"2.."', field="x"))
    found = told(running(), replace(plan, signals=(strict,)))
    assert found.why["error_rate"].startswith("it tells failures of http_requests_total by")


def test_families_that_are_read_by_pods_are_not_told() -> None:
    """Container metrics name no service, so nothing can be added up for it."""
    plan = plan_of()
    joined = replace(plan.signals[0], total=replace(plan.signals[0].total, joined=True))
    found = told(running(), replace(plan, signals=(joined,)))
    assert found.why["error_rate"] == "http_requests_total does not name the service"


def test_a_selector_that_names_nothing_tells_nothing() -> None:
    """Where arms have nothing in common, all services would be added up."""
    apart = replace(plan_of(), canary=parse_selector('pod="a"', field="x"), control=())
    nowhere = replace(apart, control=(parse_selector('pod="b"', field="x"),))
    assert told(running(), nowhere).why["error_rate"].startswith("nothing names the service")


def test_what_is_in_another_namespace_is_told_apart() -> None:
    """The same service in a test namespace has a past of its own."""
    pushed = running()
    other = [
        replace(one, labels=tuple(sorted({**dict(one.labels), "namespace": "test"}.items())))
        for one in series_of_pod("pod-old-9")
    ]
    pushed.series += other
    pushed.tallies.introduce(other)
    plan = plan_of()
    here = parse_selector('namespace="shop"', field="x")
    scoped = replace(
        plan, canary=(*plan.canary, *here), control=tuple((*c, *here) for c in plan.control)
    )
    found = told(pushed, scoped).of("error_rate")
    assert found is not None
    assert found.table[-1, 0] == pytest.approx(5400.0)
