"""A straight line through what came after the last change of slope."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.forecast.trend import Floats, straight
from tests.profiles import HEAVY

AHEAD = np.arange(1.0, 61.0)
LEVELS = arrays(np.float64, st.integers(7, 100), elements=st.floats(-1e3, 1e3))


def noise(size: int, seed: int = 0) -> Floats:
    """About zero."""
    made: Floats = np.random.default_rng(seed).normal(0, 1, size)
    return made


@given(start=st.floats(-1e3, 1e3), slope=st.floats(-50, 50), size=st.sampled_from([7, 10, 30, 200]))
@HEAVY
def test_a_line_goes_on(start: float, slope: float, size: int) -> None:
    """However long it is."""
    line = start + slope * np.arange(size + 60.0)
    assert straight(line[:size], AHEAD) == pytest.approx(line[size:], abs=1e-6)


@given(levels=LEVELS, power=st.integers(-10, 20), shift=st.floats(-1e3, 1e3))
@HEAVY
def test_a_line_goes_with_its_unit(levels: Floats, power: int, shift: float) -> None:
    """And with its level."""
    walk = np.cumsum(noise(len(levels), len(levels)))
    one = straight(walk, AHEAD)
    assert straight(2.0**power * walk + shift, AHEAD) - shift == pytest.approx(
        2.0**power * one, rel=1e-6, abs=1e-6
    )
    assert np.isfinite(straight(levels, AHEAD)).all()


@pytest.mark.parametrize("wrong", [1e3, -1e6, 1e90])
def test_single_wrong_days_do_not_bend_it(wrong: float) -> None:
    """Three of sixty."""
    levels = 5.0 + 2.0 * np.arange(60.0)
    odd = levels.copy()
    odd[[8, 30, 51]] = wrong
    assert straight(odd, AHEAD) == pytest.approx(5.0 + 2.0 * (59 + AHEAD), abs=1e-6)


@pytest.mark.parametrize(("before", "after"), [(1.0, 5.0), (4.0, 0.0), (2.0, -3.0)])
def test_a_slope_that_changed_is_that_of_after(before: float, after: float) -> None:
    """Four weeks tell most of it."""
    slopes = np.concatenate([np.full(60, before), np.full(28, after)])
    levels = np.cumsum(slopes) + 0.2 * noise(88)
    told = straight(levels, AHEAD)
    assert abs(np.diff(told).mean() - after) < abs(before - after) / 4


def test_noise_has_hardly_a_slope() -> None:
    """The longest stretch is taken: in a month the line goes less far than a day's noise."""
    slopes = [float(np.diff(straight(noise(182, seed), AHEAD)).mean()) for seed in range(20)]
    assert np.median(np.abs(slopes)) < 0.02


def test_longer_stretches_are_better_than_the_last_days() -> None:
    """A line with noise."""
    off = [
        abs(straight(np.arange(91) + noise(91, seed), AHEAD[-1:])[0] - 150) for seed in range(20)
    ]
    last = [
        abs(straight(np.arange(91)[-10:] + noise(91, seed)[-10:], AHEAD[-1:])[0] - 150)
        for seed in range(20)
    ]
    assert np.median(off) < np.median(last) / 3


@given(levels=LEVELS, steps=st.integers(1, 50))
@HEAVY
def test_what_is_told_is_straight(levels: Floats, steps: int) -> None:
    """Nothing else."""
    told = straight(levels, np.arange(steps + 2.0))
    assert np.diff(told, 2) == pytest.approx(np.zeros(steps), abs=1e-7)


def test_a_constant_stays() -> None:
    """Exactly."""
    assert (straight(np.full(50, 3.3), AHEAD) == 3.3).all()
