"""Rows by key, calls counted by them, and what was seen within a window: against plain Python."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.traces.rows import NO_ROW, no_rows, row_of, rows_of
from models.traces.seen import first_seen, no_seen
from models.traces.tally import count_calls, no_tally, place_of, without

BOUNDS = np.array([10, 100, 1_000], dtype=np.int64)
IDS = st.integers(0, 6)


@given(st.lists(st.integers(-(2**62), 2**62), max_size=60))
def test_each_key_has_the_row_it_came_in(keys: list[int]) -> None:
    """Two operations that shared a row would be counted as one."""
    rows = no_rows(64)
    found = [row_of(key, rows) for key in keys]
    order = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    assert found == [order[key] for key in keys]
    assert len(rows) == len(order)


@given(st.sets(st.integers(0, 1_000), min_size=5, max_size=20))
def test_a_full_table_refuses_only_what_is_new(keys: set[int]) -> None:
    """With no room left known keys are still counted."""
    most = len(keys) - 2
    rows = no_rows(most)
    found = [row_of(key, rows) for key in keys]
    assert found == [*range(most), NO_ROW, NO_ROW]
    assert row_of(next(iter(keys)), rows) == 0


def test_rows_are_found_again_by_their_keys() -> None:
    """After some left, the others are where they were put."""
    keys = np.array([7, -3, 2**40], dtype=np.int64)
    rows = rows_of(keys, 8)
    assert [row_of(int(key), rows) for key in keys] == [0, 1, 2]


@given(st.lists(st.tuples(IDS, st.integers(0, 5_000), st.booleans()), max_size=60))
def test_calls_are_counted_as_one_by_one(calls: list[tuple[int, int, bool]]) -> None:
    """A rate, a mean and a bucket that anybody would get who counts by hand."""
    tally = no_tally(16, BOUNDS)
    keys, durations, counted = (np.array([call[n] for call in calls]) for n in range(3))
    lost = count_calls(
        keys.astype(np.int64), durations.astype(np.int64), counted.astype(np.bool_), 5, tally
    )
    plain = [(key, duration) for key, duration, is_counted in calls if is_counted]
    assert lost == 0
    for row in range(len(tally.rows)):
        key = int(tally.rows.keys[row])
        own = [duration for other, duration in plain if other == key]
        assert (tally.calls[row], tally.total[row]) == (len(own), sum(own))
        edges = [-1, 10, 100, 1_000, 10**9]
        buckets = [sum(a < d <= b for d in own) for a, b in pairwise(edges)]
        assert tally.within[row].tolist() == buckets
    assert len(tally.rows) == len({key for key, _ in plain})


@given(st.integers(-5, 2_000))
def test_a_value_falls_on_the_first_bound_that_holds_it(value: int) -> None:
    """`le` means at most, as Prometheus reads it."""
    assert place_of(value, BOUNDS) == sum(value > bound for bound in BOUNDS.tolist())


def test_a_sum_never_turns_over() -> None:
    """A counter that went back by itself would be read as a restart."""
    tally, yes = no_tally(4, BOUNDS), np.array([True, True])
    long = np.array([2**62, 2**62], dtype=np.int64)
    for _ in range(3):
        count_calls(np.array([1, 1]), long, yes, 1, tally)
    assert tally.total[0] == 2**63 - 1
    assert tally.calls[0] == 6


def test_the_idle_make_room() -> None:
    """Pods that are gone do not take the place of those that came."""
    tally, yes = no_tally(4, BOUNDS), np.array([True])
    for at, key in ((1, 10), (9, 20)):
        count_calls(np.array([key]), np.array([50]), yes, at, tally)
    left = without(tally, 5)
    assert left.rows.keys[: len(left.rows)].tolist() == [20]
    assert (left.calls[0], left.within[0].tolist()) == (1, [0, 1, 0, 0])


@given(
    st.lists(st.lists(st.tuples(IDS, IDS, st.integers(2, 3)), max_size=10), min_size=1, max_size=8)
)
def test_a_span_counts_once_however_often_it_comes(
    batches: list[list[tuple[int, int, int]]],
) -> None:
    """A collector that sends again after a time-out doubles no rate."""
    seen, known = no_seen(1_000, seed=3), Counter[tuple[int, int, int]]()
    for batch in batches:
        is_first = np.zeros(len(batch), dtype=np.bool_)
        trace = np.array([[own[0], 1] for own in batch], dtype=np.uint64).reshape(-1, 2)
        span = np.array([own[1] for own in batch], dtype=np.uint64)
        kind = np.array([own[2] for own in batch], dtype=np.uint8)
        first_seen(trace, span, kind, (1_000, 30_000), seen, is_first)
        for own, first in zip(batch, is_first.tolist(), strict=True):
            assert first == (known[own] == 0)
            known[own] += 1


def _first(seen: object, ids: range, at: int) -> int:
    is_first = np.zeros(len(ids), dtype=np.bool_)
    trace = np.array([[id, 9] for id in ids], dtype=np.uint64)
    span = np.array(ids, dtype=np.uint64) + np.uint64(1)
    kind = np.zeros(len(ids), dtype=np.uint8)
    first_seen(trace, span, kind, (at, 1_000), seen, is_first)  # type: ignore[arg-type]
    return int(is_first.sum())


def test_a_window_is_known_for_its_whole_length() -> None:
    """What came a moment before the tables were changed is known still, for one window at least."""
    seen = no_seen(1_000, seed=1)
    assert _first(seen, range(50), 900) == 50
    assert _first(seen, range(60, 70), 1_000) == 10
    assert _first(seen, range(50), 1_900) == 0
    assert _first(seen, range(60, 70), 2_000) == 0
    assert _first(seen, range(50), 9_000) == 50


def test_memory_is_bounded_whatever_comes() -> None:
    """A flood makes the window shorter, and is counted; what came just before is known still."""
    seen = no_seen(500, seed=1)
    for flood in range(0, 20_000, 250):
        assert _first(seen, range(flood, flood + 250), 0) == 250
        assert _first(seen, range(flood, flood + 250), 0) == 0
    assert seen.used[3] > 10
