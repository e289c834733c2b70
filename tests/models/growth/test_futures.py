"""Futures of a daily level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.growth.futures import COMPOUNDING, SAW_TOOTH, STEADY, Futures, futures

WEEK = np.array([5.0, 5.0, 5.0, 5.0, 5.0, -10.0, -15.0])


def of(
    values: np.ndarray, days: int = 40, *, jumps: tuple[int, ...] = (), seed: int = 0
) -> Futures:
    """A thousand, from a Monday on."""
    weekday = np.arange(len(values) + days) % 7
    return futures(values, weekday, days, 1000, np.random.default_rng(seed), jumps=jumps)


def noise(size: int, spread: float, seed: int = 1) -> np.ndarray:
    """So much of it."""
    made: np.ndarray = np.random.default_rng(seed).normal(0, spread, size)
    return made


def test_growth_that_adds_is_told_from_growth_that_compounds() -> None:
    """Where the past is long enough to tell."""
    day = np.arange(120)
    adds = of(100 + 2 * day + noise(120, 1))
    assert adds.weights[STEADY] > 0.95
    assert np.median(adds.paths[:, -1]) == pytest.approx(100 + 2 * 159, rel=0.03)
    compounds = of(100 * np.exp(0.02 * day) * np.exp(noise(120, 0.01)))
    assert compounds.weights[COMPOUNDING] > 0.95
    assert np.median(compounds.paths[:, -1]) == pytest.approx(100 * np.exp(0.02 * 159), rel=0.1)


def test_the_week_comes_again() -> None:
    """On its days."""
    found = of(np.tile(WEEK, 9) + 100 + noise(63, 0.5), 14)
    middle = np.median(found.paths, axis=0) - 100
    assert middle == pytest.approx(np.tile(WEEK, 2), abs=2)


def test_a_week_that_grows_with_its_level_is_no_sign_of_compounding() -> None:
    """People are a share of people."""
    day = np.arange(119)
    values = (100 + 2 * day) * (1 + np.tile(WEEK, 17) / 100) * np.exp(noise(119, 0.01))
    assert of(values).weights[STEADY] > 0.9


def test_a_saw_tooth_is_seen_as_one() -> None:
    """And not as a falling trend after its reset."""
    values = 100 + 3.0 * (np.arange(64) % 10) + noise(64, 0.2)
    found = of(values)
    assert found.weights == {SAW_TOOTH: 1.0}
    assert np.median(found.paths.max(axis=1)) == pytest.approx(128, abs=8)


def test_a_step_that_nobody_told_is_found_and_told() -> None:
    """It is no growth."""
    values = 100 + noise(60, 1) + 40 * (np.arange(60) >= 40)
    found = of(values)
    assert found.steps == (40,)
    assert np.median(found.paths[:, -1]) == pytest.approx(140, abs=6)
    assert of(values, jumps=(40, 41)).steps == ()


def test_a_series_with_zeros_or_below_adds() -> None:
    """It has no logarithm."""
    assert of(np.maximum(noise(60, 1), 0)).weights == {STEADY: 1.0}
    assert of(noise(60, 1)).weights == {STEADY: 1.0}


def test_growth_that_compounds_is_not_followed_for_ever() -> None:
    """Numbers stay numbers."""
    found = of(np.exp(0.3 * np.arange(30)), 366)
    assert np.isfinite(found.paths).all()


def test_thirteen_days_are_too_few() -> None:
    """Fourteen are enough, though not for much."""
    with pytest.raises(ValueError, match="13 known days: at least 14"):
        of(np.arange(13.0))
    young = of(np.arange(14.0) + noise(14, 1) + 50).paths[:, -1]
    older = of(np.arange(60.0) + noise(60, 1) + 50).paths[:, -1]
    assert np.ptp(np.quantile(young, (0.1, 0.9))) > 2 * np.ptp(np.quantile(older, (0.1, 0.9)))


@settings(max_examples=8)
@given(seed=st.integers(0, 30), days=st.integers(1, 60), size=st.integers(14, 80))
def test_futures_are_finite_and_as_many_as_asked_for(seed: int, days: int, size: int) -> None:
    """The same for the same seed."""
    values = 50 + 0.5 * np.arange(size) + noise(size, 2, seed)
    values[::9] = np.nan
    if np.isfinite(values).sum() < 14:
        return
    found = of(values, days, seed=seed)
    assert found.paths.shape == (1000, days)
    assert np.isfinite(found.paths).all()
    assert sum(found.weights.values()) == pytest.approx(1)
    assert (found.paths == of(values, days, seed=seed).paths).all()
