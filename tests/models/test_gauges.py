"""Gauges become means per bin, held for a while, and never depend on polling."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.gauges import Gauges


def bank() -> tuple[Gauges, int]:
    held = Gauges(start=0.0, step=15.0, hold=60.0, frozen=0)
    return held, held.add_series()


def give(held: Gauges, one: int, times: list[float], values: list[float]) -> None:
    held.extend(np.full(len(times), one), np.array(times), np.array(values))


def test_samples_of_a_bin_are_averaged() -> None:
    """Two scrapes in a bin make their mean; a boundary belongs to the bin before it."""
    held, one = bank()
    give(held, one, [5.0, 15.0, 16.0], [2.0, 4.0, 9.0])
    assert held.advance(2)[one].tolist() == [3.0, 9.0]


def test_level_is_held_over_slow_scrapes_and_then_unknown() -> None:
    """A value stands in for later bins up to a minute, and is no evidence after that."""
    held, one = bank()
    give(held, one, [5.0], [2.0])
    level = held.advance(6)[one]
    assert level[:4].tolist() == [2.0] * 4
    assert np.isnan(level[4:]).all()


def test_unseen_gauge_is_unknown() -> None:
    """Nothing seen is not zero."""
    held, one = bank()
    assert np.isnan(held.advance(3)[one]).all()


@given(
    st.lists(st.tuples(st.floats(0.1, 40.0), st.floats(-9, 9)), min_size=1, max_size=25),
    st.lists(st.integers(1, 40), max_size=6),
)
def test_chunks_give_the_same_bits(samples: list[tuple[float, float]], tops: list[int]) -> None:
    """Polling is not seen."""
    times = np.cumsum([gap for gap, _ in samples])
    values = np.array([value for _, value in samples])
    whole, one = bank()
    whole.extend(np.full(len(times), one), times, values)
    expected = whole.advance(40)
    parts, was = [], 0.0
    held, one = bank()
    for top in sorted({*tops, 40}):
        until = top * 15.0 + 25.0
        part = (times > was) & (times <= until)
        held.extend(np.full(int(part.sum()), one), times[part], values[part])
        parts.append(held.advance(top))
        was = until
    assert np.array_equal(np.concatenate(parts, axis=1), expected, equal_nan=True)
