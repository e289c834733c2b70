"""Bins that are made early say what bins say that are made poll by poll."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.gate.rates import expected
from bench.gate.rollout import Fault, Rollout, draw
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE, fill
from detector.backtest.course import PastRollout, Poll, closest
from detector.gate.attempt import Weight
from detector.gate.policy import Policy
from detector.gate.request import Stage, VerdictRequest
from detector.gate.session import Frames, Session
from detector.gate.verdict import Outcome, Verdict
from detector.series import Answer
from detector.signals.plan import Reading
from pipelines.flows.backtest import Past, play
from pipelines.flows.backtest_frames import AheadFrames
from pipelines.flows.backtest_tape import HeldSource
from pipelines.flows.gate import Gate
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.pasts import POLICY, past_of, rollout, shop
from tests.pipelines.flows.shops import T0

pytestmark = pytest.mark.slow

EVERY_S = 60.0
# Seeds of the simulator by what happens in them: each changes bins in another way.
WORLDS = [
    pytest.param(900_000, None, id="resets"),
    pytest.param(900_001, Fault.ERRORS_HALF, id="gaps"),
    pytest.param(900_009, Fault.BAD_POD, id="gaps, pods that come later"),
    pytest.param(900_011, Fault.HALF_WAY, id="cold starts, steps that are not told"),
    pytest.param(900_012, Fault.RESTARTS, id="pods that restart"),
    pytest.param(900_013, Fault.OUTAGE, id="pods that are replaced"),
]


def lived(world: Rollout, past: Past) -> Iterator[Verdict]:
    """The polls of a gate that was asked while it went on."""
    now = [0.0]
    gate = Gate(
        source=past.source,
        catalog=past.catalog,
        stores=memory_stores(),
        clock=lambda: now[0],
        discover=past.discover,
        session_factory=Session,
    )
    asked = past_rollout(world)
    for number in range(1, int(world.length / EVERY_S) + 1):
        now[0] = ORIGIN + number * EVERY_S
        told = [one.weight for one in asked.weights if one.at <= now[0]]
        request = replace(asked.request, weight=told[-1] if told else None, stage=Stage.STEP)
        verdict = gate.judge(replace(request, started_at=datetime.fromtimestamp(ORIGIN, UTC)))
        yield verdict
        if verdict.outcome is Outcome.FAIL:
            return


def past_rollout(world: Rollout) -> PastRollout:
    """The simulated rollout as a line of a list."""
    steps = world.steps if world.told else ()
    end = ORIGIN + world.length
    return PastRollout(
        request=VerdictRequest(
            service=SERVICE,
            namespace=NAMESPACE,
            canary='version="v2"',
            policy=Policy(),
            deadline=datetime.fromtimestamp(end, UTC),
        ),
        start=ORIGIN,
        end=end,
        weights=tuple(Weight(at=ORIGIN + at, weight=100 * share) for at, share in steps),
    )


def told(poll: Poll | Verdict) -> tuple[object, ...]:
    """What an answer says; counts of what was left out are of another time."""
    code = poll.reason.code
    evidence = closest(poll) if isinstance(poll, Verdict) else poll.evidence
    return poll.outcome, code, dict(evidence)


@pytest.mark.parametrize(("seed", "fault"), WORLDS)
def test_bins_that_are_made_early_change_no_answer(seed: int, fault: Fault | None) -> None:
    """To the last bit of the evidence, whatever happened to the samples."""
    world = draw(seed, fault)
    source = fill(world, expected(world))
    past = past_of(source)
    course = play(past_rollout(world), past, policy=Policy(), every_s=EVERY_S)
    verdicts = list(lived(world, past))
    for poll, verdict in zip(course.polls, verdicts, strict=False):
        assert told(poll) == told(verdict), poll.at - ORIGIN
    assert len(course.polls) >= len(verdicts) > 5


class Held(HeldSource):
    """The shop from two hours before to its end."""

    def __init__(self, source: MemorySource) -> None:
        super().__init__(source, T0 - 5000, T0 + 1500)


def test_the_future_is_not_shown() -> None:
    """Pods that come later, and bins that were not final, are not in the frame of a poll."""
    past, source = past_of(shop()), shop()
    plan = past.discover(
        source,
        replace(rollout().request, policy=POLICY),
        start=T0,
        end=T0 + 1500,
        timeout_s=9.0,
    )
    session = Session(plan, POLICY, start=T0 - 300, interval=15.0)
    frames: Frames = AheadFrames(session, Held(source), T0 + 1500)
    assert frames.append((), (), now=T0 - 60) == 14
    early = frames.frame()
    assert early.canary.pods == ()
    assert len(early.control.pods) == 5
    assert early.first + early.bins == 14
    assert frames.append((), (), now=T0 + 600) == 58
    assert len(frames.frame().canary.pods) == 3


def test_only_requests_are_asked_for_poll_by_poll() -> None:
    """All else was read; the gate must still see who is there."""
    past, source = past_of(shop()), shop()
    plan = past.discover(source, rollout().request, start=T0, end=T0 + 900, timeout_s=9.0)
    session = Session(plan, POLICY, start=T0, interval=15.0)
    frames = AheadFrames(session, Held(source), T0 + 1500)
    before: tuple[Reading, ...] = frames.readings()
    answers = [Answer(series=()) for _ in before]
    assert frames.append(before, answers, now=T0) == 0
    frames.append((), (), now=T0 + 300)
    assert {one.family for one in frames.readings()} == {plan.requests}
    assert len(before) > len(frames.readings())


def test_bins_of_something_else_are_refused() -> None:
    """A bench that judges arrays has no samples to be read early."""
    past, source = past_of(shop()), shop()
    plan = past.discover(source, rollout().request, start=T0, end=T0 + 900, timeout_s=9.0)
    session = Session(plan, POLICY, start=T0, interval=15.0)
    frames = AheadFrames(session, Held(source), T0 + 1500)
    session.builder = frames
    with pytest.raises(TypeError, match="raw samples alone"):
        AheadFrames(session, Held(source), T0 + 1500)
