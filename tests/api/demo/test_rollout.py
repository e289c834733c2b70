"""The rollout loop does what Argo does with the shipped template, step for step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.canary import STABLE_PODS
from api.demo.gate import Answer, GateError, Why
from api.demo.rollout import PLAN, Ending, Loop, Step

STEPS = (Step(weight=10, pods=1), Step(weight=60, pods=6, stage="final"))
Said = Answer | GateError


def said(answer: str, *, final: bool = False) -> Answer:
    return Answer(answer=answer, outcome=answer, final=final, reason=Why("code", f"it {answer}s"))


PASS, FAIL, WAIT = said("pass"), said("fail", final=True), said("inconclusive")
OVER, AWAY = said("inconclusive", final=True), GateError("refused")


class Stand:
    """Cluster, gate, narrator and clock in one: a question takes ten seconds."""

    def __init__(self, answers: Iterable[Said]) -> None:
        self.answers: Iterator[Said] = iter(answers)
        self.did: list[str] = []
        self.told: list[str] = []
        self.asked: list[Step] = []

    def clock(self) -> float:
        return 10.0 * len(self.asked)

    async def go_to(self, step: Step) -> None:
        self.did.append(f"{step.weight}")

    async def promote(self) -> None:
        self.did.append("promote")

    async def abort(self) -> None:
        self.did.append("abort")

    async def ask(self, step: Step) -> Answer:
        self.asked.append(step)
        answer = next(self.answers)
        if isinstance(answer, GateError):
            raise answer
        return answer

    def stepped(self, step: Step) -> None:
        self.told.append(f"at {step.weight}")

    def answered(self, step: Step, answer: Answer) -> None:
        self.told.append(answer.answer)

    def failed(self, step: Step, error: GateError, since_s: float) -> None:
        self.told.append(f"away {since_s:.0f}")

    def ended(self, ending: Ending, why: str) -> None:
        self.told.append(f"{ending}: {why}")


def play(*answers: Said, bear_s: float = 60.0) -> tuple[Ending, Stand]:
    stand = Stand(answers)
    loop = Loop(
        cluster=stand, ask=stand.ask, narrator=stand, poll_s=0.0, bear_s=bear_s, clock=stand.clock
    )
    return asyncio.run(loop.run(STEPS)), stand


def test_each_step_waits_for_its_pass() -> None:
    """The weight goes up only when the gate has said so for the weight before."""
    ending, stand = play(WAIT, PASS, WAIT, WAIT, PASS)
    assert ending is Ending.PROMOTED
    assert stand.did == ["10", "60", "promote"]
    assert [step.weight for step in stand.asked] == [10, 10, 60, 60, 60]
    assert stand.asked[-1].stage == "final"


def test_the_first_fail_aborts() -> None:
    """At once, with the reason in the gate's own words."""
    ending, stand = play(PASS, WAIT, FAIL)
    assert ending is Ending.ABORTED
    assert stand.did == ["10", "60", "abort"]
    assert stand.told[-1] == "aborted: it fails"


def test_undecided_at_the_deadline_pauses() -> None:
    """Final without a pass is no promotion, and no fault of the version either."""
    ending, stand = play(WAIT, OVER)
    assert ending is Ending.PAUSED
    assert stand.did == ["10", "abort"]


def test_a_gate_that_is_away_for_a_minute_is_borne() -> None:
    """A restart of the gate does not abort a rollout."""
    ending, stand = play(AWAY, AWAY, AWAY, PASS, AWAY, PASS)
    assert ending is Ending.PROMOTED
    assert "away 30" in stand.told


def test_a_gate_that_stays_away_is_no_pass() -> None:
    """Without an answer nothing goes on."""
    ending, stand = play(PASS, *[AWAY] * 10)
    assert ending is Ending.BROKEN
    assert stand.did[-1] == "abort"
    assert "has not answered for 70 s: refused" in stand.told[-1]


def test_absence_is_counted_from_the_last_answer() -> None:
    """Errors that come and go never add up."""
    away_thrice: list[Said] = [AWAY, AWAY, AWAY, WAIT]
    ending, _ = play(*away_thrice * 5, PASS, PASS)
    assert ending is Ending.PROMOTED


WORDS: list[Said] = [PASS, FAIL, WAIT, OVER, AWAY]
SCRIPTS = st.lists(st.sampled_from(WORDS), max_size=12)


@given(SCRIPTS)
def test_nothing_is_promoted_without_a_pass_at_every_step(script: list[Said]) -> None:
    """Whatever the gate says, in whatever order."""
    ending, stand = play(*script, FAIL, FAIL, bear_s=1e9)
    ends = [did for did in stand.did if did in {"promote", "abort"}]
    heard = script[: len(stand.asked)]
    assert ends == ["promote" if ending is Ending.PROMOTED else "abort"]
    assert (ending is Ending.PROMOTED) == (heard.count(PASS) == len(STEPS))
    assert FAIL not in heard[:-1]


@pytest.mark.parametrize("step", PLAN, ids=lambda step: f"{step.weight}%")
def test_a_canary_pod_carries_what_a_stable_one_carries(step: Step) -> None:
    """Latency under another load would not be compared, and a pass could not be had."""
    ratio = (step.weight / step.pods) / ((100 - step.weight) / STABLE_PODS)
    assert 0.9 < ratio < 1.1


def test_only_the_last_step_is_final() -> None:
    """It is the one after which there is no way back."""
    assert [step.stage for step in PLAN] == ["step", "step", "final"]
