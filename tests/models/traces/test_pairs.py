"""Two sides of a call find each other: against a twin that keeps all of them in lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.traces.edges import ALWAYS, Edges, no_edges
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

BOUNDS = np.array([10, 100], dtype=np.int64)
WAIT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a call, as a test writes it."""

    trace: int
    span: int
    parent: int
    node: int
    is_caller: bool
    peer: int = -1
    failed: bool = False
    duration: int = 50


def caller(span: int, node: int = 1, **more: int) -> Side:
    """Who calls, with a span."""
    return Side(trace=1, span=span, parent=0, node=node, is_caller=True, **more)  # type: ignore[arg-type]


def callee(parent: int, node: int = 2, **more: int) -> Side:
    """Who is called, from a span."""
    return Side(trace=1, span=900, parent=parent, node=node, is_caller=False, **more)  # type: ignore[arg-type]


def columns(sides: Sequence[Side]) -> Calls:
    """The sides as columns."""
    return Calls(
        trace=np.array([[side.trace, 5] for side in sides], dtype=np.uint64).reshape(-1, 2),
        span=np.array([side.span for side in sides], dtype=np.uint64),
        parent=np.array([side.parent for side in sides], dtype=np.uint64),
        node=np.array([side.node for side in sides], dtype=np.int32),
        peer=np.array([side.peer for side in sides], dtype=np.int32),
        duration=np.array([side.duration for side in sides], dtype=np.int64),
        failed=np.array([side.failed for side in sides], dtype=np.bool_),
        is_told=np.zeros(len(sides), dtype=np.bool_),
        is_caller=np.array([side.is_caller for side in sides], dtype=np.bool_),
        is_callee=np.array([not side.is_caller for side in sides], dtype=np.bool_),
    )


def put(waiting: Waiting, edges: Edges, at: int, *sides: Side) -> None:
    """They come together."""
    pair(columns(sides), np.ones(len(sides), dtype=np.bool_), (at, at - WAIT), waiting, edges)


def counted(edges: Edges) -> dict[tuple[int, int], tuple[int, int]]:
    """Calls and failures by caller and callee."""
    keys = edges.rows.keys[: len(edges.rows)].tolist()
    return {
        (key >> 32, key & 0xFFFFFFFF): (
            int(edges.calls[ALWAYS, row]),
            int(edges.failed[ALWAYS, row]),
        )
        for row, key in enumerate(keys)
    }


def test_sides_meet_in_either_order_and_from_other_batches() -> None:
    """Services export on their own, so that a callee is often there before its caller."""
    for first, second in ((caller(7), callee(7)), (callee(7), caller(7))):
        waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
        put(waiting, edges, 0, first)
        put(waiting, edges, 29, second)
        assert counted(edges) == {(1, 2): (1, 0)}
        assert waiting.counts[PAIRED] == 1


def test_what_the_caller_felt_is_the_duration_and_either_may_have_failed() -> None:
    """A time-out is seen by the caller alone, an exception sometimes by the callee alone."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, caller(7, duration=90), callee(7, duration=5, failed=True))
    put(waiting, edges, 0, callee(8, duration=5), caller(8, duration=90))
    assert counted(edges) == {(1, 2): (2, 1)}
    assert edges.total[ALWAYS, 0] == 180


def test_several_may_answer_one_caller() -> None:
    """A message has several consumers."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, callee(7, node=3), caller(7), callee(7, node=4))
    assert counted(edges) == {(1, 3): (1, 0), (1, 4): (1, 0)}


def test_who_waits_too_long_is_told_of() -> None:
    """A caller to a host without spans is an edge to that host; the others are counted by name."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, caller(1, peer=9), caller(2), callee(3))
    put(waiting, edges, WAIT)
    assert waiting.counts[[UNSEEN, LONE_CALLER, LONE_CALLEE]].tolist() == [0, 0, 0]
    put(waiting, edges, WAIT + 1)
    assert waiting.counts[[UNSEEN, LONE_CALLER, LONE_CALLEE]].tolist() == [1, 1, 1]
    assert counted(edges) == {(1, 9): (1, 0)}


def test_a_root_is_called_from_outside() -> None:
    """The edge of a service to its users needs no other side."""
    waiting, edges = no_waiting(8, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, callee(0, node=4))
    assert counted(edges) == {(0, 4): (1, 0)}


def test_memory_is_bounded_and_the_oldest_leave_first() -> None:
    """A service whose callers are not traced does not push the others out of memory."""
    waiting, edges = no_waiting(4, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, *(callee(parent) for parent in range(1, 7)))
    put(waiting, edges, 0, caller(6), caller(1))
    assert waiting.counts[PUSHED_OUT] == 4
    assert counted(edges) == {(1, 2): (1, 0)}


def test_a_million_children_of_one_span_take_no_day() -> None:
    """Whoever sends such a trace is counted, and slows nobody down."""
    waiting, edges = no_waiting(4_096, 1), no_edges(8, BOUNDS)
    put(waiting, edges, 0, *(callee(7) for _ in range(20_000)))
    assert waiting.counts[CROWDED] == 20_000 - 256
    put(waiting, edges, WAIT + 1, caller(8), callee(8))
    assert counted(edges) == {(1, 2): (1, 0)}


SIDES = st.builds(
    Side,
    trace=st.integers(1, 2),
    span=st.integers(1, 4),
    parent=st.integers(1, 4),
    node=st.integers(1, 3),
    is_caller=st.booleans(),
    peer=st.sampled_from([-1, 8]),
    failed=st.booleans(),
)


class Twin:
    """All sides in a list, looked through from the front."""

    def __init__(self) -> None:
        self.waiting: list[list[object]] = []
        self.edges: Counter[tuple[int, int]] = Counter()
        self.failed: Counter[tuple[int, int]] = Counter()

    def put(self, at: int, sides: Sequence[Side]) -> None:
        while self.waiting and self.waiting[0][0] < at - WAIT:  # type: ignore[operator]
            _, side, is_met = self.waiting.pop(0)
            assert isinstance(side, Side)
            if side.is_caller and not is_met and side.peer >= 0:
                self.count(side.node, side.peer, side.failed)
        for side in sides:
            others = [
                other
                for other in self.waiting
                if isinstance(other[1], Side)
                and other[1].is_caller != side.is_caller
                and other[1].trace == side.trace
                and (other[1].parent if side.is_caller else other[1].span)
                == (side.span if side.is_caller else side.parent)
            ]
            self.meet(side, others, at)

    def meet(self, side: Side, others: list[list[object]], at: int) -> None:
        met = others if side.is_caller else others[-1:]
        for other in met:
            assert isinstance(other[1], Side)
            ends = (side, other[1]) if side.is_caller else (other[1], side)
            self.count(ends[0].node, ends[1].node, side.failed or other[1].failed)
            other[2] = True
        if side.is_caller or not met:
            self.waiting.append([at, side, bool(met)])

    def count(self, one: int, other: int, failed: bool) -> None:
        self.edges[one, other] += 1
        self.failed[one, other] += failed


@given(st.lists(st.tuples(st.integers(0, 20), st.lists(SIDES, max_size=6)), max_size=12))
def test_pairs_are_those_of_plain_lists(batches: list[tuple[int, list[Side]]]) -> None:
    """A graph that anybody would draw who looks through all spans by hand."""
    waiting, edges, twin, at = no_waiting(256, 1), no_edges(64, BOUNDS), Twin(), 0
    for later, sides in batches:
        at += later
        put(waiting, edges, at, *sides)
        twin.put(at, sides)
    expected = {ends: (count, twin.failed[ends]) for ends, count in twin.edges.items()}
    assert counted(edges) == expected
