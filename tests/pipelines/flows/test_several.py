"""Several canaries and several clusters, through the gate."""

from __future__ import annotations

from detector.gate.policy import Policy
from detector.gate.record import Filter
from detector.gate.verdict import Outcome
from tests.pipelines.flows.scripted import T0, World, ask, at

CLUSTERS = ("eu-1", "us-1")


def test_the_worst_cluster_counts_and_each_is_named() -> None:
    """A rollout that fails in one region does not go on because it passes in the other."""
    world = World()
    world.shop()
    world.pod("web-bbbbb-zzzzz", "canary", born=T0, until=T0 + 3600, errors={T0 + 300: 50})
    world.clock.at = T0 + 900
    verdict = world.gate.judge(ask(clusters=CLUSTERS))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.notes[0].startswith("Clusters: eu-1: fail (error_rate_up); us-1: fail")


def test_each_cluster_is_an_attempt_with_its_part_of_alpha() -> None:
    """Twice the clusters are not twice the false alarms."""
    world = World()
    world.shop()
    world.clock.at = T0 + 900
    world.gate.judge(ask(clusters=CLUSTERS, policy=Policy(alpha=0.004)))
    found = [
        world.stores.attempts.get(v.attempt) for v in world.gate.records.list(Filter()).verdicts
    ]
    assert {a.identity.cluster for a in found} == set(CLUSTERS)
    assert {a.policy.alpha for a in found} == {0.002}


def test_a_canary_that_is_judged_already_is_no_control_of_the_next() -> None:
    """The second experiment is not compared with the first."""
    world = World()
    world.shop()
    world.pod("web-ccccc-fghjk", "second", born=T0, until=T0 + 3600)
    world.clock.at = T0 + 100
    assert world.gate.judge(ask()).outcome is Outcome.INCONCLUSIVE
    verdict = world.gate.judge(ask(canary='{track="second"}', control='{track!="second"}'))
    attempt = world.stores.attempts.get(verdict.attempt)
    assert attempt.plan is not None
    assert any(m.value == "canary" for m in attempt.plan.control[0])
    assert any("Another canary" in note for note in verdict.notes)


def test_a_canary_that_passed_is_control_of_the_next() -> None:
    """It was promoted a minute ago: without it the next release has nothing to compare with."""
    world = World()
    world.shop()
    world.pod("web-ccccc-fghjk", "second", born=T0, until=T0 + 3600)
    world.clock.at = T0 + 600
    assert world.gate.judge(ask()).outcome is Outcome.PASS
    verdict = world.gate.judge(ask(canary='{track="second"}', control='{track="canary"}'))
    assert verdict.reason.code != "no_control_data"
    assert not any("Another canary" in note for note in verdict.notes)


def test_an_experiment_of_yesterday_is_control_again() -> None:
    """What nobody asks about any more may have become the stable version."""
    world = World()
    world.shop(until=T0 + 9000)
    world.pod("web-ccccc-fghjk", "second", born=T0, until=T0 + 9000)
    world.clock.at = T0 + 600
    world.gate.judge(ask())
    world.clock.at = T0 + 8000
    verdict = world.gate.judge(ask(canary='{track="second"}', control='{track!="second"}'))
    assert not any("Another canary" in note for note in verdict.notes)


def test_asking_the_past_is_as_of_each_cluster() -> None:
    """A past answer of several clusters writes nothing."""
    world = World()
    world.shop()
    world.clock.at = T0 + 1800
    verdict = world.gate.judge(ask(clusters=CLUSTERS, as_of=at(900)))
    assert verdict.outcome is Outcome.PASS
    assert not world.gate.records.list(Filter()).verdicts
