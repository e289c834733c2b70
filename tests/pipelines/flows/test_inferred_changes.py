"""What the data show is in the change log, once, and not where somebody else told of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.inferred import Seen
from detector.changes.ports import ChangeLog
from detector.changes.record import ChangeFilter, ChangePage
from detector.errors import StoreError
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.stores.memory import memory_stores

MINUTE = 60_000
T0 = 1_790_000_000_000
SHOP = Place(service="checkout")


class Shop:
    """A service whose versions a test sets, and who looks at them."""

    def __init__(self, log: ChangeLog) -> None:
        self.versions: dict[str, int] = {"1": 5}
        self.log, self.at = log, T0
        self.flow = InferredChanges(self.seen, log, "default")

    def seen(self) -> list[Seen]:
        """What there is now."""
        return [Seen(place=SHOP, label="version", versions=dict(self.versions), at=self.at)]

    def looked(self, minutes: int) -> None:
        """Looks, one a minute."""
        for _ in range(minutes):
            assert not self.flow.look()
            self.at += MINUTE


def told(log: ChangeLog) -> list[Change]:
    """What is in the log."""
    return list(log.list(ChangeFilter(tenant="default")).changes)


def deployed(minute: float, service: str = "checkout", **words: str) -> ChangeEvent:
    """As its controller tells it."""
    return ChangeEvent(
        source="/argo-cd",
        id="7",
        subject="7",
        at=T0 + round(minute * MINUTE),
        kind=ChangeKind(words.get("kind", "deployment")),
        phase=ChangePhase.STARTED,
        place=Place(service=service),
    )


def shop() -> Shop:
    """Five pods of version 1, looked at for two minutes; version 2 comes at the third look."""
    made = Shop(memory_stores().changes)
    made.looked(2)
    made.versions = {"1": 2, "2": 3}
    return made


def test_a_version_that_nobody_told_of_is_a_change_and_ends() -> None:
    """Started when it was first seen, over when the old one was gone."""
    world = shop()
    world.looked(10)
    (change,) = told(world.log)
    assert (change.version, change.phase, change.is_inferred) == ("2", ChangePhase.STARTED, True)
    assert change.started_at == T0 + 2 * MINUTE
    world.versions = {"2": 5}
    world.looked(10)
    (change,) = told(world.log)
    assert (change.phase, change.ended_at) == (ChangePhase.SUCCEEDED, T0 + 11 * MINUTE)


def test_what_its_controller_tells_is_not_told_again() -> None:
    """Also where it tells a little later than the first pod is seen; nor is its end."""
    world = shop()
    world.looked(2)
    world.log.add("default", (deployed(3.5),))
    world.looked(10)
    world.versions = {"2": 5}
    world.looked(10)
    assert [one.source for one in told(world.log)] == ["/argo-cd"]


@pytest.mark.parametrize(
    "other", [deployed(2, "cart"), deployed(2, kind="config"), deployed(-60)], ids=str
)
def test_another_change_does_not_stand_for_it(other: ChangeEvent) -> None:
    """Of another service, of another kind, of another hour."""
    world = shop()
    world.log.add("default", (other,))
    world.looked(10)
    assert len(told(world.log)) == 2


def test_another_process_tells_nothing_twice() -> None:
    """Replicas look at other seconds of the same minute."""
    world = shop()
    second = Shop(world.log)
    second.at += 7000
    second.looked(2)
    second.versions = world.versions
    for _ in range(10):
        world.looked(1)
        second.looked(1)
    assert len(told(world.log)) == 1


def test_two_versions_after_each_other_are_two_changes() -> None:
    """The second within minutes of the first."""
    world = shop()
    world.looked(5)
    world.versions = {"2": 1, "3": 4}
    world.looked(10)
    assert sorted(one.version for one in told(world.log)) == ["2", "3"]


def test_a_label_of_hundreds_of_values_is_named() -> None:
    """And no change is told of it."""
    world = shop()
    world.versions = {f"r{n}": 1 for n in range(200)}
    world.looked(10)
    assert told(world.log) == []
    assert "200 values" in world.flow.refused["checkout"]


class Away:
    """A log that fails once."""

    def __init__(self, log: ChangeLog) -> None:
        self._log, self.is_away = log, True

    def get(self, tenant: str, id: str) -> Change:
        """As the log does."""
        return self._log.get(tenant, id)

    def list(self, wanted: ChangeFilter) -> ChangePage:
        """As the log does."""
        return self._log.list(wanted)

    def add(self, tenant: str, events: Sequence[ChangeEvent]) -> tuple[Change, ...]:
        """As the log does, but for the first time."""
        if self.is_away:
            self.is_away = False
            raise StoreError("away")
        return self._log.add(tenant, events)


def test_what_the_log_did_not_take_is_told_at_the_next_look() -> None:
    """Nothing is forgotten over it."""
    world = Shop(Away(memory_stores().changes))
    world.looked(2)
    world.versions = {"1": 2, "2": 3}
    world.looked(3)
    with pytest.raises(StoreError):
        world.looked(1)
    assert told(world.log) == []
    world.at += MINUTE
    world.looked(1)
    assert [one.version for one in told(world.log)] == ["2"]
