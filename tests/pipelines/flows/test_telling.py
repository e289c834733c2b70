"""The gate leaves a notice with the answer that calls for one."""

from __future__ import annotations

import dataclasses

import pytest

from detector.gate.policy import Mode, Policy
from detector.gate.telling import NoticeKind, Route
from detector.gate.verdict import Outcome
from pipelines.flows.gate import GateSettings
from tests.pipelines.flows.scripted import T0, World, ask, at

OPS = (Route(name="ops"),)


def failing(mode: Mode = Mode.ENFORCE, routes: tuple[Route, ...] = OPS) -> World:
    """A shop whose canary fails from the second minute on."""
    policies = {"default": Policy(mode=mode)}
    world = World(settings=GateSettings(routes=routes, policies=policies))
    world.shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 7200, errors={T0 + 100: 20})
    return world


def told(world: World) -> list[tuple[str, str]]:
    """Kinds and titles of what waits in the outbox."""
    errands = world.stores.outbox.claim("ops", now=T0 + 1e6, lease_s=0.0, most=50)
    return [(errand.notice.kind.value, errand.notice.title) for errand in errands]


def poll(world: World, *seconds: float, **question: object) -> Outcome:
    """Ask at these seconds; the last answer."""
    outcome = Outcome.INCONCLUSIVE
    for second in seconds:
        world.clock.at = T0 + second
        outcome = world.gate.judge(ask(**question)).outcome
    return outcome


def test_a_fail_is_told_once_however_often_it_is_polled() -> None:
    """Nor again after a restart, which has forgotten what it said."""
    world = failing()
    assert poll(world, 200, 215, 300, 400) is Outcome.FAIL
    world.restart()
    poll(world, 500, 900)
    assert told(world) == [("fail", "checkout failed")]


def test_before_the_fail_nobody_is_told() -> None:
    """A rollout that collects samples is no news."""
    world = failing()
    poll(world, 30, 60, 90)
    assert told(world) == []


def test_the_notice_is_of_the_stored_answer() -> None:
    """The message leads to the verdict that it speaks of."""
    world = failing()
    poll(world, 200)
    (errand,) = world.stores.outbox.claim("ops", now=T0 + 1e6, lease_s=1.0, most=9)
    verdict = errand.notice.verdict
    assert verdict is not None
    # The scripted judge shows NaN as a control, which equals nothing.
    kept = world.gate.records.verdict(verdict.id)
    assert dataclasses.replace(verdict, signals=()) == dataclasses.replace(kept, signals=())


@pytest.mark.parametrize(
    ("mode", "titles"),
    [
        (Mode.SHADOW, []),
        (Mode.ADVISE, [("fail", "checkout is worse than the stable version")]),
        (Mode.PAUSE, [("fail", "checkout failed and waits")]),
    ],
)
def test_the_mode_says_what_is_told(mode: Mode, titles: list[tuple[str, str]]) -> None:
    """Advise lets every rollout go on and tells chat; shadow is silent."""
    world = failing(mode)
    poll(world, 200)
    assert told(world) == titles


def test_a_passed_deadline_is_told() -> None:
    """The controller pauses, and a person has to look."""
    world = World(settings=GateSettings(routes=OPS))
    world.shop(per_s=0.1)
    poll(world, 100, 700, 760, deadline=at(600))
    assert told(world) == [(NoticeKind.PAUSE.value, "checkout waits for a person")]


def test_without_notifiers_nothing_is_kept() -> None:
    """The outbox of those who use none stays empty."""
    world = failing(routes=())
    poll(world, 200)
    assert world.stores.outbox.tally() == {}


def test_the_past_tells_nobody() -> None:
    """A question about an earlier moment writes nothing, so it tells nothing."""
    world = failing()
    poll(world, 200)
    told_then = world.stores.outbox.tally()
    world.gate.judge(ask(as_of=at(150)))
    assert world.stores.outbox.tally() == told_then
