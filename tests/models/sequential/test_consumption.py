"""A line of use by load: found through noise, unsure where it should be, silent far outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.consumption import Consumption, consumption

SECONDS = 300.0
LINE = Consumption(mean=0.5, mean_load=40.0, slope=0.01, error=0.001, low=20.0, high=60.0)


def blocks(
    seed: int, *, idle: float = 0.1, each: float = 0.01, low: float = 20.0, high: float = 60.0
) -> tuple[np.ndarray, np.ndarray]:
    """Loads of four pods over forty blocks, counted, and what they use."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(low, high, (4, 40))
    counted = rng.poisson(truth * SECONDS) / SECONDS
    return counted, (idle + each * truth) * np.exp(rng.normal(0, 0.02, truth.shape))


def fitted(load: np.ndarray, use: np.ndarray) -> Consumption:
    line = consumption(load, use, SECONDS)
    assert line is not None
    return line


@given(st.integers(0, 500), st.floats(0.0, 0.5), st.floats(0.002, 0.05))
def test_the_line_is_found_within_its_own_error(seed: int, idle: float, each: float) -> None:
    """A wrong cost of a request would blame or excuse a canary at another load."""
    line = fitted(*blocks(seed, idle=idle, each=each))
    assert abs(line.slope - each) <= 4 * line.error
    assert line.predict(np.array([40.0]))[0] == pytest.approx(idle + 40 * each, rel=0.05)


@given(st.integers(0, 500))
def test_a_slope_lies_between_no_use_and_all_of_it(seed: int) -> None:
    """Requests cost something, and no more than all that is used."""
    rng = np.random.default_rng(seed)
    load, use = rng.uniform(1, 50, (3, 20)), rng.uniform(0.1, 1, (3, 20))
    line = fitted(load, use)
    assert 0 <= line.slope <= line.mean / line.mean_load + 1e-12
    assert np.isfinite(line.error)


def test_loads_that_hardly_vary_teach_no_slope() -> None:
    """Where load never moved the line is what is usual, with a wide error."""
    load, use = blocks(3, low=39.9, high=40.1)
    flat, wide = fitted(load, use), fitted(*blocks(3))
    usual = flat.mean / flat.mean_load
    assert flat.error > 5 * wide.error
    assert flat.slope == pytest.approx(0.65 * usual, abs=0.36 * usual)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_blocks_make_no_line(count: int) -> None:
    """Three points fit any line."""
    load = np.full((1, 6), np.nan)
    load[0, :count] = 10.0
    assert consumption(load, 0.01 * load, SECONDS) is None


def test_a_like_load_is_excused_nothing() -> None:
    """At the control's own load only the use itself counts."""
    load = np.array([[40.0]])
    assert LINE.excused(load, load, LINE.beyond(load, load)) == pytest.approx(0.0)


@given(st.floats(5.0, 200.0), st.floats(5.0, 200.0))
def test_the_further_apart_the_more_is_excused(load: float, usual: float) -> None:
    """A canary at another load must not pay for an uncertain line; never more than .8."""
    here, there = np.array([[load]]), np.array([usual])
    near = LINE.excused((here + there) / 2, there, np.zeros((1, 1)))
    far = LINE.excused(here, there, np.zeros((1, 1)))
    assert 0 <= near[0, 0] <= far[0, 0] + 1e-9
    assert far[0, 0] <= 0.8


@pytest.mark.parametrize(
    ("load", "usual", "distance"),
    [
        pytest.param(30.0, 40.0, 0.0, id="seen before"),
        pytest.param(70.0, 70.0, 0.0, id="the control carries it now"),
        pytest.param(66.0, 40.0, np.log(66 / 60), id="a little above"),
        pytest.param(18.0, 40.0, np.log(20 / 18), id="a little below"),
        pytest.param(90.0, 40.0, np.inf, id="nobody knows"),
        pytest.param(0.0, 40.0, np.inf, id="no load"),
    ],
)
def test_far_from_all_loads_nothing_is_said(load: float, usual: float, distance: float) -> None:
    """A line is no knowledge of loads that nobody has seen."""
    assert LINE.beyond(np.array([load]), np.array([usual]))[0] == pytest.approx(distance)
