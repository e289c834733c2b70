"""Error budgets in the gate: read with each question, fixed as limits, told, and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from detector.gate.policy import Policy
from detector.gate.render import verdict_body
from detector.gate.request import Stage
from detector.gate.verdict import Outcome, Verdict
from detector.slo.budget import Budget, unknown_budget
from detector.slo.counts import Flaw
from detector.slo.policy import BudgetPolicy, Spent
from pipelines.flows.gate import GateSettings
from tests.pipelines.flows.scripted import T0, World, ask, at

THRIFTY = Policy(budget=BudgetPolicy())


@dataclass(slots=True)
class Purse:
    """`Budgets` that are set: what is left at any time, None for unknown."""

    left: float | None = 0.9
    asked: list[tuple[str, str | None, float]] = field(default_factory=list)

    def of(
        self, service: str, name: str | None, *, as_of: float, timeout_s: float
    ) -> Sequence[Spent]:
        """Kept with who asked."""
        self.asked.append((service, name, as_of))
        assert 0 <= timeout_s <= 3
        if self.left is None:
            return [Spent(name="checkout", budget=unknown_budget(Flaw.SOURCE_FAILED))]
        bad = 100 * (1 - self.left)
        budget = Budget(total=1e5, bad=bad, allowed=100.0, left=self.left, known=1.0)
        return [Spent(name="checkout", budget=budget)]


def shop(purse: Purse) -> World:
    world = World(settings=GateSettings(budgets=purse))
    world.shop()
    return world


def judged(world: World, seconds: float = 300.0, **changes: object) -> Verdict:
    world.clock.at = T0 + seconds
    return world.gate.judge(ask(**{"policy": THRIFTY, **changes}))


def test_what_is_left_lets_a_rollout_go_on() -> None:
    """And the answer says how much it is."""
    verdict = judged(shop(Purse(0.9)))
    assert verdict.outcome is Outcome.PASS
    body = verdict_body(verdict, brief=True)["budget"]
    assert body == {
        "limits": 1.0,
        "objectives": [
            {"name": "checkout", "left": 0.9, "bad": 10.0, "allowed": 100.0, "total": 1e5,
             "unknown": None}
        ],
    }  # fmt: skip


def test_a_policy_that_does_not_look_reads_nothing() -> None:
    """Nobody pays for what nobody asked."""
    purse = Purse(-1.0)
    verdict = judged(shop(purse), policy=Policy())
    assert (verdict.outcome, purse.asked) == (Outcome.PASS, [])
    assert verdict_body(verdict, brief=True)["budget"] is None


def test_nothing_passes_while_it_is_gone() -> None:
    """Until some is back; it is read at each question."""
    purse = Purse(-0.5)
    world = shop(purse)
    held = judged(world)
    assert (held.outcome, held.reason.code) == (Outcome.INCONCLUSIVE, "budget_burning")
    assert "150 bad of 100 allowed" in held.reason.text
    purse.left = 0.5
    assert judged(world, 400.0).outcome is Outcome.PASS


def test_limits_stay_those_of_the_beginning() -> None:
    """Whatever comes back or goes while the canary runs; the next attempt has others."""
    purse = Purse(0.1)
    world = shop(purse)
    first = judged(world, attempt="1")
    purse.left = 0.9
    later = judged(world, 400.0, attempt="1")
    assert (first.limits, later.limits) == (0.5, 0.5)
    assert first.policy == later.policy != THRIFTY.digest
    assert any("0.5 times" in note for note in later.notes)
    following = judged(world, 500.0, attempt="2")
    assert (following.limits, following.policy) == (1.0, THRIFTY.digest)


def test_unknown_tightens_and_is_told() -> None:
    """A source that fails is no reason to be bold."""
    verdict = judged(shop(Purse(None)))
    assert (verdict.outcome, verdict.limits) == (Outcome.PASS, 0.5)
    assert any("source_failed" in note for note in verdict.notes)


def test_a_fail_is_a_fail() -> None:
    """A budget holds what passes, it excuses nothing."""
    world = World(settings=GateSettings(budgets=Purse(-1.0)))
    world.shop(per_s=2.0)
    errors = {T0 + 30.0 + s: 20.0 for s in range(0, 60, 15)}
    world.pod("web-bbbbb-xyzzy", "canary", born=T0, until=T0 + 900, errors=errors)
    assert judged(world).outcome is Outcome.FAIL


def test_the_first_step_waits_as_well() -> None:
    """A controller that asks before any traffic is not told yes."""
    world = World(settings=GateSettings(budgets=Purse(-1.0)))
    for name in ("web-zzzzz-bcdfg", "web-zzzzz-hjklm"):
        world.pod(name, "stable", born=T0 - 7200, until=T0 + 900)
    world.clock.at = T0 + 30
    asked = ask(policy=THRIFTY)
    assert world.gate.first_step(asked).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("left", [0.9, 0.1, -0.5, None])
def test_a_replay_knows_what_was_known(left: float | None) -> None:
    """To the bit, whatever the budget is now; also from a file and after a restart."""
    purse = Purse(left)
    world = shop(purse)
    verdict = judged(world)
    purse.left = 1.0
    world.restart()
    records = world.gate.records
    assert verdict_body(records.replay(verdict.id), brief=False) == verdict_body(
        verdict, brief=False
    )
    file = records.export(verdict.id)
    assert verdict_body(records.replay_file(file), brief=False) == verdict_body(
        verdict, brief=False
    )


def test_what_is_final_does_not_change_with_the_budget() -> None:
    """After the deadline the answer is of what was known there."""
    purse = Purse(0.9)
    world = shop(purse)
    asked = {"deadline": at(350.0), "stage": Stage.FINAL}
    judged(world, 300.0, **asked)
    passed = judged(world, 360.0, **asked)
    purse.left = -1.0
    later = judged(world, 420.0, **asked)
    assert (passed.outcome, later.outcome) == (Outcome.PASS, Outcome.PASS)
    assert later.final


def test_the_past_is_asked_of_the_past() -> None:
    """As of then, and nothing of it is written."""
    purse = Purse(-0.5)
    world = shop(purse)
    verdict = judged(world, 900.0, as_of=at(300.0))
    assert verdict.reason.code == "budget_burning"
    assert {moment for _, _, moment in purse.asked} == {T0 + 300.0}


def test_the_policy_names_the_objective() -> None:
    """Or else all of the service are asked for."""
    purse = Purse()
    judged(shop(purse), policy=Policy(budget=BudgetPolicy(slo="checkout-latency")))
    assert set(purse.asked) == {("checkout", "checkout-latency", T0 + 300.0)}
