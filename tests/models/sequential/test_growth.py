"""Growth at equal age: a filling cache is no leak, a restart begins anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.growth import WINDOW_S, Growth, closing_slopes, growth

STEP = 15.0
BINS = 200


def ages(born: int = 0, pods: int = 1) -> np.ndarray:
    """Ages at the ends of bins of pods that start at bin `born`."""
    age = (np.arange(BINS) - born + 1) * STEP
    return np.tile(np.where(age > 0, age, np.nan), (pods, 1))


def holding(age: np.ndarray, leak: float, fills: float = 0.0) -> np.ndarray:
    """Memory that grows by `leak` (log) in ten minutes, and fills up while young."""
    known = np.nan_to_num(age)
    held = 2e8 * np.exp(leak * known / WINDOW_S + fills * -np.expm1(-known / 300.0))
    return np.where(np.isnan(age), np.nan, held)


@given(st.floats(-0.2, 0.5), st.integers(0, 60))
def test_each_ten_minutes_of_age_have_one_slope(leak: float, born: int) -> None:
    """Growth counts once for each window of age, and is what it is."""
    age = ages(born)
    slope, window = closing_slopes(holding(age, leak), age, STEP)
    told = np.isfinite(slope[0])
    assert window[0][told].tolist() == list(range(int(age[0, -1] // WINDOW_S)))
    assert slope[0][told] == pytest.approx(leak, abs=1e-6)


@given(st.integers(1, BINS - 1))
def test_what_is_told_depends_on_no_later_bin(end: int) -> None:
    """An attempt that is read bin by bin and one read at once tell the same."""
    age = ages(7)
    value = holding(age, 0.1)
    whole, _ = closing_slopes(value, age, STEP)
    part, _ = closing_slopes(value[:, :end], age[:, :end], STEP)
    assert part == pytest.approx(whole[:, :end], nan_ok=True)


def test_a_restart_ends_a_window() -> None:
    """Memory that falls with a restart is no shrinking, and the window before it is not told."""
    age = np.where(np.arange(BINS) < 60, ages(), ages(60))
    slope, window = closing_slopes(holding(age, 0.2), age, STEP)
    told = np.isfinite(slope[0])
    assert slope[0][told] == pytest.approx(0.2, abs=1e-6)
    assert window[0][told].tolist() == [0, 0, 1, 2]


def test_a_window_with_many_holes_is_not_told() -> None:
    """A slope of three points in ten minutes would be noise."""
    age = ages()
    value = holding(age, 0.3)
    value[0, 5:25] = np.nan
    slope, window = closing_slopes(value, age, STEP)
    assert window[0][np.isfinite(slope[0])].tolist() == [1, 2, 3, 4]


@given(st.floats(0.1, 1.0), st.floats(0.05, 0.4))
def test_a_filling_cache_is_no_leak(fills: float, leak: float) -> None:
    """Every pod fills after its start; what counts is growth beyond that at the same age."""
    usual = growth(holding(ages(pods=4), 0.0, fills), ages(pods=4), STEP)
    age = ages()
    for more in (0.0, leak):
        y, variance = usual.excess(*closing_slopes(holding(age, more, fills), age, STEP))
        told = np.isfinite(y)
        assert told.sum() == int(age[0, -1] // WINDOW_S)
        assert y[told] == pytest.approx(more, abs=1e-6)
        assert (variance[told] > 0).all()


@pytest.mark.parametrize(("pods", "known"), [(2, False), (3, True)])
def test_three_starts_are_needed(pods: int, known: bool) -> None:
    """What two starts did says little of a third."""
    usual = growth(holding(ages(pods=pods), 0.0), ages(pods=pods), STEP).usual
    assert bool(usual) is known
    assert all(at.starts == pods for at in usual.values())


def test_an_age_that_no_start_reached_says_nothing() -> None:
    """Growth in the second ten minutes is not compared with the first."""
    young = ages(BINS - 60, pods=3)
    usual = growth(holding(young, 0.0), young, STEP)
    age = ages()
    y, variance = usual.excess(*closing_slopes(holding(age, 0.3), age, STEP))
    assert np.isfinite(y).sum() == 1
    assert np.isinf(variance).sum() == y.size - 1


def test_after_an_hour_age_no_longer_matters() -> None:
    """A canary that bakes for hours is compared with pods that are days old."""
    old = ages(pods=3) + 3e5
    usual = growth(holding(old, 0.0), old, STEP)
    age = ages() + 4500.0
    y, _ = usual.excess(*closing_slopes(holding(age, 0.2), age, STEP))
    assert y[np.isfinite(y)] == pytest.approx(0.2, abs=1e-6)


@given(st.integers(3, 9), st.integers(3, 9))
def test_more_starts_know_better(few: int, many: int) -> None:
    """Of each age that counts which more starts have shown: the last hours, or weeks."""
    one = growth(holding(ages(pods=few), 0.0), ages(pods=few), STEP)
    other = growth(holding(ages(pods=many), 0.1), ages(pods=many), STEP)
    both = one.with_more(other)
    for at, usual in both.usual.items():
        assert usual.starts == max(few, many)
        assert usual == (other if many > few else one).usual[at]
    assert one.with_more(Growth(usual={})) == one
