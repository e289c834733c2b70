"""Past rollouts asked again: the answers are those that the gate would have given then."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from detector.backtest.course import Course, Truth, closest
from detector.gate.aa import AaKind, AaResult, PlaceboKind
from detector.gate.attempt import Weight, identity_of
from detector.gate.reason import ReasonCode
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from pipelines.flows.backtest import find_start, play, play_each
from pipelines.flows.gate import Gate
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.pasts import POLICY, Counted, past_of, rollout, shop
from tests.pipelines.flows.shops import T0


def played(source: MemorySource, every_s: float = 60.0, **changes: object) -> Course:
    """The course of the shop's rollout."""
    return play(rollout(**changes), past_of(source), policy=POLICY, every_s=every_s)  # type: ignore[arg-type]


def lived(source: MemorySource, every_s: float = 60.0) -> list[Verdict]:
    """The same polls, asked of a gate while the rollout went on."""
    past, now = past_of(source), [0.0]
    gate = Gate(
        source=past.source,
        catalog=source,
        stores=memory_stores(),
        clock=lambda: now[0],
        discover=past.discover,
        session_factory=Session,
    )
    asked, verdicts = rollout().request, []
    count = int(1500 / every_s)
    for number in range(1, count + 1):
        now[0] = T0 + number * every_s
        verdicts.append(gate.judge(replace(asked, policy=POLICY)))
    return verdicts


@pytest.mark.parametrize("errors", [0.004, 0.04], ids=["healthy", "errors"])
def test_every_poll_is_answered_as_it_was_then(errors: float) -> None:
    """A backtest that says something else than the gate did is worth nothing."""
    source = shop(errors=errors)
    course, verdicts = played(source), lived(source)
    for poll, verdict in zip(course.polls, verdicts, strict=False):
        assert (poll.outcome, poll.reason) == (verdict.outcome, verdict.reason)
        assert poll.evidence == closest(verdict)
    assert len(course.polls) > 3


def test_a_regression_is_found_and_nothing_is_asked_after_it() -> None:
    """A controller would have rolled back: later samples speak of another world."""
    course = played(shop(errors=0.04), truth=Truth.REGRESSED)
    assert course.is_found
    assert (course.signal, course.polls[-1].outcome) == ("error_rate", Outcome.FAIL)
    assert sum(poll.outcome is Outcome.FAIL for poll in course.polls) == 1
    assert course.failed_at is not None
    assert T0 < course.failed_at < course.polls[-1].at


def test_a_placebo_is_asked_to_the_end() -> None:
    """Its evidence is wanted at every poll, whatever became of it."""
    course = play(
        rollout(), past_of(shop(errors=0.04)), policy=POLICY, every_s=60.0, as_placebo=True
    )
    assert course.polls[-1].at == T0 + 1500
    assert course.polls[-1].outcome is Outcome.FAIL


def test_a_healthy_rollout_passes_and_ends() -> None:
    """The last poll asks whether it may become the stable version."""
    course = played(shop(), truth=Truth.HEALTHY)
    assert course.first_pass is not None
    assert course.last is not None
    assert (course.last.at, course.last.outcome, course.last.final) == (
        T0 + 1500,
        Outcome.PASS,
        True,
    )
    assert not course.is_false_alarm
    assert course.cpu_s > 0


def test_each_question_is_read_once_over_all_polls() -> None:
    """A hundred polls of fifty rollouts must not be a storm on somebody's Prometheus."""
    source = shop()
    often, seldom = Counted(source), Counted(source)
    for counted, every_s in ((often, 15.0), (seldom, 300.0)):
        play(rollout(), past_of(source, counted), policy=POLICY, every_s=every_s)
    assert len(often.asked) == len(seldom.asked)
    whole = [query for query, _, end in often.asked if end == T0 + 1500]
    assert len(whole) == len(set(whole))


def test_a_source_that_fails_today_is_no_answer_of_then() -> None:
    """An outage of now would count as a rollout that could not be decided."""
    source = shop()
    course = play(
        rollout(), past_of(source, Counted(source, down=True)), policy=POLICY, every_s=60.0
    )
    assert course.problem == "the shop's Prometheus is away"
    assert (course.is_judged, course.polls) == (False, ())


def test_a_request_that_cannot_be_asked_is_told_and_stops_nothing() -> None:
    """One bad line of two hundred; the field says what to mend."""
    asked = replace(rollout().request, canary="{pod=~")
    course = played(shop(), request=asked)
    assert course.problem is not None
    assert course.problem.startswith("canary: ")


def test_a_canary_that_is_gone_from_the_source_is_told() -> None:
    """Samples older than the retention: inconclusive at every poll, with the reason."""
    asked = replace(rollout().request, canary='{pod=~"checkout-0000-.+"}')
    course = played(shop(), request=asked)
    assert {poll.reason.code for poll in course.polls[:-1]} == {ReasonCode.NO_CANARY_DATA}


def test_weights_are_told_when_they_were() -> None:
    """A step of traffic begins a new exposure, which has to last before a pass."""
    steps = (Weight(at=T0, weight=10.0), Weight(at=T0 + 900, weight=50.0))
    course = played(shop(), weights=steps)
    after = [poll for poll in course.polls if T0 + 900 < poll.at <= T0 + 1080]
    assert {poll.outcome for poll in after} == {Outcome.INCONCLUSIVE}
    assert course.first_pass is not None
    assert course.first_pass.at < T0 + 900


def test_without_a_start_the_rollout_begins_where_the_list_says() -> None:
    """A request of a controller has no start; the list has."""
    asked = replace(rollout().request, started_at=None)
    course = played(shop(), request=asked)
    assert course.polls == played(shop()).polls
    assert datetime.fromtimestamp(course.polls[0].at, UTC).timestamp() == T0 + 60


# -- the self-check of the service


def checked(raised: float) -> AaResult:
    """A check of the shop."""
    return AaResult(
        scope=identity_of(rollout().request).scope,
        at=T0 - 86_400,
        since=T0 - 8 * 86_400,
        until=T0 - 86_400,
        policy=POLICY.digest,
        engine="1.0.0",
        kinds=(AaKind(kind=PlaceboKind.OLD, placebos=240, failed=1, reached=3),),
        signals=(),
        raised=raised,
    )


def test_a_self_check_raises_what_a_fail_needs() -> None:
    """A service that is noisier than the engine believes must not be rolled back for it."""
    source = shop(errors=0.04)
    plain = play(rollout(), past_of(source), policy=POLICY, every_s=15.0)
    raised = play(rollout(), replace(past_of(source), aa=checked(1e3)), policy=POLICY, every_s=15.0)
    calm = play(rollout(), replace(past_of(source), aa=checked(0.5)), policy=POLICY, every_s=15.0)
    assert plain.first_fail is not None
    assert raised.first_fail is not None
    assert raised.first_fail.at > plain.first_fail.at
    for one, other in zip(plain.polls, raised.polls, strict=False):
        for name, value in one.evidence.items():
            assert other.evidence[name] == pytest.approx(value - math.log(1e3))
    assert calm.polls == plain.polls


def test_two_policies_are_judged_on_the_same_samples() -> None:
    """Comparing policies asks no more of anybody's Prometheus."""
    source = shop(errors=0.04)
    counted, alone = Counted(source), Counted(source)
    calm = replace(POLICY, name="calm", alpha=1e-9)
    one, other = play_each(
        rollout(), past_of(source, counted), policies=(POLICY, calm), every_s=60.0
    )
    plain = play(rollout(), past_of(source, alone), policy=POLICY, every_s=60.0)
    assert one.polls == plain.polls
    assert one.failed_at is not None
    assert other.failed_at is not None
    assert other.failed_at > one.failed_at
    assert len(counted.asked) == len(alone.asked)


def test_the_start_of_a_rollout_is_found() -> None:
    """Nobody wrote it down: it is the canary's first sample."""
    source = shop()
    asked = replace(rollout().request, started_at=None)
    found = find_start(asked, past_of(source), policy=POLICY, end=T0 + 1500)
    assert found is not None
    assert T0 <= found < T0 + 15
    gone = replace(asked, canary='{pod=~"checkout-0000-.+"}')
    assert find_start(gone, past_of(source), policy=POLICY, end=T0 + 1500) is None
