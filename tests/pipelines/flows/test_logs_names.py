"""Ids of our own counters: one for each, kept over restarts, bounded."""

from __future__ import annotations

from detector.logs.lines import Origin
from pipelines.flows.logs_names import FORGET_MS, OwnNames, of_labels
from pipelines.stores.own import OwnSeries

POD = Origin(service="checkout", pod="a", version="v1")
NOW = 1_790_000_000_000


def labels(nth: int) -> tuple[tuple[str, str], ...]:
    """Of one counter."""
    return of_labels("lines_total", (("pod", "a"), ("level", str(nth))))


def test_labels_are_in_order_without_those_that_nobody_told() -> None:
    """One counter has one name, whoever tells it."""
    found = of_labels("x", (("pod", "a"), ("cluster", ""), ("level", "e" * 999)))
    assert [name for name, _ in found] == ["__name__", "level", "pod"]
    assert len(dict(found)["level"]) == 256


def test_a_counter_keeps_its_id_and_is_told_once() -> None:
    """Also by the next process."""
    names = OwnNames(most=10)
    first = names.id_of(labels(1), POD, NOW)
    assert names.id_of(labels(1), POD, NOW + 1) == first
    (new,) = names.fresh()
    names.kept(1)
    kept = OwnSeries(id=new.id, owner=new.owner, labels=new.labels, seen=NOW)
    again = OwnNames([kept], most=10)
    assert again.id_of(labels(1), POD, NOW) == first
    assert again.id_of(labels(2), POD, NOW) == first + 1
    assert [one.owner for one in again.fresh()] == [new.owner]


def test_what_was_not_kept_is_told_again() -> None:
    """A batch that was refused takes no name with it."""
    names = OwnNames(most=10)
    names.id_of(labels(1), POD, NOW)
    assert len(names.fresh()) == len(names.fresh()) == 1


def test_there_is_room_for_what_comes_first_when_the_rest_is_full() -> None:
    """A flood of templates hides none of the levels."""
    names = OwnNames(most=8)
    found = [names.id_of(labels(n), POD, NOW, is_first=False) for n in range(12)]
    assert found == [*range(8), -1, -1, -1, -1]
    assert names.id_of(labels(98), POD, NOW, is_first=True) == 8
    assert names.refused == 4


def test_who_is_silent_for_long_makes_room() -> None:
    """Pods come and go for ever; one that only rises and is never asked for stays."""
    names = OwnNames(most=2)
    silent, rising = (names.id_of(labels(n), POD, NOW, is_first=False) for n in range(2))
    later = NOW + FORGET_MS + 1
    names.touch([rising], later)
    assert names.id_of(labels(7), POD, later, is_first=False) == 2
    assert names.id_of(labels(1), POD, later) == rising
    assert names.id_of(labels(0), POD, later + 3_600_001) not in {silent, rising}
