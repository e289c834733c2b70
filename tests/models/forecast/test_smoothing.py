"""Levels that are carried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.forecast.smoothing import Floats, damped, theta
from tests.profiles import HEAVY

Onward = Callable[[Floats, Floats], Floats]
AHEAD = np.arange(1.0, 91.0)
LEVELS = arrays(np.float64, st.integers(7, 60), elements=st.floats(-1e3, 1e3))
each = pytest.mark.parametrize("onward", [damped, theta])


def noise(size: int, seed: int = 0) -> Floats:
    """About zero."""
    made: Floats = np.random.default_rng(seed).normal(0, 1, size)
    return made


@each
@pytest.mark.parametrize("size", [2, 7, 60])
def test_a_constant_stays(onward: Onward, size: int) -> None:
    """Exactly, however short."""
    assert (onward(np.full(size, 7.5), AHEAD) == 7.5).all()


@each
@given(levels=LEVELS, shift=st.floats(-1e4, 1e4), power=st.integers(-20, 20))
@HEAVY
def test_levels_go_with_their_unit(
    onward: Onward, levels: Floats, shift: float, power: int
) -> None:
    """Which candidate is the best does not depend on it."""
    one = onward(levels, AHEAD)
    assert (onward(2.0**power * levels, AHEAD) == 2.0**power * one).all()
    noisy = np.cumsum(noise(len(levels)))
    moved = onward(shift + noisy, AHEAD) - shift
    assert moved == pytest.approx(onward(noisy, AHEAD), abs=1e-5)


@each
@given(levels=LEVELS)
@HEAVY
def test_what_goes_on_is_a_number(onward: Onward, levels: Floats) -> None:
    """And the argument is not touched."""
    before = levels.copy()
    assert np.isfinite(onward(levels, AHEAD)).all()
    assert (levels == before).all()


@each
def test_a_level_that_moved_is_followed(onward: Onward) -> None:
    """Where it moves for good again and again."""
    steps = np.repeat([10.0, 40, 20, 70], 14)
    assert onward(steps, AHEAD[:3]) == pytest.approx(np.full(3, 70), abs=6)


@each
def test_noise_is_not_followed(onward: Onward) -> None:
    """The last day is one of many."""
    off = [abs(onward(noise(60, seed), AHEAD[:1])[0] / noise(60, seed)[-1]) for seed in range(20)]
    assert np.median(off) < 0.5


def test_a_line_is_gone_on_with_by_a_damped_trend() -> None:
    """Nearly straight at first, and bent later."""
    told = damped(3.0 * np.arange(60.0), AHEAD)
    line = 3.0 * (59 + AHEAD)
    assert told[:3] == pytest.approx(line[:3], rel=0.01)
    assert (np.diff(told) > 0).all()
    assert (np.diff(told, 2) < 0).all()
    assert told[-1] < line[-1]


def test_a_damped_trend_comes_to_an_end() -> None:
    """At most fifty days of its slope are added, of the slowest damping."""
    levels = 3.0 * np.arange(60.0)
    far = damped(levels, np.array([1e6]))[0]
    assert far <= levels[-1] + 3.0 * 0.98 / 0.02 + 1e-6
    assert far > levels[-1]


def test_theta_goes_on_with_half_the_slope() -> None:
    """Of the line through the whole."""
    told = theta(3.0 * np.arange(60.0), AHEAD)
    assert np.diff(told) == pytest.approx(np.full(89, 1.5))
    assert told[0] == pytest.approx(3.0 * 59 + 1.5, abs=0.1)


@given(levels=LEVELS)
@HEAVY
def test_the_slope_of_theta_is_that_of_least_squares(levels: Floats) -> None:
    """Half of it."""
    slope = np.polyfit(np.arange(len(levels)), levels, 1)[0]
    told = theta(levels, AHEAD)
    assert told[-1] - told[0] == pytest.approx(89 * slope / 2, rel=1e-6, abs=1e-6)


def test_levels_before_the_first_days_are_forgotten() -> None:
    """A wrong start of three levels hardly moves where a long row of them goes."""
    levels = 50 + noise(120)
    wrong = levels.copy()
    wrong[:2] += 20
    assert damped(wrong, AHEAD) == pytest.approx(damped(levels, AHEAD), abs=1.0)
