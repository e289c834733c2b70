"""The change log in every store: told once, found as people and incidents ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place, change_id
from detector.changes.record import ChangeFilter
from detector.errors import InputError, NotFoundError
from detector.ports import Stores

T0 = 1_790_000_000_000
EVERY = ChangeFilter(tenant="default")


def event(at: int = T0, subject: str = "7", **other: object) -> ChangeEvent:
    """The start of a deployment of checkout."""
    told = ChangeEvent(
        source="/argo",
        id=f"{subject}/{at}",
        subject=subject,
        at=at,
        kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.STARTED,
        place=Place(service="checkout"),
        attributes=(("ü\n", "\0"),),
    )
    return replace(told, **other)  # type: ignore[arg-type]


ENDED = event(T0 + 60_000, phase=ChangePhase.SUCCEEDED)


def found(stores: Stores, **wanted: object) -> list[str]:
    """Subjects, as they are listed."""
    page = stores.changes.list(replace(EVERY, **wanted))  # type: ignore[arg-type]
    return [change.subject for change in page.changes]


def test_events_of_one_subject_are_one_change(stores: Stores) -> None:
    """Two would be two suspects for one incident."""
    (begun,) = stores.changes.add("default", [event()])
    (ended,) = stores.changes.add("default", [ENDED])
    kept = stores.changes.get("default", begun.id)
    assert (kept, kept.ended_at, len(kept.events)) == (ended, T0 + 60_000, 2)


def test_an_event_that_is_told_again_changes_nothing(stores: Stores) -> None:
    """Every sender repeats what was not acknowledged in time."""
    stores.changes.add("default", [event(), ENDED])
    assert stores.changes.add("default", [ENDED, event()]) == ()


def test_changes_of_another_tenant_are_not_there(stores: Stores) -> None:
    """Nor their words, nor that there are any."""
    stores.changes.add("other", [event()])
    assert found(stores) == []
    with pytest.raises(NotFoundError):
        stores.changes.get("default", change_id("/argo", "7"))


def test_changes_are_found_by_service_kind_and_time(stores: Stores) -> None:
    """What was changed round an incident, also what names no service and may touch any."""
    flag = event(T0 + 5, "flag", kind=ChangeKind.FLAG, place=Place())
    cart = event(T0 + 9, "cart", place=Place(service="cart"))
    stores.changes.add("default", [event(), ENDED, flag, cart])
    assert found(stores) == ["cart", "flag", "7"]
    assert found(stores, service="checkout") == ["7"]
    assert found(stores, service="checkout", or_anywhere=True) == ["flag", "7"]
    assert found(stores, kind=ChangeKind.FLAG) == ["flag"]
    assert found(stores, since=T0 + 10) == ["7"]
    assert found(stores, until=T0 + 5) == ["7"]


def test_pages_have_every_change_once(stores: Stores) -> None:
    """Also where several began in the same millisecond."""
    stores.changes.add("default", [event(T0 + n // 3, str(n)) for n in range(10)])
    seen: list[str] = []
    page = stores.changes.list(replace(EVERY, limit=3))
    while page.next is not None:
        seen += [change.subject for change in page.changes]
        page = stores.changes.list(replace(EVERY, limit=3, after=page.next))
    seen += [change.subject for change in page.changes]
    assert sorted(seen, key=int) == [str(n) for n in range(10)]


def test_a_cursor_that_is_none_is_refused(stores: Stores) -> None:
    """By the field of the query that has to be mended."""
    with pytest.raises(InputError) as refused:
        stores.changes.list(replace(EVERY, after="x"))
    assert refused.value.field == "cursor"


def test_nothing_is_lost_where_many_tell_of_one_change_at_once(stores: Stores) -> None:
    """Replicas take the webhooks of one sender side by side."""
    events = [event(T0 + n) for n in range(24)]

    def told(one: ChangeEvent) -> tuple[Change, ...]:
        return stores.changes.add("default", [one])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(told, events))
    assert len(stores.changes.get("default", change_id("/argo", "7")).events) == len(events)


def test_changes_go_after_their_time(stores: Stores) -> None:
    """A year and a month later nobody asks who deployed what."""
    stores.changes.add("default", [event()])
    stores.retention.prune(T0 / 1000 + 399 * 86_400)
    assert found(stores) == ["7"]
    stores.retention.prune(T0 / 1000 + 401 * 86_400)
    assert found(stores) == []
