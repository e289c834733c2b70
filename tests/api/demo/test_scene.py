"""What is told of a rollout, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.gate import Answer, GateError, Links, Needs, Why
from api.demo.rollout import Ending, Step
from api.demo.scene import RATES_OVER, REPEAT_AFTER_S, Scene, needed
from api.demo.shop import Version
from api.demo.traffic import Second, Tally

STEP = Step(weight=15, pods=1)


class Clock:
    """Stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(word: str = "inconclusive", code: str = "collecting", **more: object) -> Answer:
    fields: dict[str, object] = {
        "answer": word,
        "outcome": word,
        "final": False,
        "reason": Why(code, f"because of {code}"),
        "links": Links(ui="/rollouts/7"),
    }
    return Answer(**(fields | more))  # type: ignore[arg-type]


def scene() -> tuple[Scene, Clock]:
    clock = Clock()
    made = Scene(clock=clock, base="http://gate", canary=Version(name="v2", hash="b"))
    made.stable = Version(name="v1", hash="a")
    return made, clock


def told(made: Scene) -> list[str]:
    return [line.text for line in made.lines]


def test_lines_bear_the_time_since_the_start() -> None:
    """People read how long each thing took."""
    made, clock = scene()
    said: list[float] = []
    made.say = lambda line: said.append(line.at)
    clock.now += 2.5
    made.tell("something")
    assert said == [2.5] == [line.at for line in made.lines]


def test_an_answer_is_told_with_its_reason_and_page() -> None:
    """The verdict in the gate's own words, and where to read on."""
    made, _ = scene()
    made.answered(STEP, answer("fail", "error_rate_up"))
    assert told(made)[0].startswith("fail (error_rate_up) [canary ")
    assert told(made)[1].strip() == "because of error_rate_up"
    assert made.page == "http://gate/rollouts/7"
    assert made.lines[0].tone == "bad"


def test_what_repeats_is_told_now_and_then() -> None:
    """A poll every two seconds is no news every two seconds."""
    made, clock = scene()
    for _ in range(9):
        made.answered(STEP, answer())
        clock.now += REPEAT_AFTER_S / 8
    assert len(told(made)) == 4


def test_another_step_or_reason_is_news() -> None:
    """What changed is told at once."""
    made, _ = scene()
    for step, code in [(STEP, "a"), (STEP, "b"), (Step(weight=35, pods=3), "b")]:
        made.answered(step, answer(code=code))
    assert len(told(made)) == 6


def test_a_silent_gate_is_told_once_and_then_again_later() -> None:
    """A minute of errors is not thirty lines; the screen shows the present state all along."""
    made, clock = scene()
    for away in (0, 2, 4):
        made.failed(STEP, GateError("refused"), away)
    assert told(made) == ["the gate has not answered for 0 s: refused"]
    assert made.trouble == "the gate has not answered for 4 s: refused"
    clock.now += REPEAT_AFTER_S
    made.failed(STEP, GateError("refused"), 12)
    made.answered(STEP, answer())
    assert len(told(made)) == 4
    assert made.trouble == ""


def test_a_rollout_leaves_no_traces_on_the_next() -> None:
    """Its verdict, weight and version are gone; what was promoted is stable."""
    made, _ = scene()
    made.stepped(STEP)
    made.answered(STEP, answer("pass", "healthy"))
    made.ended(Ending.PROMOTED, "healthy")
    canary = made.canary
    made.close_rollout(promoted=True)
    assert made.stable is canary
    assert (made.canary, made.answer, made.weight) == (None, None, 0)
    made.canary = Version(name="v3", hash="c")
    made.answered(STEP, answer("pass", "healthy"))
    assert sum("pass (healthy)" in line for line in told(made)) == 2


def test_an_aborted_canary_leaves_stable_as_it_was() -> None:
    """And the line says why."""
    made, _ = scene()
    stable = made.stable
    made.ended(Ending.ABORTED, "Errors: 5 % against 0.2 %")
    made.close_rollout(promoted=False)
    assert made.stable is stable
    assert told(made) == ["v2 aborted: Errors: 5 % against 0.2 %"]


def test_pods_are_counted_in_english() -> None:
    """One pod, three pods."""
    made, _ = scene()
    made.stepped(STEP)
    made.stepped(Step(weight=35, pods=3))
    assert told(made) == [
        "15 % of the traffic goes to v2 (1 pod)",
        "35 % of the traffic goes to v2 (3 pods)",
    ]


TALLIES = st.builds(
    Tally, requests=st.integers(1, 500), errors=st.just(0), seconds=st.floats(0, 100)
)


@given(st.lists(TALLIES, min_size=1, max_size=12))
def test_rates_are_those_of_the_last_seconds(tallies: list[Tally]) -> None:
    """Requests a second, share of errors and mean time, whatever came before."""
    made, _ = scene()
    for n, tally in enumerate(tallies):
        made.saw(Second(at=float(n), arms={"v1": tally}))
    last = tallies[-RATES_OVER:]
    requests = sum(t.requests for t in last)
    rates = made.rates(made.stable)
    assert rates.per_s == pytest.approx(requests / len(last))
    assert rates.mean_ms == pytest.approx(1000 * sum(t.seconds for t in last) / requests)
    assert rates.errors == 0


def test_a_version_without_requests_has_no_rates() -> None:
    """Nothing is divided by nothing."""
    made, _ = scene()
    made.saw(Second(at=1.0, arms={}))
    assert (made.rates(made.canary).per_s, made.rates(None).errors) == (0, 0)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (Needs(), ""),
        (Needs(requests=0, seconds=0), ""),
        (Needs(requests=0, seconds=15), ""),
        (Needs(requests=1200, seconds=9), " Needs 1,200 canary requests, about 9 s."),
        (Needs(canary_pods=4), " Needs 4 canary pods."),
    ],
    ids=["unknown", "nothing", "time", "traffic", "pods"],
)
def test_what_is_missing_is_said_in_words(needs: Needs, words: str) -> None:
    """`needs` tells a person how long it takes."""
    assert needed(needs) == words
