"""What a service's own starts show of young pods, read once from weeks that are past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from detector.backtest.placebos import Life
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.series import Matcher, MatchOp
from detector.signals.packs import shipped_packs
from detector.signals.plan import AgeGrowth, Plan
from pipelines.flows.aa import Checking, placebos_of
from pipelines.flows.backtest import Past
from pipelines.flows.discovery import Discovery
from pipelines.flows.started_growth import WithGrowth, growth_of_starts
from pipelines.sources.memory import MemorySource
from tests.detector.gate.gauges import MEMORY, SHOWN

T0 = 1_790_000_000.0
BOUND = replace(
    MEMORY,
    total=replace(
        MEMORY.total,
        metric="container_memory_rss",
        joined=True,
        matchers=(Matcher("container", MatchOp.NOT_EQUAL, "POD"),),
    ),
)
PLAN = replace(SHOWN, signals=(*SHOWN.signals[:-1], BOUND))


def born(count: int, *, hours: float = 20.0) -> list[Life]:
    """Pods that started two hours apart and lived for hours."""
    return [
        Life(pod=f"web-{n}", revision="web", born=T0 + 7200 * n, gone=T0 + 7200 * n + 3600 * hours)
        for n in range(count)
    ]


def world(lives: Sequence[Life], *, fills: float = 0.4, leak: float = 0.0) -> MemorySource:
    """Two containers a pod that fill in five minutes and leak; the pause container is nobody's."""
    held = MemorySource(retention_s=1e9)
    for life in lives:
        start = life.born if life.born > -math.inf else T0
        times = np.arange(start, min(life.gone, start + 9000.0), 15.0)
        age = times - start
        total = 2e8 * np.exp(fills * -np.expm1(-age / 300.0) + leak * age / 600.0)
        for container, share in (("web", 0.8), ("sidecar", 0.2), ("POD", 5.0)):
            labels = {"pod": life.pod, "container": container}
            held.add({"__name__": "container_memory_rss", **labels}, times, share * total)
    return held


def learned(lives: Sequence[Life], plan: Plan = PLAN, **made: float) -> dict[int, AgeGrowth]:
    found = growth_of_starts(plan, lives, world(lives, **made), timeout_s=5)
    return {one.window: one for one in found}


def test_each_age_has_its_own_growth() -> None:
    """A heap that fills in its first minutes and then stays is usual, and no leak."""
    found = learned(born(6))
    assert sorted(found) == list(range(7))
    assert found[0].median > 0.15
    assert found[4].median == pytest.approx(0.0, abs=1e-3)
    assert {one.starts for one in found.values()} == {6}


def test_what_all_starts_do_is_usual() -> None:
    """A service whose memory always grows by a tenth in ten minutes is not blamed for it."""
    found = learned(born(4), leak=0.1, fills=0.0)
    assert all(one.median == pytest.approx(0.1, abs=1e-3) for one in found.values())


def test_only_starts_that_were_seen_count() -> None:
    """Of a pod that was there before all that was looked at nobody knows the age."""
    old = replace(born(1)[0], pod="old", born=-math.inf)
    assert {one.starts for one in learned([old, *born(3)]).values()} == {3}
    assert learned([old]) == {}


def test_pods_that_died_young_say_what_they_lived() -> None:
    """Half an hour of life tells three windows and no more."""
    assert sorted(learned(born(4, hours=0.55))) == [0, 1, 2]


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_starts_say_nothing(count: int) -> None:
    """What two pods did is no habit."""
    assert learned(born(count)) == {}


def test_a_plan_without_memory_reads_nothing() -> None:
    """No query for what is not bound."""
    assert learned(born(5), plan=replace(PLAN, signals=PLAN.signals[:-1])) == {}


def test_time_may_run_faster() -> None:
    """A demo at a fifteenth of the time learns the same of its minutes."""
    lives = [replace(life, gone=life.born + 300.0) for life in born(4)]
    held = MemorySource(retention_s=1e9)
    for life in lives:
        times = np.arange(life.born, life.gone, 1.0)
        values = 2e8 * np.exp(0.2 * (times - life.born) * 15 / 600.0)
        labels = {"pod": life.pod, "container": "web"}
        held.add({"__name__": "container_memory_rss", **labels}, times, values)
    found = growth_of_starts(PLAN, lives, held, timeout_s=5, scale=1 / 15)
    assert found[1].median == pytest.approx(0.2, abs=1e-3)


def test_placebos_are_judged_with_what_was_learned() -> None:
    """A certificate of young ages has to come from placebos that were judged at young ages."""
    told = tuple(learned(born(4)).values())

    def known(*_: object, **__: object) -> Plan:
        return PLAN

    plan = WithGrowth(known, told)(
        MemorySource(),
        VerdictRequest(service="web", canary='{pod="a"}'),
        start=T0,
        end=T0 + 60,
        timeout_s=1,
    )
    assert [b.usual for b in plan.signals if b.usual] == [told]
    assert replace(plan, signals=()) == replace(PLAN, signals=())


def serving(names: Sequence[str], births: Sequence[float], until: float) -> MemorySource:
    """Pods that count requests and hold memory, scraped each half minute."""
    held = MemorySource(retention_s=1e9)
    for name, begun in zip(names, births, strict=True):
        times = np.arange(begun, until, 30.0)
        labels = {"pod": name, "namespace": "shop"}
        requests = {"__name__": "http_requests_total", "service": "web", "code": "200", **labels}
        held.add(requests, times, 600.0 * np.arange(len(times)))
        fills = 2e8 * np.exp(0.4 * -np.expm1(-(times - begun) / 300.0))
        held.add({"__name__": "container_memory_rss", "container": "web", **labels}, times, fills)
    return held


def test_a_self_check_keeps_what_starts_showed() -> None:
    """So that the next rollout's young pods are judged by it."""
    until = T0 + 86_400.0
    births = [T0, T0, T0, *(T0 + 10_800.0 * n for n in range(1, 6))]
    names = [f"web-5c4b8d-{end}" for end in ("aaaaa", "bbbbb", "ccccc", "ddddd", "fffff", "ggggg")]
    names += ["web-5c4b8d-hhhhh", "web-5c4b8d-jjjjj"]
    source = serving(names, births, until)
    past = Past(source=source, catalog=source, discover=Discovery(shipped_packs(), source))
    request = VerdictRequest(service="web", canary='{pod="a"}', namespace="shop")
    checking = Checking(policy=Policy(), count=2, days=0.95)
    found = placebos_of(request, past, checking, now=until).growth
    assert {one.window for one in found} >= {0, 1, 2, 3}
    assert {one.starts for one in found} == {5}
