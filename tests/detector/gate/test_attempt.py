"""When an attempt begins, what stands, and who was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.gate.attempt import (
    Attempt,
    Latch,
    Weight,
    begins_anew,
    identity_of,
    stage_at,
    weights_until,
)
from detector.gate.policy import Policy
from detector.gate.presence import Presence, pod_of, revision_keys, scrape_interval
from detector.gate.reason import Reason
from detector.gate.request import Stage, VerdictRequest
from detector.series import Answer, Query, Series
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Shape

T0 = 1_790_000_000.0
START = datetime.fromtimestamp(T0, UTC)
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
PLAN = Plan(service="s", canary=(), control=((),), requests=REQUESTS, signals=())
READING = Reading(family=REQUESTS, arm=ArmName.CANARY, query=Query(REQUESTS.metric))


def ask(**changes: object) -> VerdictRequest:
    """A question."""
    base: dict[str, object] = {"service": "checkout", "canary": '{track="canary"}'}
    return VerdictRequest(**{**base, **changes})  # type: ignore[arg-type]


def attempt(**changes: object) -> Attempt:
    """An attempt of that question."""
    made = Attempt(
        id="a",
        identity=identity_of(ask()),
        label=None,
        revision=None,
        policy=Policy(),
        engine="1.0.0",
        asked_at=T0,
        last_asked=T0,
        started_at=T0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "canary",
    ['track="canary",a=~"b.+"', '{a=~"b.+",track="canary"}', '{ track = "canary" , a=~"b.+", }'],
)
def test_the_spelling_of_a_selector_is_no_identity(canary: str) -> None:
    """Braces, order and spaces do not begin a new attempt."""
    same = identity_of(ask(canary='{track="canary",a=~"b.+"}'))
    assert identity_of(ask(canary=canary)) == same
    assert identity_of(ask(canary=canary)).key == same.key


@pytest.mark.parametrize(
    "changes",
    [
        {"canary": '{track="other"}'},
        {"canary": '{track=~"canary"}'},
        {"service": "cart"},
        {"namespace": "shop"},
        {"cluster": "eu"},
        {"rollout": "checkout"},
        {"tenant": "b"},
    ],
)
def test_each_part_of_an_identity_counts(changes: dict[str, object]) -> None:
    """Two rollouts never share evidence."""
    assert identity_of(ask(**changes)).key != identity_of(ask()).key


def test_parts_of_an_identity_cannot_be_shifted() -> None:
    """A name that contains a separator is not another's."""
    one = identity_of(ask(namespace="a', 'b", service="c"))
    two = identity_of(ask(namespace="a", service="b', 'c"))
    assert one.key != two.key


def test_a_selector_that_does_not_parse_has_no_identity() -> None:
    """The field is named."""
    with pytest.raises(InputError) as caught:
        identity_of(ask(canary="{"))
    assert caught.value.field == "canary"


@pytest.mark.parametrize(
    ("stored", "asked", "anew"),
    [
        ({}, {}, False),
        ({}, {"attempt": "1"}, True),
        ({"label": "1"}, {"attempt": "1"}, False),
        ({"label": "1"}, {"attempt": "2"}, True),
        ({"label": "1"}, {}, False),
        ({"revision": "v1"}, {"revision": "v2"}, True),
        ({"revision": "v1"}, {}, False),
        ({}, {"revision": "v2"}, False),
        ({}, {"started_at": START + timedelta(seconds=60)}, False),
        ({}, {"started_at": START - timedelta(seconds=61)}, True),
        ({"started_at": None}, {"started_at": START}, False),
    ],
)
def test_what_begins_a_new_attempt(
    stored: dict[str, object], asked: dict[str, object], anew: bool
) -> None:
    """Another attempt, another revision, another start."""
    assert begins_anew(attempt(**stored), ask(**asked)) is anew


@given(st.floats(-1e6, 1e6), st.booleans())
def test_the_stage_is_final_from_one_step_before_the_deadline(early: float, final: bool) -> None:
    """Whatever was asked, and never before."""
    asked = Stage.FINAL if final else Stage.STEP
    got = stage_at(asked, T0 - early, T0, Policy())
    assert (got is Stage.FINAL) == (final or early <= 180)
    assert stage_at(asked, T0, None, Policy()) is asked


def test_weights_are_those_known_then() -> None:
    """Not those told later."""
    weights = (Weight(at=T0, weight=5), Weight(at=T0 + 9, weight=20))
    assert [weights_until(weights, T0 + s) for s in (-1, 0, 8, 9)] == [None, 5, 5, 20]


def seen(
    presence: Presence, pod: str, times: list[float], values: list[float], arm: ArmName
) -> None:
    """Samples of one pod's counter."""
    series = Series(labels={"pod": pod}, times=np.array(times) + T0, values=np.array(values))
    presence.take([replace(READING, arm=arm)], [Answer(series=(series,))])


def canary(presence: Presence, pod: str, times: list[float], per_scrape: float = 5.0) -> None:
    """A canary pod that serves at each scrape."""
    values = [per_scrape * n for n in range(1, len(times) + 1)]
    seen(presence, pod, times, values, ArmName.CANARY)


LATCH = Latch(
    at=T0 + 90, found_at=T0 + 120, signal="error_rate", reason=Reason("r", "t"), pods=("a", "b")
)


def scrapes(begin: float, end: float) -> list[float]:
    """Each 15 s."""
    return [float(t) for t in np.arange(begin, end, 15.0)]


def test_a_new_canary_after_a_pause_is_seen() -> None:
    """Old pods gone, a minute without requests, a new pod serves."""
    presence = Presence(PLAN, 15.0)
    for pod in "ab":
        canary(presence, pod, scrapes(0, 130))
    assert presence.alive(T0 + 120) == ("a", "b")
    assert presence.renewed(LATCH, T0 + 150) is None
    canary(presence, "c", scrapes(300, 360))
    assert presence.renewed(LATCH, T0 + 360) == T0 + 300


def test_a_replaced_pod_does_not_clear_a_latch() -> None:
    """Without a pause it is the same canary."""
    presence = Presence(PLAN, 15.0)
    for pod in "ab":
        canary(presence, pod, scrapes(0, 130))
    canary(presence, "c", scrapes(135, 900))
    assert presence.renewed(LATCH, T0 + 900) is None


def test_a_pod_that_stays_does_not_clear_a_latch() -> None:
    """One of the old is enough."""
    presence = Presence(PLAN, 15.0)
    canary(presence, "a", scrapes(0, 130))
    seen(presence, "b", scrapes(0, 900), [9.0] * 60, ArmName.CANARY)
    canary(presence, "c", scrapes(300, 900))
    assert presence.renewed(LATCH, T0 + 900) is None


def test_a_pod_without_requests_is_no_new_canary() -> None:
    """It must serve."""
    presence = Presence(PLAN, 15.0)
    for pod in "ab":
        canary(presence, pod, scrapes(0, 130))
    seen(presence, "c", scrapes(300, 900), [0.0] * 40, ArmName.CANARY)
    assert presence.renewed(LATCH, T0 + 900) is None


@given(st.lists(st.integers(1, 80), min_size=1, max_size=8, unique=True))
def test_presence_does_not_depend_on_how_samples_come(cuts: list[int]) -> None:
    """Polled often or once: the same pods, the same pause."""
    once, often = Presence(PLAN, 15.0), Presence(PLAN, 15.0)
    times = scrapes(0, 130) + scrapes(300, 1200)
    values = [5.0 * n for n in range(1, len(times) + 1)]
    seen(once, "a", times, values, ArmName.CANARY)
    edges = [0, *sorted(c for c in cuts if c < len(times)), len(times)]
    for begin, end in pairwise(edges):
        seen(often, "a", times[begin:end], values[begin:end], ArmName.CANARY)
    assert (once.resumed, once.served) == (often.resumed, often.served) == (T0 + 300, T0 + 1185)
    assert once.canary == often.canary


@pytest.mark.parametrize(
    ("pod", "labels", "keys"),
    [
        ("checkout-6d9f7c8b54-x2x4z", {}, {"hash:6d9f7c8b54"}),
        ("web-bbbbb-fghjk", {"version": "v1"}, {"hash:bbbbb"}),
        ("10.0.0.1:80", {"version": "v1"}, {"version:v1"}),
        ("a", {"rollouts_pod_template_hash": "77", "version": "v1"}, {"hash:77"}),
        ("checkout-0", {}, set()),
        ("checkout", {}, set()),
    ],
)
def test_a_revision_is_known_by_its_hash_or_version(
    pod: str, labels: dict[str, str], keys: set[str]
) -> None:
    """The hash is in the name even where labels are not mapped."""
    assert revision_keys(pod, labels) == keys


def test_a_series_without_a_pod_is_known_by_its_target() -> None:
    """Outside Kubernetes."""
    assert pod_of(REQUESTS, {"instance": "h:1"}) == "h:1"
    assert pod_of(REQUESTS, {"instance": "h:1", "pod": "p"}) == "p"
    assert pod_of(REQUESTS, {}) == ""


def test_the_interval_is_the_median_of_gaps() -> None:
    """One gap does not change it; without two samples it is unknown."""
    times = np.array([0.0, 15.0, 30.0, 90.0, 105.0])
    series = Series(labels={}, times=times, values=times)
    lonely = Series(labels={}, times=times[:1], values=times[:1])
    assert scrape_interval([Answer(series=(series, lonely))]) == 15.0
    assert scrape_interval([Answer(series=(lonely,))]) is None
    assert scrape_interval([]) is None
