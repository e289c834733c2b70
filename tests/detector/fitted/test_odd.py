"""Odd rows become stretches with a beginning, an end and somebody to blame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.fitted.odd import stretches

AT = np.arange(0.0, 720.0, 60.0, dtype=np.float64)
EVEN = np.full((12, 4), 0.25)


def rows(*odd: int) -> np.ndarray:
    """P-values, low at some rows."""
    p = np.full(12, 0.5)
    p[list(odd)] = 1e-5
    return p


def test_a_calm_row_or_two_do_not_end_an_excursion() -> None:
    """One incident is told once."""
    (first, second) = stretches(AT, rows(2, 3, 6, 10), EVEN, "abcd", below=1e-3)
    assert (first.start, first.end, first.rows) == (120.0, 360.0, 3)
    assert (second.start, second.end) == (600.0, 600.0)


def test_the_metrics_with_the_largest_shares_are_named_in_order() -> None:
    """Those with next to nothing are not."""
    shares = EVEN.copy()
    shares[4] = [0.1, 0.02, 0.7, 0.18]
    (one,) = stretches(AT, rows(4), shares, ("cpu", "disk", "errors", "load"), below=1e-3)
    assert [blamed.metric for blamed in one.blamed] == ["errors", "load", "cpu"]
    assert one.blamed[0].share == pytest.approx(0.7)


def test_nothing_odd_is_nothing_told() -> None:
    """A calm service has an empty list."""
    assert stretches(AT, rows(), EVEN, "abcd", below=1e-3) == ()


@given(odd=st.sets(st.integers(0, 11)))
def test_every_odd_row_is_in_one_stretch(odd: set[int]) -> None:
    """None is lost and none is told twice."""
    made = stretches(AT, rows(*odd), EVEN, "abcd", below=1e-3)
    assert sum(one.rows for one in made) == len(odd)
    ends = [moment for one in made for moment in (one.start, one.end)]
    assert ends == sorted(ends)
    covered = {row for row in odd for one in made if one.start <= AT[row] <= one.end}
    assert covered == odd
