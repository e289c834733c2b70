"""Cumulatives at boundaries, against a plain reading of the rule, one boundary at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.boundaries import Boundaries, Segments, joined

STEP, SETTLE, FROZEN = 10.0, 12.0, -30
NEVER = -np.inf
WALKS = st.lists(st.tuples(st.floats(0.5, 130), st.floats(0, 9)), min_size=1, max_size=8)


def bounds() -> Boundaries:
    made = Boundaries(start=0.0, step=STEP, settle=SETTLE, frozen=FROZEN)
    made.reserve(4)
    return made


def segments(series: int, begin: float, walk: list[tuple[float, float]]) -> Segments:
    """A counter that is first seen at `begin`, and after each pause has grown by so much."""
    times = begin + np.cumsum([0.0, *(pause for pause, _ in walk)])
    values = np.cumsum([0.0, *(grown for _, grown in walk)])
    return Segments(
        series=np.full(len(times), series),
        t0=np.concatenate([[begin - STEP], times[:-1]]),
        c0=np.concatenate([[0.0], values[:-1]]),
        t1=times,
        c1=values,
        before=np.concatenate([[NEVER], times[:-1]]),
    )


def plainly(found: Segments, boundary: int) -> float:
    """The cumulative at a boundary, by the docstring."""
    end = boundary * STEP
    for t0, c0, t1, c1 in zip(found.t0, found.c0, found.t1, found.c1, strict=True):
        if t1 >= end:
            share = min(max((end - t0) / (t1 - t0), 0.0), 1.0)
            return float(c0 + (c1 - c0) * share) if t1 - end <= SETTLE else float(c0)
    return float(found.c1[-1])


@given(st.floats(-250, 100), WALKS)
def test_bins_are_the_differences_at_their_boundaries(
    begin: float, walk: list[tuple[float, float]]
) -> None:
    """Requests would be counted in a bin that they do not belong to, or twice."""
    made, found = bounds(), segments(2, begin, walk)
    made.note(found)
    top = int(found.t1[-1] // STEP) + 3
    bins = made.advance(max(top, FROZEN + 1), np.array([0.0, 0.0, found.c1[-1], 0.0]))
    at = [plainly(found, boundary) for boundary in range(FROZEN + 1, top + 1)]
    assert bins[2] == pytest.approx(np.diff([0.0, *at]), abs=1e-9)
    assert not bins[[0, 1, 3]].any()


@given(st.floats(-250, 100), WALKS, st.integers(0, 8))
def test_a_walk_in_two_batches_is_the_same_walk(
    begin: float, walk: list[tuple[float, float]], cut: int
) -> None:
    """How often somebody polls would change what is judged."""
    found = segments(1, begin, walk)
    once, twice = bounds(), bounds()
    once.note(found)
    for part in (slice(None, cut), slice(cut, None)):
        some = (found.series, found.t0, found.c0, found.t1, found.c1, found.before)
        twice.note(Segments(*(column[part] for column in some)))  # type: ignore[arg-type]
    end, now = int(found.t1[-1] // STEP) + 2, np.array([0.0, found.c1[-1]])
    top = max(end, FROZEN + 1)
    assert (once.advance(top, now) == twice.advance(top, now)).all()


def test_what_is_decided_ahead_waits_for_its_bin() -> None:
    """Samples that come in before their bin is final would be lost."""
    made, found = bounds(), segments(0, 0.0, [(10.0, 4.0), (10.0, 5.0), (10.0, 6.0)])
    made.note(found)
    first = made.advance(1, np.array([found.c1[-1]]))
    rest = made.advance(3, np.array([found.c1[-1]]))
    assert first[0][-1] == 4.0
    assert rest[0].tolist() == [5.0, 6.0]


def test_series_side_by_side_do_not_touch_each_other() -> None:
    """One pod's requests would be another's."""
    walks = [segments(n, 10.0 * n, [(7.0, 1.0 + n)] * (3 + n)) for n in range(3)]
    together, alone = bounds(), bounds()
    together.note(joined(walks))
    for walk in walks:
        alone.note(walk)
    now = np.array([walk.c1[-1] for walk in walks])
    assert (together.advance(20, now) == alone.advance(20, now)).all()


def test_nothing_noted_is_nothing_counted() -> None:
    """An empty batch."""
    made = bounds()
    made.note(segments(0, -1000.0, [(1.0, 5.0)]))
    assert made.advance(FROZEN + 2, np.zeros(4)).tolist() == [[0.0, 0.0]] * 4
