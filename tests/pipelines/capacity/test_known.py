"""Changes of services from the change log, as moments."""

from __future__ import annotations

from itertools import pairwise

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.record import ChangeFilter, ChangePage
from detector.errors import StoreError
from pipelines.capacity.known import KnownChanges
from pipelines.stores.memory_changes import MemoryChanges

HOUR = 3_600_000
SINCE, UNTIL = 1_790_000_000_000, 1_790_000_000_000 + 1000 * HOUR


def event(at: int, *, kind: ChangeKind = ChangeKind.DEPLOYMENT, **changes: object) -> ChangeEvent:
    """A deployment of `web` that succeeded."""
    told = {
        "source": "ci",
        "id": f"{kind}{at}",
        "subject": f"{kind}{at}",
        "at": at,
        "kind": kind,
        "phase": ChangePhase.SUCCEEDED,
        "place": Place(service="web", namespace="shop"),
    }
    return ChangeEvent(**(told | changes))  # type: ignore[arg-type]


def known(*events: ChangeEvent) -> KnownChanges:
    """What looks them up."""
    log = MemoryChanges()
    log.add("default", events)
    return KnownChanges(log)


def test_deployments_of_the_service_are_found() -> None:
    """Those of others, of other namespaces, failed ones and merges are not."""
    found = known(
        event(SINCE + HOUR),
        event(SINCE + 20 * HOUR, place=Place(service="web")),
        event(SINCE + 30 * HOUR, place=Place(service="web", namespace="test")),
        event(SINCE + 40 * HOUR, place=Place(service="db", namespace="shop")),
        event(SINCE + 50 * HOUR, phase=ChangePhase.FAILED),
        event(SINCE + 60 * HOUR, kind=ChangeKind.MERGE),
        event(SINCE + 70 * HOUR, kind=ChangeKind.SCALING),
    )("web", "shop", SINCE, UNTIL)
    assert [(at - SINCE) // HOUR for at in found] == [1, 20, 70]


def test_without_a_namespace_those_of_all_count() -> None:
    """A pool is known by its job alone."""
    found = known(event(SINCE + HOUR), event(SINCE + 9 * HOUR, place=Place(service="web")))
    assert len(found("web", "", SINCE, UNTIL)) == 2


def test_changes_that_follow_each_other_are_one() -> None:
    """A service that is released hourly has no step each hour."""
    found = known(*(event(SINCE + at * HOUR) for at in range(500)))("web", "shop", SINCE, UNTIL)
    assert len(found) == 24
    assert all(late - early >= 6 * HOUR for early, late in pairwise(found))
    assert found[-1] > SINCE + 490 * HOUR


def test_a_change_counts_when_it_ended() -> None:
    """A canary of three hours moves the level when it is promoted."""
    begun = event(SINCE + HOUR, phase=ChangePhase.STARTED, subject="r", id="1")
    ended = event(SINCE + 4 * HOUR, subject="r", id="2")
    assert known(begun, ended)("web", "shop", SINCE, UNTIL) == [SINCE + 4 * HOUR]


def test_what_is_outside_of_the_span_is_left_out() -> None:
    """Positions are of the past that is looked at."""
    found = known(event(SINCE - HOUR), event(UNTIL + HOUR))
    assert found("web", "shop", SINCE, UNTIL) == []


def test_a_log_that_is_away_knows_no_changes() -> None:
    """A report is made without them."""

    class Away(MemoryChanges):
        def list(self, wanted: ChangeFilter) -> ChangePage:
            raise StoreError("away")

    assert KnownChanges(Away())("web", "", SINCE, UNTIL) == []
