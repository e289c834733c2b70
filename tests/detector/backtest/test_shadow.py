"""What the gate would have done in shadow mode, and whether that was right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import Truth
from detector.backtest.shadow import (
    Aftermath,
    Said,
    Watched,
    canary_keys,
    said,
    scores_of,
    shadow_report,
    truth_of,
)
from detector.gate.attempt import Attempt, Identity, Latch
from detector.gate.decision import Override
from detector.gate.policy import Policy
from detector.gate.reason import Reason
from detector.gate.verdict import Outcome
from detector.series import Matcher, MatchOp
from detector.signals.plan import Family, Plan
from detector.signals.signal import Shape

T0 = 1_790_000_000.0
HEALTHY, REGRESSED = Truth.HEALTHY, Truth.REGRESSED
WATCHED = st.builds(
    Watched,
    attempt=st.text("abc", min_size=1, max_size=3),
    service=st.just("checkout"),
    revision=st.none(),
    at=st.floats(T0 - 100, T0 + 100),
    outcome=st.sampled_from(Outcome),
    reason=st.just("so"),
    truth=st.sampled_from([None, HEALTHY, REGRESSED]),
    by=st.just("somebody"),
)


def watched(outcome: Outcome, truth: Truth | None) -> Watched:
    """One attempt."""
    return Watched(
        attempt="a",
        service="checkout",
        revision="v2",
        at=T0,
        outcome=outcome,
        reason="so",
        truth=truth,
        by="",
    )


@pytest.mark.parametrize(
    ("outcome", "truth", "kind"),
    [
        (Outcome.FAIL, REGRESSED, Said.RIGHTLY_BLOCKED),
        (Outcome.FAIL, HEALTHY, Said.WRONGLY_BLOCKED),
        (Outcome.FAIL, None, Said.BLOCKED),
        (Outcome.PASS, HEALTHY, Said.RIGHTLY_PASSED),
        (Outcome.PASS, REGRESSED, Said.MISSED),
        (Outcome.PASS, None, Said.PASSED),
        (Outcome.INCONCLUSIVE, REGRESSED, Said.UNDECIDED),
    ],
)
def test_judgement_and_truth_make_what_would_have_been(
    outcome: Outcome, truth: Truth | None, kind: Said
) -> None:
    """Every pair has one name."""
    assert said(watched(outcome, truth)) is kind


@given(st.lists(WATCHED, max_size=12))
def test_every_attempt_of_the_span_is_counted_once(found: list[Watched]) -> None:
    """And no decision is right more often than it is known."""
    made = shadow_report(found, since=T0 - 50, until=T0 + 50)
    assert sum(made.counts.values()) == len(made.watched)
    assert all(T0 - 50 <= one.at <= T0 + 50 for one in made.watched)
    right, known = made.right
    assert 0 <= right <= known <= len(made.watched)
    assert list(made.watched) == sorted(made.watched, key=lambda one: -one.at)


def decided(outcome: Outcome, at: float = T0) -> Override:
    """What a person said."""
    return Override(attempt="a", outcome=outcome, person="ada", reason="", at=at, until=at + 60)


@pytest.mark.parametrize(
    ("overrides", "facts", "truth"),
    [
        pytest.param([decided(Outcome.FAIL)], (True, False, True), REGRESSED, id="a person first"),
        pytest.param(
            [decided(Outcome.FAIL), decided(Outcome.PASS, T0 + 9)],
            (False, True, True),
            HEALTHY,
            id="the newest word counts",
        ),
        pytest.param(
            [decided(Outcome.INCONCLUSIVE)], (True, True, True), HEALTHY, id="undecided is no word"
        ),
        pytest.param([], (True, True, True), HEALTHY, id="it became stable"),
        pytest.param([], (False, True, True), REGRESSED, id="another came instead"),
        pytest.param([], (False, False, True), None, id="nothing came yet"),
        pytest.param([], (False, True, False), None, id="its pods tell no revision"),
    ],
)
def test_what_became_of_a_release(
    overrides: list[Override], facts: tuple[bool, bool, bool], truth: Truth | None
) -> None:
    """Known from people, else from what served later; else it is said that it is not known."""
    served, followed, known = facts
    found, by = truth_of(
        Aftermath(overrides=overrides, served=served, followed=followed, is_known=known)
    )
    assert found is truth
    assert by


def test_what_it_broke_comes_before_what_was_thought_of_it() -> None:
    """Somebody let it pass, and an incident came of it: the gate was right to fail it."""
    after = Aftermath(overrides=[decided(Outcome.PASS)], incident="inc_1", served=True)
    assert truth_of(after) == (REGRESSED, "incident inc_1 comes of it")


def test_that_a_stopped_release_did_not_become_stable_proves_nothing() -> None:
    """Else every block would be right."""
    assert truth_of(Aftermath(followed=True, was_stopped=True))[0] is None
    again = Aftermath(followed=True, was_stopped=True, served=True)
    assert truth_of(again)[0] is HEALTHY


def test_policies_are_scored_apart_and_by_whether_they_acted() -> None:
    """The policy of a trial is compared with that which stops rollouts."""
    trial = replace(watched(Outcome.FAIL, HEALTHY), policy="strict")
    acting = replace(watched(Outcome.FAIL, REGRESSED), policy="default", acts=True)
    missed = replace(acting, outcome=Outcome.PASS)
    scores = scores_of([trial, acting, missed])
    assert [(score.policy, score.acts) for score in scores] == [
        ("default", True),
        ("strict", False),
    ]
    assert (scores[0].rightly_blocked, scores[0].missed, scores[0].right) == (1, 1, 1)
    assert (scores[1].wrongly_blocked, scores[1].right, scores[1].known) == (1, 0, 1)


@given(st.lists(WATCHED, max_size=12))
def test_scores_are_those_of_the_report(found: list[Watched]) -> None:
    """However they are shared out among policies."""
    split = [replace(one, policy=one.attempt) for one in found]
    report, scores = shadow_report(found, since=0, until=2 * T0), scores_of(split)
    assert sum(score.rollouts for score in scores) == len(found)
    assert report.right == (sum(s.right for s in scores), sum(s.known for s in scores))


def attempt(*matchers: Matcher, pods: tuple[str, ...] = ()) -> Attempt:
    """An attempt whose canary these select."""
    requests = Family(metric="http_requests_total", shape=Shape.COUNTER)
    plan = Plan(service="checkout", canary=matchers, control=(), requests=requests, signals=())
    made = Attempt(
        id="a",
        identity=Identity(
            tenant="default",
            cluster=None,
            namespace=None,
            service="checkout",
            rollout=None,
            canary="",
        ),
        label=None,
        revision=None,
        policy=Policy(),
        engine="",
        asked_at=T0,
        last_asked=T0,
        plan=plan,
    )
    latch = Latch(at=T0, found_at=T0, signal="latency", reason=Reason("", ""), pods=pods)
    return replace(made, latch=latch) if pods else made


@pytest.mark.parametrize(
    ("matcher", "keys"),
    [
        (Matcher("pod", MatchOp.MATCHES, "checkout-6d9f7c-.+"), {"hash:6d9f7c"}),
        (Matcher("pod", MatchOp.MATCHES, "a-6d9f7c-k8w2d|a-6d9f7c-t4j6s"), {"hash:6d9f7c"}),
        (Matcher("pod_template_hash", MatchOp.EQUAL, "6d9f7c"), {"hash:6d9f7c"}),
        (Matcher("version", MatchOp.EQUAL, "v2"), {"version:v2"}),
        (Matcher("track", MatchOp.EQUAL, "canary"), set()),
        (Matcher("pod", MatchOp.NOT_MATCHES, "checkout-6d9f7c-.+"), set()),
    ],
)
def test_a_canary_is_known_again_by_its_selector(matcher: Matcher, keys: set[str]) -> None:
    """As controls are remembered: by hash or version."""
    assert canary_keys(attempt(matcher)) == keys


def test_a_canary_is_known_again_by_its_pods() -> None:
    """Where it failed, they were written down."""
    assert canary_keys(attempt(pods=("checkout-6d9f7c-k8w2d",))) == {"hash:6d9f7c"}
    assert canary_keys(replace(attempt(), plan=None)) == frozenset()
