"""Rollouts that nobody listed: remembered by the store, or by the source."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from detector.gate.attempt import Attempt, Identity, Weight
from detector.gate.policy import Mode, Policy
from detector.gate.reason import Reason
from detector.gate.record import StoredVerdict
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances, nothing, rule, verdict_id
from detector.ports import Stores
from detector.selector import parse_selector
from pipelines.flows.backtest_found import seen_rollouts, stored_rollouts
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.releases import T0, Release, Week, fill_week

HOUR_S = 3600.0
WEEK = Week(
    length_s=12 * HOUR_S,
    releases=(
        Release(at=4 * HOUR_S),
        Release(at=6 * HOUR_S, errors=0.05, taken_back=True),
        Release(at=8 * HOUR_S),
    ),
    rate=2.0,
)
NOW = T0 + WEEK.length_s


@cache
def source() -> MemorySource:
    """Twelve hours with two good releases and a bad one between them."""
    return fill_week(WEEK)


def test_rollouts_are_seen_in_their_pods() -> None:
    """When each began, who was the canary, what was there before, and how it ended."""
    found = seen_rollouts(source(), load_packs(), most=10, now=NOW, days=0.5)
    assert found.skipped == ()
    assert [one.name for one in found.rollouts] == [
        "checkout checkout-6d9f7c, promoted",
        "checkout checkout-7f8b9d, rolled back",
        "checkout checkout-84b6cf, promoted",
    ]
    for release, rollout in zip(WEEK.releases, found.rollouts, strict=True):
        assert abs(rollout.start - T0 - release.at) < 16
        assert 1700 < rollout.end - rollout.start < 2000
        assert rollout.truth is None


def test_only_the_newest_are_taken() -> None:
    """As many as were asked for."""
    found = seen_rollouts(source(), load_packs(), most=1, now=NOW, days=0.5)
    assert [one.name for one in found.rollouts] == ["checkout checkout-84b6cf, promoted"]


def test_of_another_service_nothing_is_seen() -> None:
    """Its rollouts are not those of the one that was named."""
    found = seen_rollouts(source(), load_packs(), most=9, now=NOW, days=0.5, service="cart")
    assert found.rollouts == ()


# -- those of the store


def remembered(
    stores: Stores, name: str, *, begin: float, end: float, deadline: float | None = None
) -> Attempt:
    """An attempt that was asked about until `end`, seconds after T0."""
    attempt = Attempt(
        id=name,
        identity=Identity(
            tenant="default",
            cluster=None,
            namespace="shop",
            service="checkout",
            rollout=None,
            canary=f"pod=~'checkout-{name}-.+'",
        ),
        label=None,
        revision=name,
        policy=Policy(name="own", mode=Mode.SHADOW),
        engine="",
        asked_at=T0 + begin,
        last_asked=T0 + end,
        started_at=T0 + begin,
        weights=(Weight(at=T0 + begin, weight=20.0),),
    )
    seen = Circumstances(
        id=verdict_id(name, T0 + end),
        as_of=T0 + end,
        stage=Stage.STEP,
        deadline=None if deadline is None else T0 + deadline,
        mode=Mode.SHADOW,
        started_at=T0 + begin,
        revision=name,
        head="",
    )
    verdict = rule(attempt, nothing(Reason("", "")), seen)
    attempt = stores.attempts.save(attempt)
    stores.verdicts.save(StoredVerdict(verdict=verdict, seen=seen), at=T0 + end)
    return attempt


def test_attempts_are_rollouts_with_what_they_were_asked_with() -> None:
    """Their own policy, the weights as they were told, and a selector that parses."""
    stores = memory_stores()
    kept = remembered(stores, "v2", begin=0.0, end=1800.0, deadline=1800.0)
    (found,) = stored_rollouts(stores, most=5, now=T0 + 9000)
    assert (found.start, found.end) == (T0, T0 + 1800)
    assert (found.request.policy, found.weights) == (kept.policy, kept.weights)
    (matcher,) = parse_selector(found.request.canary, field="canary")
    assert matcher.value == "checkout-v2-.+"


def test_what_is_not_over_is_left_out() -> None:
    """An attempt under way, one that was never seen, and one of seconds."""
    stores = memory_stores()
    remembered(stores, "under way", begin=0.0, end=600.0, deadline=9600.0)
    remembered(stores, "no deadline", begin=0.0, end=600.0)
    remembered(stores, "of seconds", begin=0.0, end=30.0, deadline=30.0)
    unseen = remembered(stores, "never seen", begin=0.0, end=600.0, deadline=600.0)
    stores.attempts.save(replace(unseen, started_at=None))
    assert stored_rollouts(stores, most=5, now=T0 + 9000) == []


def test_the_newest_of_the_store_come_oldest_first() -> None:
    """As a person would list them."""
    stores = memory_stores()
    for number in range(5):
        begin = 3600.0 * number
        end = begin + 900
        remembered(stores, f"v{number}", begin=begin, end=end, deadline=end)
    found = stored_rollouts(stores, most=2, now=T0 + 90_000)
    assert [one.request.revision for one in found] == ["v3", "v4"]
    assert stored_rollouts(stores, most=2, now=T0 + 90_000, service="cart") == []
