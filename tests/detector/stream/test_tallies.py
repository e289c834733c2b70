"""Half hours of services: over pods that come and go, the same however samples are cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.columns import Columns
from detector.stream.counting import Part
from detector.stream.tallies import BLOCKS, WIDTH_MS, Tallies, is_counted_alike, restored_tallies
from tests.detector.stream.services import EDGES, T0, Pushed, counting, tallies_of
from tests.profiles import HEAVY

HOUR = 60


def sums(tallies: Tallies, part: Part, *, edge: str = "") -> list[float]:
    """A part of every half hour that is over."""
    numbers = [n for cell, n in tallies.cells.items() if (cell.part, cell.edge) == (part, edge)]
    _, found = tallies.past(numbers, 2**62)
    told: list[float] = found.sum(axis=1).tolist()
    return told


def test_requests_of_all_pods_are_added_up_by_the_half_hour() -> None:
    """What the gate compares is the service, not one of its pods."""
    pushed = Pushed().born("pod-old-1", "pod-old-2").push(2 * HOUR, errors=0.1)
    assert sums(pushed.tallies, Part.GOOD)[1:] == pytest.approx([3240.0] * 3)
    assert sums(pushed.tallies, Part.BAD)[1:] == pytest.approx([360.0] * 3)
    assert sums(pushed.tallies, Part.BELOW, edge="0.1")[1:] == pytest.approx([2880.0] * 3)


def test_pods_that_come_and_go_leave_no_dent() -> None:
    """A rollout of the same traffic is no change of the service."""
    pushed = Pushed().born("pod-old-1", "pod-old-2").push(HOUR)
    pushed.born("pod-new-1").gone("pod-old-1").push(HOUR)
    assert sums(pushed.tallies, Part.GOOD)[1:] == pytest.approx([3600.0] * 3)


def test_the_first_error_of_a_quiet_service_is_counted() -> None:
    """A counter by code is born with its first event."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    late = Pushed(service="cart").born("a")
    bad = late.series[1]
    pushed.tallies.introduce([bad])
    before = len(pushed.series)
    pushed.tallies.take(one_sample(before, pushed.minute, 3.0))
    assert pushed.tallies.running[pushed.tallies.cells[pushed.tallies.counting.cell(bad)]] == 0.0  # type: ignore[index]
    own = Pushed().born("x").series[1]
    pushed.tallies.introduce([own])
    pushed.tallies.take(one_sample(before + 1, pushed.minute, 3.0))
    assert pushed.tallies.running[pushed.tallies.cells[pushed.tallies.counting.cell(own)]] == 3.0  # type: ignore[index]


def one_sample(series: int, minute: int, value: float) -> Columns:
    """One sample of one series."""
    return Columns(
        series=np.array([series], np.int32),
        at=np.array([T0 + 60_000 * minute], np.int64),
        value=np.array([value]),
    )


def test_what_was_served_before_anybody_looked_is_of_no_half_hour() -> None:
    """The stream begins beside counters of years."""
    pushed = Pushed().born("pod-old-1", already=1e9).push(2 * HOUR)
    assert max(sums(pushed.tallies, Part.GOOD)) <= 1800.0


def test_half_hours_without_samples_are_empty_and_keep_their_place() -> None:
    """A day in which nothing was pushed is a hole, not a shift of the clock."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    pushed.minute += 24 * HOUR
    pushed.push(HOUR)
    found = sums(pushed.tallies, Part.GOOD)
    assert len(found) == 52
    assert found[3:-2] == [0.0] * 47


def test_two_weeks_are_kept_and_no_more() -> None:
    """What is older is of no use, and memory is bounded."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    for day in range(16):
        pushed.minute = day * 24 * HOUR
        pushed.push(10)
    first, found = pushed.tallies.past([0], 2**62)
    assert len(found) == BLOCKS
    assert first == pushed.tallies.block - BLOCKS


def test_what_came_later_than_asked_about_is_not_told() -> None:
    """A verdict of an hour ago is made of what was known then."""
    pushed = Pushed().born("pod-old-1").push(3 * HOUR)
    _, found = pushed.tallies.past([0], T0 + 2 * WIDTH_MS)
    assert len(found) == 2
    assert pushed.tallies.past([0], T0 - WIDTH_MS)[1].shape == (0, 1)


def test_beyond_the_most_cells_nothing_is_kept_and_that_is_counted() -> None:
    """Ten thousand services take no more memory than was allowed."""
    pushed = Pushed(tallies=tallies_of(most=3)).born("pod-old-1").push(HOUR)
    assert len(pushed.tallies.cells) == 3
    assert pushed.tallies.left_out == 2 + len(EDGES) - 3


def test_gauges_and_strangers_are_not_counted() -> None:
    """Metrics that no pack knows cost nothing."""
    pushed = Pushed(service="")
    pushed.born("somewhere").push(HOUR)
    assert pushed.tallies.cells == {}


def again(tallies: Tallies, pushed: Pushed) -> Tallies:
    """After a restart."""
    arrays = {name: array.copy() for name, array in tallies.to_arrays().items()}
    return restored_tallies(arrays, pushed.series, counting=counting(), most=100)


def same(one: Tallies, other: Tallies) -> bool:
    """Whether all that is kept is equal to the bit."""
    ours, theirs = one.to_arrays(), other.to_arrays()
    return ours.keys() == theirs.keys() and all(
        ours[name].tobytes() == theirs[name].tobytes() for name in ours
    )


@HEAVY
@given(st.lists(st.integers(1, 300), max_size=6), st.integers(0, 200))
def test_restarts_and_cuts_change_nothing(cuts: Sequence[int], restart: int) -> None:
    """The same samples in other batches, with a restart in their midst: the same to the bit."""
    whole, cut = Pushed().born("pod-old-1", "pod-old-2"), Pushed().born("pod-old-1", "pod-old-2")
    batches = list(whole.batches(200, errors=0.05))
    every = Columns(
        series=np.concatenate([b.series for b in batches]),
        at=np.concatenate([b.at for b in batches]),
        value=np.concatenate([b.value for b in batches]),
    )
    whole.tallies.take(every)
    edges = sorted({0, len(every), *(min(c * 7, len(every)) for c in (*cuts, restart))})
    tallies = cut.tallies
    for start, stop in pairwise(edges):
        tallies.take(every.part(slice(start, stop)))
        if start <= restart * 7 < stop:
            tallies = again(tallies, cut)
    assert same(whole.tallies, tallies)


def test_a_snapshot_without_tallies_begins_them() -> None:
    """An upgrade keeps what was learned of series, and begins to count."""
    pushed = Pushed().born("pod-old-1")
    begun = restored_tallies({}, pushed.series, counting=counting(), most=100)
    assert len(begun.cells) == 2 + len(EDGES)


def test_with_the_same_packs_no_label_is_read_after_a_restart() -> None:
    """A million series would be looked at one by one before anything is taken."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    arrays = pushed.tallies.to_arrays()
    assert is_counted_alike(arrays, counting())
    alike = restored_tallies(arrays, (), counting=counting(), most=100)
    assert same(alike, again(pushed.tallies, pushed))
    beyond = Columns(
        series=np.array([1_000_000], np.int32),
        at=np.array([alike.watermark + 1]),
        value=np.array([1.0]),
    )
    alike.take(beyond)
    assert len(alike.members.place) == 1_000_001


def test_with_other_packs_series_are_looked_at_anew() -> None:
    """After an upgrade of a pack its series would be counted in cells of before."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    arrays = {**pushed.tallies.to_arrays(), "tally.rules": np.zeros(32, np.uint8)}
    assert not is_counted_alike(arrays, counting())
    anew = restored_tallies(arrays, pushed.series, counting=counting(), most=100)
    assert same(anew, pushed.tallies)


def test_a_snapshot_of_another_schema_is_refused() -> None:
    """An older serinus does not read what it cannot know."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    arrays = {**pushed.tallies.to_arrays(), "tally": np.array([99, 0, 0, 0])}
    with pytest.raises(ValueError, match="schema 99"):
        restored_tallies(arrays, pushed.series, counting=counting(), most=100)


def test_an_id_that_is_given_to_another_series_counts_for_it_alone() -> None:
    """A series that is gone leaves its number to one of another service."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    other = Pushed(service="cart").born("cart-1")
    pushed.tallies.introduce(other.series, ids=range(6))
    pushed.tallies.take(one_sample(0, pushed.minute + 1, 1e6))
    pushed.tallies.take(one_sample(0, pushed.minute + 2, 1e6 + 5))
    running = {c: pushed.tallies.running[n] for c, n in pushed.tallies.cells.items()}
    # The minute at the full hour was checkout's.
    assert {c.service: v for c, v in running.items() if c.part is Part.GOOD} == {
        "checkout": 60.0,
        "cart": 5.0,
    }


def test_services_that_are_gone_for_two_weeks_are_forgotten() -> None:
    """Names of services come and go for years."""
    pushed = Pushed().born("pod-old-1").push(HOUR)
    other = Pushed(service="cart").born("cart-1")
    pushed.tallies.introduce(other.series, ids=range(6))
    for day in range(1, 18):
        pushed.tallies.take(one_sample(0, day * 24 * HOUR, 1e6 + day))
    assert {cell.service for cell in pushed.tallies.cells} == {"cart"}
    assert same(pushed.tallies, again(pushed.tallies, other))
