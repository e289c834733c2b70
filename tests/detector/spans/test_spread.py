"""Durations in bins: a quantile of them is that of the durations, within a bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.spread import BINS, bins_of, quantile_s

MS = 1_000_000
WIDTH = 2 ** (1 / 12)
durations = st.lists(st.integers(100_000, 100_000 * MS), min_size=1, max_size=60)


def counted(*rows: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Durations by bin, a row each."""
    return np.array(
        [np.bincount(bins_of(np.array(row, np.int64)), minlength=BINS) for row in rows], np.int64
    )


@given(row=durations, share=st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_a_quantile_is_that_of_the_durations(row: list[int], share: float) -> None:
    """A person reads it as what so many requests took at most."""
    exact = float(np.quantile(row, share, method="inverted_cdf")) / 1e9
    (found,) = quantile_s(counted(row), share)
    assert exact / WIDTH * 0.999 <= found <= exact * WIDTH * 1.001


@given(row=durations, slower=st.floats(1.0, 100.0))
def test_who_becomes_slower_has_no_lower_quantile(row: list[int], slower: float) -> None:
    """Else a regression would look like a recovery."""
    late = [round(one * slower) for one in row]
    before, after = quantile_s(counted(row, late), 0.95)
    assert after >= before * 0.999


@given(row=durations, other=durations)
def test_batches_add_up(row: list[int], other: list[int]) -> None:
    """However spans are cut into batches, their spread is one."""
    np.testing.assert_array_equal(counted(row) + counted(other), counted(row + other))


@pytest.mark.parametrize("extreme", [0, 1, 99_999, 2**62, 86_400 * 1000 * MS])
def test_no_duration_is_out_of_bounds(extreme: int) -> None:
    """A clock that is wrong by years breaks nothing."""
    (found,) = quantile_s(counted([extreme]), 0.95)
    assert 0 < found < 120


def test_one_time_out_among_many_moves_nothing() -> None:
    """A request in twenty that hangs is no regression of the others."""
    usual, odd = [50 * MS] * 20, [50 * MS] * 19 + [60_000 * MS]
    before, after = quantile_s(counted(usual, odd), 0.95)
    assert after == pytest.approx(before, rel=0.07)


def test_what_moves_within_a_histogram_of_wide_buckets_is_seen() -> None:
    """From 110 to 140 ms is a quarter more, between two bounds of the exported histogram."""
    before, after = quantile_s(counted([110 * MS] * 40, [140 * MS] * 40), 0.95)
    assert after / before == pytest.approx(140 / 110, rel=0.07)
