"""Where the time of a trace went: cases from the literature, laws, and a recursive twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.traces.critical import Times, times_of
from models.traces.tree import circling, parents_of, tree_of

Spans = list[tuple[int, int, int]]


def taken(
    spans: Spans, *, hosts: list[int] | None = None, root: int = 0, tolerance: int = 0
) -> Times:
    """Times of spans told as (start, end, parent)."""
    start, end, parent = (np.array([span[n] for span in spans], dtype=np.int64) for n in range(3))
    host = np.array(hosts or [0] * len(spans), dtype=np.int64)
    tree = tree_of(start, end - start, parent, host, np.zeros(len(spans), dtype=np.bool_))
    return times_of(tree, root, tolerance=tolerance)


def test_children_one_after_the_other_are_all_on_the_path() -> None:
    """A request that does one thing after the other waits for each."""
    times = taken([(0, 100, -1), (10, 40, 0), (40, 90, 0)])
    assert times.path.tolist() == [20, 30, 50]
    assert times.own.tolist() == [20, 30, 50]


def test_of_children_side_by_side_the_last_to_end_is_on_the_path() -> None:
    """Making the faster of two parallel calls faster helps nobody."""
    times = taken([(0, 100, -1), (10, 50, 0), (10, 90, 0)])
    assert times.path.tolist() == [20, 0, 80]
    assert times.own.tolist() == [20, 40, 80]


def test_the_path_goes_down_and_back_up() -> None:
    """The example of CRISP: what ends last, then what ended last before that began."""
    times = taken([(0, 100, -1), (5, 60, 0), (60, 95, 0), (10, 30, 1), (20, 55, 1), (65, 70, 2)])
    assert times.path.tolist() == [10, 20, 30, 0, 35, 5]
    assert times.path.sum() == 100


def test_who_overlaps_what_came_later_is_not_waited_for() -> None:
    """The later one began while the earlier ran, so it did not wait for its end."""
    assert taken([(0, 100, -1), (0, 60, 0), (50, 100, 0)]).path.tolist() == [50, 0, 50]


def test_a_coarse_clock_makes_no_overlap() -> None:
    """Two calls one after the other may overlap by a tick, and are both waited for."""
    times = taken([(0, 100, -1), (0, 51, 0), (50, 100, 0)], tolerance=5)
    assert times.path.tolist() == [0, 50, 50]


def test_a_child_that_outlives_its_parent_counts_until_the_end() -> None:
    """Nobody waits for what goes on behind the answer."""
    times = taken([(0, 100, -1), (80, 300, 0), (150, 200, 0)])
    assert times.path.tolist() == [80, 20, 0]
    assert times.own.tolist() == [80, 20, 0]


def test_a_callee_with_another_clock_is_moved_into_its_call() -> None:
    """A server whose clock is an hour ahead spends its time all the same."""
    hour = 3_600_000
    times = taken(
        [(0, 100, -1), (20, 80, 0), (hour + 30, hour + 70, 1), (hour + 40, hour + 60, 2)],
        hosts=[0, 0, 1, 1],
    )
    assert times.path.tolist() == [40, 20, 20, 20]


def test_a_callee_longer_than_its_call_fills_it() -> None:
    """Clocks also run at different rates."""
    assert taken([(0, 100, -1), (500, 700, 0)], hosts=[0, 1]).path.tolist() == [0, 100]


def test_who_is_not_waited_for_is_not_on_the_path() -> None:
    """A consumer works on when the request is long answered."""
    spans = [(0, 100, -1), (20, 90, 0)]
    start, end, parent = (np.array([span[n] for span in spans], dtype=np.int64) for n in range(3))
    tree = tree_of(start, end - start, parent, np.zeros(2, np.int64), np.array([False, True]))
    assert times_of(tree, 0).path.tolist() == [100, 0]


def test_a_circle_of_parents_ends() -> None:
    """Nonsense that somebody sends takes no more time than sense."""
    times = taken([(0, 100, 2), (10, 50, 0), (20, 40, 1), (0, 9, 4), (0, 9, 3)])
    assert times.path.tolist() == [60, 20, 20, 0, 0]
    inside = taken([(20, 60, 1), (0, 80, 0)])
    assert (inside.path.tolist(), inside.own.tolist()) == ([0, 40], [0, 40])
    assert circling(np.array([-1, 0, 1, 4, 3, 4])) == 3


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), max_size=12))
def test_parents_are_found_by_their_ids(spans: list[tuple[int, int]]) -> None:
    """Of several with one id the first counts, and nobody is a parent of its own."""
    ids, above = (np.array([own[n] for own in spans], dtype=np.uint64) for n in range(2))
    found = parents_of(ids, above).tolist()
    for place, (own, parent) in enumerate(spans):
        holders = [nth for nth, (id, _) in enumerate(spans) if id == parent]
        expected = holders[0] if holders and parent and holders[0] != place else -1
        assert found[place] == expected, (place, own)


@dataclass(slots=True)
class Twin:
    """The definitions, recursively, over plain lists."""

    spans: Spans
    hosts: list[int]
    tolerance: int

    def children(self, of: int) -> list[int]:
        return [nth for nth, span in enumerate(self.spans) if span[2] == of and nth != 0]

    def place(self, of: int, shift: int, window: dict[int, tuple[int, int]]) -> None:
        begin, end = window[of]
        for child in self.children(of):
            start, stop = (self.spans[child][n] + shift for n in range(2))
            moved = 0
            if self.hosts[child] != self.hosts[of] and (start < begin or stop > end):
                moved = begin + max(end - begin - stop + start, 0) // 2 - start
            start, stop = max(start + moved, begin), min(stop + moved, end)
            window[child] = (start, stop) if stop > start else (begin, begin)
            self.place(child, shift + moved, window)

    def walk(
        self, of: int, end: int, window: dict[int, tuple[int, int]], path: NDArray[np.int64]
    ) -> None:
        at = end
        inner = [child for child in self.children(of) if window[child][1] > window[child][0]]
        inner.sort(key=lambda child: (-window[child][1], -window[child][0], child))
        for child in inner:
            start, stop = window[child]
            if stop <= at + self.tolerance and min(stop, at) > start:
                path[of] += at - min(stop, at)
                self.walk(child, min(stop, at), window, path)
                at = start
        path[of] += at - window[of][0]

    def times(self) -> Times:
        window = {0: (self.spans[0][0], self.spans[0][1])}
        self.place(0, 0, window)
        path, own = (np.zeros(len(self.spans), dtype=np.int64) for _ in range(2))
        self.walk(0, window[0][1], window, path)
        for of, (begin, end) in window.items():
            busy = {t for child in self.children(of) for t in range(*window[child])}
            own[of] = end - begin - len(busy)
        return Times(path=path, own=own)


@st.composite
def traces(draw: st.DrawFn) -> tuple[Spans, list[int]]:
    """A tree whose spans lie anywhere, on up to three hosts."""
    count = draw(st.integers(1, 10))
    spans: Spans = []
    for nth in range(count):
        start = draw(st.integers(0, 40))
        parent = draw(st.integers(0, nth - 1)) if nth else -1
        spans.append((start, start + draw(st.integers(0, 40)), parent))
    return spans, draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))


@given(traces(), st.integers(0, 3))
def test_times_are_those_of_the_definitions(trace: tuple[Spans, list[int]], tolerance: int) -> None:
    """The compiled walk without recursion is the published one with it."""
    spans, hosts = trace
    found = taken(spans, hosts=hosts, tolerance=tolerance)
    twin = Twin(spans=spans, hosts=hosts, tolerance=tolerance).times()
    assert found.path.tolist() == twin.path.tolist()
    assert found.own.tolist() == twin.own.tolist()


@given(traces(), st.integers(0, 3))
def test_the_path_adds_up_to_the_whole(trace: tuple[Spans, list[int]], tolerance: int) -> None:
    """So that differences of operations add up to that of the request."""
    spans, hosts = trace
    times = taken(spans, hosts=hosts, tolerance=tolerance)
    assert times.path.sum() == spans[0][1] - spans[0][0]
    assert (times.path >= 0).all()
    assert (times.own >= 0).all()


def test_many_children_and_a_long_line_of_them_are_no_matter() -> None:
    """No recursion that a deep trace would break, and no square of a wide one."""
    count = 4_000
    wide = taken([(0, 10 * count, -1), *((10 * n, 10 * n + 9, 0) for n in range(count))])
    assert wide.path[0] == count + 0
    deep = taken([(n, 2 * count - n, n - 1) for n in range(count)])
    assert deep.path[-1] == 2
    assert deep.path.sum() == 2 * count
