"""How far off futures were: by what was known then alone, in units of the week before's error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from models.growth.hindcast import REACH_DAYS, mase
from models.growth.trends import Floats
from models.hindsight import seasonal_scale
from tests.profiles import HEAVY

DAYS = 90


def rng(seed: int = 0) -> Generator:
    """Seeded."""
    return Generator(PCG64(seed))


def error(values: Floats, *, jumps: tuple[int, ...] = ()) -> float:
    """Of a series that begins on a Monday."""
    return mase(values, np.arange(len(values)) % 7, rng(), jumps=jumps)


def growing(slope: float = 1.0, noise: float = 0.3, days: int = DAYS, seed: int = 1) -> Floats:
    """A line with noise on it."""
    line: Floats = 100 + slope * np.arange(days) + rng(seed).normal(0, noise, days)
    return line


def test_a_line_is_foretold_far_better_than_by_the_week_before() -> None:
    """Seven days of growth are what a naive forecast lacks."""
    assert error(growing()) < 0.25


def test_noise_is_foretold_no_better_than_its_middle() -> None:
    """A mean is off by 0.71 of what two draws differ by."""
    found = [error(100 + rng(seed).normal(0, 5, DAYS)) for seed in range(8)]
    assert np.mean(found) == pytest.approx(0.71, abs=0.12)


def test_a_turn_that_nobody_could_know_is_owned_up_to() -> None:
    """What grew all along and then fell was foretold badly, and that is told."""
    values = growing()
    values[-10:] -= 8 * np.arange(1, 11)
    assert error(values) > 1.0


@given(st.integers(0, 50), st.floats(500.0, 5000.0), st.floats(0.0, 5000.0))
@HEAVY
def test_no_forecast_knows_what_came_after_its_moment(seed: int, moved: float, more: float) -> None:
    """What came last is off by as much as it moved: nothing was drawn from it."""
    values = growing(noise=2.0, seed=seed)
    near, far = values.copy(), values.copy()
    near[-REACH_DAYS:] += moved
    far[-REACH_DAYS:] += moved + more
    scale = seasonal_scale(values[:-REACH_DAYS], 7)
    assert error(far) - error(near) == pytest.approx(more / scale / 2, rel=1e-6, abs=1e-6)


@given(st.floats(1e-3, 1e6), st.integers(0, 50))
@HEAVY
def test_it_is_the_same_in_every_unit(times: float, seed: int) -> None:
    """Bytes and GiB have the same error, as far as the median of a hundred futures is known.

    The last digit of a logarithm can give one draw to another trend, and all after it are others.
    """
    values = growing(noise=2.0, seed=seed)
    assert error(times * values) == pytest.approx(error(values), rel=0.2)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full(DAYS, 7.0), "nothing ever moved"),
        (growing(days=27), "there were thirteen days before"),
        (np.zeros(0), "there is nothing"),
        (np.full(DAYS, np.nan), "nothing was measured"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_cannot_be_known_is_no_number(values: Floats, why: str) -> None:
    """Better none than one that says nothing."""
    assert np.isnan(error(values)), why


def test_a_young_series_is_tried_once() -> None:
    """Four weeks of it allow for one moment, two weeks ago."""
    assert error(growing(days=28)) < 1.0


def test_gaps_are_left_out() -> None:
    """Days that were not measured are no errors; a moment in a gap is none."""
    values = growing()
    whole = error(values)
    values[-5:-1] = np.nan
    assert error(values) == pytest.approx(whole, abs=0.1)
    values[-40:-REACH_DAYS] = np.nan
    assert np.isnan(error(values))


def test_a_known_change_is_a_step_for_it_too() -> None:
    """A rollout that raised memory spoils no forecast that knew of it."""
    values = growing(slope=0.0, noise=1.0)
    values[-20:] += 60.0
    values = np.concatenate([values, growing(slope=0.0, noise=1.0, days=10, seed=2) + 60.0])
    at = DAYS - 20
    assert error(values, jumps=(at,)) <= error(values)


def test_the_same_seed_tells_the_same() -> None:
    """A report can be made again."""
    assert error(growing()) == error(growing())
