"""What the data show is in the change log, once, and not where somebody else told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.inferred import Known, Seen
from detector.changes.ports import ChangeLog, VersionStore
from detector.changes.record import ChangeFilter, ChangePage
from detector.errors import StoreError
from pipelines.flows.inferred_changes import InferredChanges
from pipelines.stores.memory import memory_stores

MINUTE = 60_000
T0 = 1_790_000_000_000
SHOP = Place(service="checkout")


class Shop:
    """A service whose versions a test sets, and who looks at them."""

    def __init__(self, log: ChangeLog, store: VersionStore | None = None) -> None:
        self.versions: dict[str, int] = {"1": 5}
        self.log, self.at = log, T0
        self.store = store or memory_stores().versions
        self.start()

    def start(self) -> None:
        """Begin, with nothing in memory."""
        self.flow = InferredChanges(self.seen, self.log, self.store, "default")

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


def told_of(log: ChangeLog, kind: ChangeKind) -> list[Change]:
    """What is in the log of a kind."""
    return list(log.list(ChangeFilter(tenant="default", kind=kind)).changes)


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


def test_a_version_that_came_while_nobody_looked_is_told_of() -> None:
    """After a restart, and that it may have come at any time since."""
    world = Shop(memory_stores().changes)
    world.looked(3)
    world.at += 20 * MINUTE
    world.versions = {"2": 5}
    world.start()
    world.looked(10)
    (change,) = told(world.log)
    assert (change.version, change.phase) == ("2", ChangePhase.SUCCEEDED)
    assert change.started_at == T0 + 23 * MINUTE
    assert "not looked at since" in change.title


@pytest.mark.parametrize("minutes", range(8))
def test_a_restart_in_the_middle_of_a_deployment_tells_the_same(minutes: int) -> None:
    """Whether it waits to be told, or for its end."""
    whole, stopped = shop(), shop()
    for world in (whole, stopped):
        world.looked(minutes)
        if world is stopped:
            world.start()
        world.looked(8 - minutes)
        world.versions = {"2": 5}
        world.looked(10)
    assert told(stopped.log) == told(whole.log)


class Counting:
    """A store that counts what is kept."""

    def __init__(self) -> None:
        self._store, self.kept = memory_stores().versions, 0

    def of(self, tenant: str) -> Mapping[Place, Known]:
        """As the store does."""
        return self._store.of(tenant)

    def keep(self, tenant: str, known: Mapping[Place, Known]) -> None:
        """As the store does."""
        self.kept += len(known)
        self._store.keep(tenant, known)


def test_a_service_whose_versions_stay_is_written_each_five_minutes() -> None:
    """Thousands of services would be a write each second otherwise."""
    store = Counting()
    world = Shop(memory_stores().changes, store)
    world.looked(61)
    assert store.kept == 13
    assert store.of("default")[SHOP].spans["1"].last == T0 + 60 * MINUTE


def test_a_page_of_other_changes_does_not_hide_who_told() -> None:
    """A service whose flags are switched by a program."""
    world = shop()
    world.looked(1)
    world.log.add("default", (deployed(2),))
    flags = [deployed(2.2 + n / 100, kind="flag") for n in range(120)]
    world.log.add(
        "default", [replace(one, id=f"f{n}", subject=f"f{n}") for n, one in enumerate(flags)]
    )
    world.looked(10)
    assert [one.source for one in told_of(world.log, ChangeKind.DEPLOYMENT)] == ["/argo-cd"]


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
