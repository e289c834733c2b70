"""Calls between two ends: counted for good and by windows, within bounds, and let go when idle."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.traces.edges import (
    ALWAYS,
    BEFORE,
    NOW,
    Edges,
    count_edge,
    no_edges,
    turned,
    without_idle,
)
from models.traces.pairs import (
    CROWDED,
    LONE_CALLEE,
    LONE_CALLER,
    PAIRED,
    PUSHED_OUT,
    UNSEEN,
    Calls,
    Waiting,
    no_waiting,
    pair,
)

BOUNDS = np.array([10, 100, 1_000], dtype=np.int64)
MOST = np.iinfo(np.int64).max
CALLER, CALLEE, DATABASE = "caller", "callee", "database"


def row(edges: Edges, caller: int, callee: int) -> int:
    """Where a pair stands, -1 for nowhere."""
    keys = edges.rows.keys[: len(edges.rows)].tolist()
    key = caller << 32 | callee
    return keys.index(key) if key in keys else -1


def by_pair(edges: Edges, window: int) -> Counter[tuple[int, int]]:
    """Calls by both ends in a window; those without any are left out."""
    keys = edges.rows.keys[: len(edges.rows)].tolist()
    counts = edges.calls[window, : len(keys)].tolist()
    return (
        Counter(
            {(key >> 32, key & 0xFFFFFFFF): count for key, count in zip(keys, counts, strict=True)}
        )
        + Counter()
    )


def columns(*sides: tuple[str, int, int, int]) -> Calls:
    """Sides told as (what, id, node, peer): the id is the caller's span on either side."""
    what, ids, nodes, peers = (list(column) for column in zip(*sides, strict=True))
    count = len(sides)
    is_callee = np.array([one == CALLEE for one in what])
    ids_of = np.array(ids, dtype=np.uint64)
    return Calls(
        trace=np.tile(np.array([[3, 4]], dtype=np.uint64), (count, 1)),
        span=np.where(is_callee, ids_of + np.uint64(10_000), ids_of).astype(np.uint64),
        parent=np.where(is_callee, ids_of, np.uint64(77)).astype(np.uint64),
        node=np.array(nodes, dtype=np.int32),
        peer=np.array(peers, dtype=np.int32),
        duration=np.full(count, 50, dtype=np.int64),
        failed=np.zeros(count, dtype=np.bool_),
        is_told=np.array([one == DATABASE for one in what]),
        is_caller=~is_callee,
        is_callee=is_callee,
    )


def come(waiting: Waiting, edges: Edges, at: int, *sides: tuple[str, int, int, int]) -> None:
    """They come together; who waits does so for thirty milliseconds."""
    calls = columns(*(sides or [(CALLER, 0, 0, -1)]))
    pair(calls, np.full(len(calls.span), bool(sides)), (at, at - 30), waiting, edges)


def test_windows_tell_of_now_and_of_just_before() -> None:
    """A graph is of the last minutes, and a counter never goes back."""
    edges = no_edges(4, BOUNDS)
    for window in range(3):
        for _ in range(window + 1):
            count_edge(1, 2, 50, 1, 5, edges)
        assert edges.calls[NOW, 0] == window + 1
        turned(edges, 100 * (window + 1))
        assert (edges.calls[NOW, 0], edges.calls[BEFORE, 0]) == (0, window + 1)
    assert (edges.calls[ALWAYS, 0], edges.failed[ALWAYS, 0]) == (6, 6)
    assert edges.total[ALWAYS, 0] == 300
    assert edges.within[ALWAYS, 0].tolist() == [0, 6, 0, 0]
    turned(edges, 400)
    assert edges.within[BEFORE, 0].sum() == edges.within[NOW, 0].sum() == 0
    assert edges.used[0] == 400


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2_000), st.booleans()),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_calls_of_a_pair_are_those_of_plain_counting(
    calls: list[tuple[int, int, int, bool]], turn: int
) -> None:
    """From web to cart is not from cart to web."""
    edges = no_edges(16, BOUNDS)
    for nth, (caller, callee, duration, failed) in enumerate(calls):
        if nth == turn:
            turned(edges, 1)
        count_edge(caller, callee, duration, int(failed), nth, edges)
    ends = [call[:2] for call in calls]
    cut = turn if turn < len(calls) else 0
    assert by_pair(edges, ALWAYS) == Counter(ends)
    assert by_pair(edges, NOW) == Counter(ends[cut:])
    assert by_pair(edges, BEFORE) == Counter(ends[:cut])
    for pair_of in set(ends):
        own = [call for call in calls if call[:2] == pair_of]
        here = row(edges, *pair_of)
        assert edges.total[ALWAYS, here] == sum(call[2] for call in own)
        assert edges.failed[ALWAYS, here] == sum(call[3] for call in own)
        assert edges.within[ALWAYS, here].sum() == len(own)
        assert edges.last[here] == max(nth for nth, call in enumerate(calls) if call[:2] == pair_of)


def test_pairs_beyond_a_bound_are_counted_as_lost() -> None:
    """A node for each user makes no graph, and costs no other pair anything."""
    edges = no_edges(3, BOUNDS)
    for callee in range(10):
        count_edge(1, callee, 5, 0, callee, edges)
    count_edge(1, 0, 5, 0, 99, edges)
    assert by_pair(edges, ALWAYS) == Counter({(1, 0): 2, (1, 1): 1, (1, 2): 1})
    assert edges.used[1] == 7


def test_idle_pairs_make_room_and_the_others_keep_all_they_have() -> None:
    """A version that is gone leaves the graph, and nobody's rate moves by it."""
    edges = no_edges(4, BOUNDS)
    for callee in range(4):
        count_edge(1, callee, 50, callee % 2, 10 * callee, edges)
    turned(edges, 7)
    count_edge(1, 3, 5_000, 0, 31, edges)
    kept = without_idle(edges, 20)
    assert by_pair(kept, ALWAYS) == Counter({(1, 2): 1, (1, 3): 2})
    assert by_pair(kept, BEFORE) == Counter({(1, 2): 1, (1, 3): 1})
    assert kept.within[ALWAYS, row(kept, 1, 3)].tolist() == [0, 1, 0, 1]
    assert kept.total[ALWAYS, row(kept, 1, 3)] == 5_050
    assert kept.last[row(kept, 1, 3)] == 31
    assert kept.used[0] == 7
    count_edge(5, 6, 1, 0, 40, kept)
    assert row(kept, 5, 6) == 2
    assert by_pair(edges, ALWAYS)[1, 0] == 1


def test_a_total_stops_at_the_highest_number_there_is() -> None:
    """A counter that turned over would tell of less time than nothing."""
    edges = no_edges(2, BOUNDS)
    for _ in range(3):
        count_edge(1, 2, MOST // 2, 0, 1, edges)
    assert edges.total[ALWAYS, 0] == MOST


def test_the_largest_numbers_of_ends_keep_apart() -> None:
    """Both halves of a key are whole."""
    edges = no_edges(8, BOUNDS)
    ends = [(0, 2**31 - 1), (2**31 - 1, 0), (2**31 - 1, 2**31 - 1), (1, 1)]
    for caller, callee in ends:
        count_edge(caller, callee, 1, 0, 1, edges)
    assert by_pair(edges, ALWAYS) == Counter(ends)


def test_a_database_is_an_end_at_once() -> None:
    """Nobody waits for spans that a database does not send."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    come(waiting, edges, 0, (DATABASE, 1, 5, 9), (DATABASE, 2, 5, 9))
    assert by_pair(edges, ALWAYS) == Counter({(5, 9): 2})
    come(waiting, edges, 100)
    assert waiting.counts[[PAIRED, UNSEEN, LONE_CALLER]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("callers_first", [True, False])
def test_a_fan_of_calls_meets_each_its_own(callers_first: bool) -> None:
    """Fifty calls of one request to as many services, in whatever order both sides come."""
    waiting, edges = no_waiting(200, 1), no_edges(200, BOUNDS)
    callers = [(CALLER, nth, 1, -1) for nth in range(1, 51)]
    callees = [(CALLEE, nth, 100 + nth, -1) for nth in range(50, 0, -1)]
    first, second = (callers, callees) if callers_first else (callees, callers)
    come(waiting, edges, 0, *first)
    come(waiting, edges, 10, *second)
    assert by_pair(edges, ALWAYS) == Counter({(1, 100 + nth): 1 for nth in range(1, 51)})
    come(waiting, edges, 100)
    assert waiting.counts[[LONE_CALLER, LONE_CALLEE, UNSEEN]].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("late", "met"), [(0, 1), (29, 1), (30, 1), (31, 0), (500, 0)])
def test_a_half_that_comes_late_meets_nobody(late: int, met: int) -> None:
    """After the wait both are counted as alone, by name, and no call is counted twice."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    come(waiting, edges, 0, (CALLER, 7, 1, 9))
    come(waiting, edges, late, (CALLEE, 7, 2, -1))
    come(waiting, edges, late + 31)
    assert waiting.counts[PAIRED] == met
    assert waiting.counts[LONE_CALLEE] == 1 - met
    assert by_pair(edges, ALWAYS) == Counter({(1, 2) if met else (1, 9): 1})


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_pairs_do_not_hang_on_the_seed(seed: int) -> None:
    """It is for who would slow us down, and changes no count."""
    waiting, edges = no_waiting(64, seed), no_edges(64, BOUNDS)
    come(waiting, edges, 0, *((CALLER, nth, nth % 3, -1) for nth in range(1, 30)))
    come(waiting, edges, 1, *((CALLEE, nth, 10 + nth % 5, -1) for nth in range(1, 30)))
    assert by_pair(edges, ALWAYS) == Counter((nth % 3, 10 + nth % 5) for nth in range(1, 30))


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=60), st.integers(2, 8))
def test_each_side_is_counted_once_in_a_ring_of_any_size(
    sides: list[tuple[bool, int]], most: int
) -> None:
    """Whether it met, was pushed out or waited in vain: none is lost without a word."""
    waiting, edges = no_waiting(most, 1), no_edges(64, BOUNDS)
    for nth, (is_caller, id) in enumerate(sides):
        come(waiting, edges, nth, (CALLER if is_caller else CALLEE, id, 1 + is_caller, -1))
    come(waiting, edges, 10_000)
    counts = waiting.counts
    assert counts[PAIRED] == sum(by_pair(edges, ALWAYS).values())
    assert counts[PUSHED_OUT] <= max(0, len(sides) - most)
    assert counts[CROWDED] == 0
    alone = counts[LONE_CALLER] + counts[LONE_CALLEE]
    assert alone + 2 * counts[PAIRED] >= len(sides)
    assert (waiting.heads == waiting.heads[0]).all()
    assert counts[-1] == 0
