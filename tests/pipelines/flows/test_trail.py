"""The trail to a verdict: what was known before, from its evidence alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from detector.explain.trail import Mark
from detector.gate.policy import SignalPolicy
from detector.gate.session import Session
from detector.gate.verdict import Outcome
from pipelines.flows.evidence import Evidence, unpack_evidence
from pipelines.flows.export_trail import bearable_of, trail_of
from pipelines.flows.records import replayed
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.scripted import T0, World, ask
from tests.pipelines.flows.test_engine import poll, shop


@pytest.fixture(scope="module")
def polled() -> Evidence:
    """A fail after twenty polls."""
    world = shop(0.04)
    for second in range(30, 600, 30):
        poll(world, second)
    return unpack_evidence(world.gate.records.export(poll(world, 600).id))


@pytest.fixture(scope="module")
def once() -> Evidence:
    """The same, asked once at the end."""
    world = shop(0.04)
    return unpack_evidence(world.gate.records.export(poll(world, 600).id))


def first_fail(trail: tuple[Mark, ...]) -> float:
    """When it is a fail for the first time."""
    return next(mark.at for mark in trail if mark.outcome is Outcome.FAIL)


def test_it_leads_to_the_verdict(polled: Evidence) -> None:
    """In order of time, and its end is the answer that was given."""
    trail = trail_of(polled, Session)
    assert all(one.at < other.at for one, other in pairwise(trail))
    last, verdict = trail[-1], polled.stored.verdict
    assert (last.outcome, last.text) == (verdict.outcome, verdict.reason.text)
    assert last.evidence["error_rate"][0] == verdict.signals[0].evidence


def test_a_verdict_asked_once_has_the_same_way(polled: Evidence, once: Evidence) -> None:
    """What was known at a moment does not depend on who asked: the fail is found as early."""
    many, few = trail_of(polled, Session), trail_of(once, Session)
    latch = once.attempt.latch
    assert latch is not None
    for trail in (many, few):
        assert 0 <= first_fail(trail) - latch.at <= 30
    assert {m.outcome for m in few} == {m.outcome for m in many}


def test_evidence_grows_where_there_is_harm(polled: Evidence) -> None:
    """Before the fail it is less than after."""
    trail = trail_of(polled, Session)
    found = [mark.evidence["error_rate"][0] for mark in trail if "error_rate" in mark.evidence]
    assert found[0] < found[len(found) // 2] < found[-1]


def test_a_long_rollout_has_a_short_trail(polled: Evidence) -> None:
    """However many polls there were."""
    assert len(trail_of(polled, Session)) <= 24


def test_the_tolerance_that_is_told_was_tried(polled: Evidence) -> None:
    """With it the same samples are no fail; it is no more than what was seen of harm."""
    bearable = bearable_of(polled, Session)
    (failed,) = [s for s in polled.stored.verdict.signals if s.outcome is Outcome.FAIL]
    assert failed.effect is not None
    assert bearable is not None
    assert bearable in {failed.effect.low, failed.effect.value, failed.effect.high}
    wish = SignalPolicy(tolerate_points=bearable)
    policy = replace(polled.attempt.policy, signals={failed.name: wish})
    stored = replace(polled.stored, seen=replace(polled.stored.seen, latch=None))
    tried = replace(polled, attempt=replace(polled.attempt, policy=policy), stored=stored)
    assert replayed(polled, Session).outcome is Outcome.FAIL
    assert replayed(tried, Session).outcome is not Outcome.FAIL


def test_what_did_not_fail_has_no_tolerance_to_try() -> None:
    """Nor a fail that a person decided."""
    world = shop(0.004)
    passed = unpack_evidence(world.gate.records.export(poll(world, 400).id))
    assert bearable_of(passed, Session) is None


def test_without_samples_there_is_none() -> None:
    """A source that was down left nothing to play."""
    world = World(source=FakeSource(fault=Fault.DOWN))
    evidence = unpack_evidence(world.gate.records.export(world.gate.judge(ask()).id))
    assert trail_of(evidence, Session) == ()
    bare = replace(evidence.attempt, started_at=T0)
    assert trail_of(replace(evidence, attempt=bare), Session) == ()
