"""What the gate judges is in the change log, once, and not where somebody else told of it."""

from __future__ import annotations

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.record import ChangeFilter
from detector.gate.request import Stage, VerdictRequest
from pipelines.flows.rollout_changes import RolloutChanges
from tests.pipelines.flows.scripted import T0, World

CANARY = '{track="canary"}'


def asked(world: World, second: float, **words: object) -> None:
    """A controller asks."""
    world.clock.at = T0 + second
    request = VerdictRequest(service="checkout", canary=CANARY, revision="v2", **words)  # type: ignore[arg-type]
    world.gate.judge(request)


def told(world: World, tenant: str = "default") -> list[Change]:
    """What is in the log."""
    return list(world.stores.changes.list(ChangeFilter(tenant=tenant)).changes)


def shop() -> tuple[World, RolloutChanges]:
    """A canary that came at T0, and who tells of it."""
    world = World()
    world.shop()
    return world, RolloutChanges(world.stores, world.clock)


def deployed(at: float, source: str = "/argo-rollouts/shop/checkout") -> ChangeEvent:
    """As its controller tells it."""
    return ChangeEvent(
        source=source,
        id="7",
        subject="7",
        at=round(1000 * (T0 + at)),
        kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.STARTED,
        place=Place(service="checkout"),
    )


def test_a_rollout_is_a_change_from_the_first_sample_of_its_canary() -> None:
    """Nobody has to set up a webhook for its service to have a suspect."""
    world, rollouts = shop()
    asked(world, 100)
    assert not rollouts.look()
    (change,) = told(world)
    assert (change.place.service, change.version, change.phase) == (
        "checkout", "v2", ChangePhase.STARTED,
    )  # fmt: skip
    assert abs(change.started_at / 1000 - T0) < 60


def test_it_ends_with_its_rollout() -> None:
    """Passed at its final stage, or failed; told once, however often it is looked at."""
    world, rollouts = shop()
    asked(world, 100)
    rollouts.look()
    asked(world, 400, stage=Stage.FINAL)
    for _ in range(3):
        rollouts.look()
    (change,) = told(world)
    assert (change.phase, len(change.events)) == (ChangePhase.SUCCEEDED, 2)


def test_one_that_failed_has_failed() -> None:
    """That makes it more suspect."""
    world, rollouts = shop()
    failing = {T0 + 100: 20.0}
    world.pod("web-bbbbb-fghjl", "canary", born=T0, until=T0 + 3600, errors=failing)
    asked(world, 300)
    rollouts.look()
    (change,) = told(world)
    assert change.phase is ChangePhase.FAILED


def test_another_process_tells_nothing_twice() -> None:
    """Replicas look at the same verdicts."""
    world, rollouts = shop()
    asked(world, 100)
    rollouts.look()
    RolloutChanges(world.stores, world.clock).look()
    assert [len(one.events) for one in told(world)] == [1]


def test_what_its_controller_tells_is_not_told_again() -> None:
    """One deployment would be two suspects, of which each is half as likely."""
    world, rollouts = shop()
    world.stores.changes.add("default", [deployed(-5)])
    asked(world, 100)
    rollouts.look()
    assert [one.source for one in told(world)] == ["/argo-rollouts/shop/checkout"]


def test_a_deployment_of_long_ago_is_another_one() -> None:
    """What was deployed an hour before is not this rollout."""
    world, rollouts = shop()
    world.stores.changes.add("default", [deployed(-3600)])
    asked(world, 100)
    rollouts.look()
    assert len(told(world)) == 2


def test_a_canary_that_was_not_seen_is_no_change() -> None:
    """Nothing runs yet."""
    world = World()
    rollouts = RolloutChanges(world.stores, world.clock)
    asked(world, 100)
    rollouts.look()
    assert told(world) == []
