"""The newest bins as they were heard: the same whether they came one by one or all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.ring import Ring

STEP_S, KEPT, POINTS = 15.0, 40, 3


def said(first: int, bins: int, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Bins that tell their numbers, of units that are as old."""
    number = np.arange(first, first + bins, dtype=np.float32)
    log_l = np.broadcast_to(number[:, None, None, None], (bins, 2, units, POINTS)).copy()
    return log_l, np.broadcast_to(number[:, None], (bins, units)).astype(np.float64)


def filled(parts: list[tuple[int, int]], step_s: float = STEP_S) -> Ring:
    """A ring after parts of so many bins of so many units."""
    ring, first = Ring(2, POINTS), 0
    for bins, units in parts:
        ring.add(*said(first, bins, units), step_s)
        ring.trim(step_s)
        first += bins
    return ring


@given(st.lists(st.integers(1, 70), min_size=1, max_size=12))
def test_the_last_ten_minutes_are_there_in_whatever_parts_they_came(parts: list[int]) -> None:
    """A burst is found by what is taken out of the last minutes, polled or read from raw."""
    ring, total = filled([(bins, 3) for bins in parts]), sum(parts)
    kept = min(total, KEPT)
    numbers = np.arange(total - kept, total)
    np.testing.assert_array_equal(ring.bins[-kept:, 0, 0, 0], numbers)
    np.testing.assert_array_equal(ring.ages[-kept:, 2], numbers)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=12))
def test_no_more_than_that_is_held(parts: list[int]) -> None:
    """A bake of a day must not hold a day."""
    ring = filled([(bins, 3) for bins in parts])
    assert ring.nbytes <= filled([(64, 3)]).nbytes


def test_a_part_is_there_whole_until_it_is_trimmed() -> None:
    """From raw samples each of many boundaries looks back from its own end."""
    ring = filled([(40, 1)])
    ring.add(*said(40, 64, 1), STEP_S)
    np.testing.assert_array_equal(ring.bins[:, 0, 0, 0], np.arange(104))


def test_a_unit_that_came_later_was_not_there_before() -> None:
    """A pod's first minutes say nothing of what it did before it was born."""
    ring = filled([(5, 1), (2, 3)])
    assert np.isnan(ring.ages[:5, 1:]).all()
    assert not ring.bins[:5, :, 1:].any()
    np.testing.assert_array_equal(ring.ages[5:, 2], [5, 6])


def test_a_signal_that_came_later_said_nothing_before() -> None:
    """Nor does it take the place of another."""
    ring = filled([(5, 2)])
    ring.widen(1)
    assert ring.bins.shape == (5, 3, 2, POINTS)
    assert not ring.bins[:, 2].any()
    np.testing.assert_array_equal(ring.bins[:, 1, 0, 0], np.arange(5))


@pytest.mark.parametrize("step_s", [300.0, 1200.0, 86_400.0])
def test_of_long_bins_the_last_ones_are_there(step_s: float) -> None:
    """Persistence takes out two bins at least, however long they are."""
    ring = filled([(1, 1)] * 30, step_s)
    np.testing.assert_array_equal(ring.bins[-2:, 0, 0, 0], [28, 29])
    assert len(ring.bins) <= 8
