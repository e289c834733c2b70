"""The gate from request to verdict, on samples in memory and a judge that counts."""

from __future__ import annotations

import json

from detector.gate.render import verdict_body
from detector.gate.verdict import Outcome, Verdict
from tests.pipelines.flows.scripted import T0, World, ask, at


def body(verdict: Verdict) -> str:
    """The JSON of a verdict."""
    return json.dumps(verdict_body(verdict, brief=False), allow_nan=False)


def facts(verdict: Verdict) -> tuple[str, str, bool]:
    """Outcome, reason and whether it is final."""
    return verdict.outcome.value, str(verdict.reason.code), verdict.final


def test_a_healthy_canary_waits_for_traffic_and_passes() -> None:
    """The usual way of a rollout."""
    world = World()
    world.shop()
    world.clock.at = T0 + 70
    early = world.gate.judge(ask())
    world.clock.at = T0 + 400
    late = world.gate.judge(ask())
    assert facts(early) == ("inconclusive", "low_traffic", False)
    assert early.waiting == "waiting for traffic: 90 of 200 requests"
    assert facts(late) == ("pass", "healthy", False)
    assert late.started_at == at(0)
    assert late.attempt == early.attempt


def test_a_fail_stays_after_a_restart_that_lost_the_samples() -> None:
    """The latch protects against data that were lost since."""
    world = World()
    world.shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors={T0 + 100: 20})
    world.clock.at = T0 + 200
    failed = world.gate.judge(ask())
    assert facts(failed) == ("fail", "error_rate_up", True)
    world.stores.points.rows.clear()  # type: ignore[attr-defined]
    world.source.store.__init__()  # type: ignore[misc]
    world.restart()
    world.clock.at = T0 + 260
    again = world.gate.judge(ask())
    assert facts(again) == ("fail", "error_rate_up", True)
    assert again.attempt == failed.attempt


def test_replay_gives_the_identical_answer() -> None:
    """A stored verdict is recomputed to the bit of its JSON."""
    world = World()
    world.shop()
    ids = []
    for second in range(20, 900, 40):
        world.clock.at = T0 + second
        ids.append(world.gate.judge(ask(weight=10 if second < 300 else 50)).id)
    world.restart()
    for id in set(ids):
        stored = world.gate.verdict(id)
        assert body(world.gate.replay(id)) == body(stored)
        assert body(world.gate.replay_file(world.gate.export(id))) == body(stored)
    assert world.gate.verdict(ids[-1]).outcome is Outcome.PASS
