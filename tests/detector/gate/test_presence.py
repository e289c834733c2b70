"""Who was there, and when a canary is a new one: what begins an attempt."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.attempt import Latch
from detector.gate.presence import Presence, revision_keys, scrape_interval
from detector.gate.reason import Reason, ReasonCode
from detector.series import Answer, Query, Series
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Shape

REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
OTHER = Family(metric="other_total", shape=Shape.COUNTER)
PLAN = Plan(service="web", canary=(), control=((),), requests=REQUESTS, signals=())
EVERY = 15.0


def presence(scale: float = 1.0) -> Presence:
    return Presence(plan=PLAN, interval=EVERY, time_scale=scale)


def counted(pod: str, begin: float, end: float, *, rate: float = 1.0, **labels: str) -> Series:
    times = np.arange(begin, end, EVERY, dtype=np.float64)
    values = 5.0 + rate * (times - begin)
    return Series(labels={"pod": pod, **labels}, times=times, values=values)


def see(held: Presence, *series: Series, arm: ArmName | None = ArmName.CANARY) -> None:
    reading = Reading(family=REQUESTS, arm=arm, query=Query("requests_total"))
    held.take([reading], [Answer(series=series)])


def latch(found_at: float, *pods: str) -> Latch:
    reason = Reason(ReasonCode.HEALTHY, "")
    return Latch(at=found_at, found_at=found_at, signal="latency", reason=reason, pods=pods)


def test_a_pod_is_there_from_its_first_sample_until_it_has_been_silent() -> None:
    """A minute without samples and it is gone; not before, scrapes do get lost."""
    held = presence()
    see(held, counted("a", 100, 200), counted("b", 150, 400))
    assert held.alive(99.0) == ()
    assert held.alive(160.0) == ("a", "b")
    assert held.alive(190.0 + 59.0) == ("a", "b")
    assert held.alive(190.0 + 61.0) == ("b",)


def test_slow_scrapes_are_waited_for() -> None:
    """Three intervals of a minute are no death."""
    held = Presence(plan=PLAN, interval=60.0)
    see(held, counted("a", 0, 100))
    assert held.alive(90.0 + 179.0) == ("a",)
    assert held.alive(90.0 + 181.0) == ()


@given(st.lists(st.floats(0, 600), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_polls_do_not_change_who_was_there(cuts: list[float], random: object) -> None:
    """The same samples in any number of answers: the same pods, spans and requests."""
    whole, parts = presence(), presence()
    series = [counted("a", 0, 300), counted("b", 120, 600, rate=0.0)]
    see(whole, *series)
    edges = [-1.0, *sorted(cuts), 1e9]
    for low, high in itertools.pairwise(edges):
        pieces = []
        for s in series:
            part = (s.times > low) & (s.times <= high)
            pieces.append(Series(labels=s.labels, times=s.times[part], values=s.values[part]))
        random.shuffle(pieces)  # type: ignore[attr-defined]
        see(parts, *pieces)
    assert parts.canary == whole.canary
    assert (parts.served, parts.resumed) == (whole.served, whole.resumed)


def test_other_families_and_joined_metrics_name_nobody() -> None:
    """Only the traffic says who takes part."""
    held = presence()
    see(held, counted("a", 0, 100), arm=None)
    reading = Reading(family=OTHER, arm=ArmName.CANARY, query=Query("other_total"))
    held.take([reading], [Answer(series=(counted("b", 0, 100),))])
    assert (held.canary, held.control) == ({}, {})


def test_a_counter_that_stands_still_serves_nobody() -> None:
    """A canary that only reports has no traffic: its life so far counts once, when first seen."""
    held = presence()
    see(held, counted("a", 0, 300, rate=0.0))
    assert held.canary["a"].served == 0.0
    see(held, counted("a", 300, 600, rate=0.0))
    assert held.served == 0.0


def test_not_a_number_is_no_request() -> None:
    """A stale marker between two equal values is not traffic."""
    held = presence()
    times, values = np.array([0.0]), np.array([np.nan])
    see(held, Series(labels={"pod": "a"}, times=times, values=values))
    assert held.served == -np.inf


def test_a_new_canary_begins_where_its_first_pod_was_seen() -> None:
    """Old pods gone, traffic away for a minute, new pods serve: another attempt."""
    held = presence()
    see(held, counted("old", 0, 300))
    found = latch(250.0, "old")
    see(held, counted("new-1", 500, 700), counted("new-2", 460, 700))
    assert held.renewed(found, 700.0) == 460.0


@pytest.mark.parametrize(
    ("old_until", "new_from", "rate", "pods"),
    [
        pytest.param(690, 500, 1.0, ("old",), id="the old one is still there"),
        pytest.param(300, 310, 1.0, ("old",), id="traffic never paused"),
        pytest.param(300, 240, 1.0, ("old",), id="it was there before the fail"),
        pytest.param(300, 500, 1.0, (), id="nobody was alive at the fail"),
    ],
)
def test_a_failed_canary_stays_failed(
    old_until: float, new_from: float, rate: float, pods: tuple[str, ...]
) -> None:
    """A pod that restarts, or one more replica, must not wash a fail away."""
    held = presence()
    see(held, counted("old", 0, old_until))
    see(held, counted("new", new_from, 700, rate=rate))
    assert held.renewed(latch(250.0, *pods), 700.0) is None


def test_an_idle_old_canary_is_not_gone() -> None:
    """Without traffic but still scraped: the old pod may serve again, the fail is still its own."""
    held = presence()
    see(held, counted("old", 0, 300))
    idle = counted("old", 300, 690, rate=0.0)
    see(held, Series(labels=idle.labels, times=idle.times, values=np.full(26, 290.0)))
    see(held, counted("new", 500, 700))
    assert held.renewed(latch(250.0, "old"), 700.0) is None
    assert held.renewed(latch(250.0, "old"), 760.0) == 500.0


@given(st.floats(0.02, 1.0))
def test_time_scale_shortens_what_is_gone(scale: float) -> None:
    """A demo that runs faster waits shorter, and never less than three scrapes."""
    held = presence(scale)
    see(held, counted("a", 0, 100))
    gone = max(60.0 * scale, 45.0)
    assert held.alive(90.0 + gone - 0.01) == ("a",)
    assert held.alive(90.0 + gone + 0.01) == ()


def test_control_revisions_are_those_that_served_since() -> None:
    """A control pod that ended before the attempt says nothing of what it is compared with."""
    held = presence()
    was, is_ = (counted("s", 0, 100, version="v1"), counted("t", 0, 900, version="v2"))
    see(held, was, is_, arm=ArmName.CONTROL)
    assert held.control_keys(800.0) == {"version:v2"}
    assert held.control_keys(120.0) == {"version:v1", "version:v2"}


@pytest.mark.parametrize(
    ("pod", "labels", "keys"),
    [
        ("checkout-6d9f7c5b4-k8w2d", {}, {"hash:6d9f7c5b4"}),
        ("x", {"rollouts_pod_template_hash": "abc"}, {"hash:abc"}),
        ("x-6d9f7c5b4-k8w2d", {"pod_template_hash": "abc", "version": "1"}, {"hash:abc"}),
        (
            "checkout-0",
            {"version": "v2", "image_digest": "sha"},
            {"version:v2", "image_digest:sha"},
        ),
        ("checkout-0", {"version": ""}, set()),
        ("checkout-6d9f7c5b4-aeiou", {}, set()),
    ],
)
def test_a_revision_is_known_by_what_stays(
    pod: str, labels: dict[str, str], keys: set[str]
) -> None:
    """The hash before everything; letters that Kubernetes never draws are no pod's name."""
    assert revision_keys(pod, labels) == keys


def test_the_interval_is_the_median_distance() -> None:
    """One lost scrape or one odd target does not stretch it; a single sample tells none."""
    often = counted("a", 0, 300)
    gap = Series(labels={}, times=np.array([0.0, 90.0]), values=np.zeros(2))
    assert scrape_interval([Answer(series=(often, gap))]) == EVERY
    assert scrape_interval([Answer(series=(counted("a", 0, 1),)), Answer(series=())]) is None


def test_a_value_without_end_serves_nobody() -> None:
    """An exporter that divides by nothing shows infinity: that is no request."""
    held = presence()
    see(
        held, Series(labels={"pod": "a"}, times=np.array([0.0, 15.0]), values=np.array([0, np.inf]))
    )
    assert held.served == -np.inf


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_broken_sample_amid_a_silent_counter_serves_nobody(odd: float) -> None:
    """A counter that stands still before and after it saw no request, in one read or in two."""
    times, values = np.arange(0.0, 60.0, 15.0), np.array([7.0, 7.0, odd, 7.0])
    whole, parted = presence(), presence()
    see(whole, Series(labels={"pod": "a"}, times=times, values=values))
    for part in (slice(0, 3), slice(3, 4)):
        see(parted, Series(labels={"pod": "a"}, times=times[part], values=values[part]))
    assert whole.served == parted.served == 0.0


def test_series_without_samples_name_nobody() -> None:
    """A source that lists a series it has nothing of."""
    held = presence()
    nothing = Series(labels={"pod": "a"}, times=np.zeros(0), values=np.zeros(0))
    see(held, nothing, counted("b", 0, 30))
    assert list(held.canary) == ["b"]
