"""Two reports side by side: what became worse is first, and chance alone is no news."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import Assessment, Exhaustion
from detector.capacity.report import Report
from detector.reports.compare import Move, compared
from tests.api.reports.examples import cores, day, disk, memory, new, partitions, pool, report

MADE = st.sampled_from([pool(), disk(), memory(), cores(), partitions(), new()])


def dated(days: float, chance: float = 0.9) -> Assessment:
    """A disk that runs out then."""
    return replace(
        disk(), exhaustion=Exhaustion(chance=chance, p10=day(1), p50=day(days), p90=None)
    )


def chanced(chance: float) -> Assessment:
    """A disk that may run out."""
    return replace(disk(), exhaustion=Exhaustion(chance=chance, p10=day(50), p50=None, p90=None))


def move(before: Assessment, after: Assessment) -> tuple[Move, float | None]:
    """Of the same resource."""
    after = replace(after, identity=before.identity)
    (found,) = compared(report(before), report(after))
    return found.move, found.days


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (dated(23), dated(23), (Move.SAME, 0.0)),
        (dated(23), dated(21), (Move.SAME, -2.0)),
        (dated(23), dated(16), (Move.WORSE, -7.0)),
        (dated(23), dated(30), (Move.BETTER, 7.0)),
        (dated(80), dated(75), (Move.SAME, -5.0)),
        (dated(80), dated(70), (Move.WORSE, -10.0)),
        (chanced(0.2), chanced(0.25), (Move.SAME, None)),
        (chanced(0.2), chanced(0.35), (Move.WORSE, None)),
        (chanced(0.4), chanced(0.2), (Move.BETTER, None)),
        (chanced(0.4), dated(80), (Move.WORSE, None)),
        (dated(80), chanced(0.4), (Move.BETTER, None)),
        (dated(10), pool(), (Move.WORSE, None)),
        (pool(), pool(), (Move.SAME, None)),
        (pool(), cores(), (Move.BETTER, None)),
        (disk(), new(), (Move.LOST, None)),
        (new(), disk(), (Move.TOLD, None)),
        (new(), new(), (Move.SAME, None)),
    ],
)
def test_a_move_is_more_than_chance(
    before: Assessment, after: Assessment, told: tuple[Move, float | None]
) -> None:
    """Three days, or a tenth of the way, is how much forecasts move by themselves."""
    assert move(before, after) == told


def test_what_is_new_and_what_is_gone_is_told() -> None:
    """A resource that nobody reports any more has not become well."""
    found = compared(report(disk(), cores()), report(disk(), pool()))
    assert [(one.move, one.told.identity.title) for one in found] == [
        (Move.NEW, "connections pool of checkout"),
        (Move.GONE, "cpu of search"),
        (Move.SAME, "disk data of orders-db"),
    ]


@given(st.lists(MADE, unique_by=id, max_size=6), st.lists(MADE, unique_by=id, max_size=6))
def test_each_resource_comes_once(before: list[Assessment], after: list[Assessment]) -> None:
    """The gravest first; and the other way round, what became worse became better."""
    old, later = _report(before), _report(after)
    there, back = compared(old, later), compared(later, old)
    assert len(there) == len({one.told.identity.key for one in there})
    assert {one.told.identity.key for one in there} == {
        one.identity.key for one in (*before, *after)
    }
    order = list(Move)
    assert [order.index(one.move) for one in there] == sorted(order.index(m.move) for m in there)
    worse = {one.told.identity.key for one in there if one.move is Move.WORSE}
    assert worse == {one.told.identity.key for one in back if one.move is Move.BETTER}


@given(st.lists(MADE, unique_by=id, max_size=6))
def test_a_report_is_the_same_as_itself(told: list[Assessment]) -> None:
    """Nothing moved."""
    assert {one.move for one in compared(_report(told), _report(told))} <= {Move.SAME}


def _report(told: list[Assessment]) -> Report:
    return replace(report(), assessments=tuple(told))
