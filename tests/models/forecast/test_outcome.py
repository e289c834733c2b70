"""A forecast: points, intervals and futures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from models.forecast.outcome import LEVELS, Forecast
from tests.profiles import HEAVY

CHANCES = st.floats(0, 1)


def told(
    steps: int = 40,
    *,
    spread: float = 2.0,
    slow: float = 0.5,
    memory: float = 24.0,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Forecast:
    """Errors as of a normal distribution, wider step by step."""
    errors = spread * ndtri(LEVELS)[:, None] * np.sqrt(1 + np.arange(steps))
    return Forecast(
        start_ms=0,
        step_s=3600,
        point=10 + np.arange(float(steps)),
        errors=errors,
        slow=slow,
        memory=memory,
        floor=floor,
        ceiling=ceiling,
    )


def test_probabilities_ascend_and_are_as_far_from_both_ends() -> None:
    """The middle one is a half."""
    assert (np.diff(LEVELS) > 0).all()
    assert np.abs(LEVELS + LEVELS[::-1] - 1).max() < 1e-12
    assert LEVELS[len(LEVELS) // 2] == 0.5


def test_quantiles_are_what_is_kept() -> None:
    """At those probabilities that are kept; in the middle, the point."""
    one = told()
    for level, errors in zip(LEVELS, one.errors, strict=True):
        assert one.quantile(float(level)) == pytest.approx(one.point + errors)
    assert one.quantile(0.5) == pytest.approx(one.point)


@given(chances=st.tuples(CHANCES, CHANCES))
def test_quantiles_ascend_with_the_probability(chances: tuple[float, float]) -> None:
    """Between those that are kept, and beyond them."""
    low, high = sorted(chances)
    assert (told().quantile(low) <= told().quantile(high) + 1e-9).all()


@pytest.mark.parametrize(("beyond", "last"), [(0.0, 0.005), (0.001, 0.005), (1.0, 0.995)])
def test_beyond_the_last_probability_nothing_is_made_up(beyond: float, last: float) -> None:
    """It is that one."""
    assert (told().quantile(beyond) == told().quantile(last)).all()


@given(coverages=st.tuples(CHANCES, CHANCES))
def test_intervals_lie_within_one_another(coverages: tuple[float, float]) -> None:
    """And round the point."""
    one = told()
    (low, high), (lower, higher) = (one.interval(coverage) for coverage in sorted(coverages))
    assert (lower <= low + 1e-9).all()
    assert (low <= one.point + 1e-9).all()
    assert (one.point <= high + 1e-9).all()
    assert (high <= higher + 1e-9).all()


@pytest.mark.parametrize("slow", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("memory", [1.0, 24.0, 1e6])
def test_futures_are_spread_as_quantiles_say(slow: float, memory: float) -> None:
    """At each step, however they hang together."""
    one = told(6, slow=slow, memory=memory)
    paths = one.paths(8000, np.random.default_rng(1))
    assert paths.shape == (8000, 6)
    for chance in (0.05, 0.25, 0.5, 0.9, 0.95):
        below = (paths <= one.quantile(chance)).mean(axis=0)
        assert below == pytest.approx(np.full(6, chance), abs=0.02)


def test_what_hangs_together_does_so_from_step_to_step() -> None:
    """A share of the variance, less with the steps between."""
    one = told(49, slow=0.6, memory=24.0)
    off = one.paths(6000, np.random.default_rng(2)) - one.point
    alike = np.atleast_2d(np.corrcoef(off.T))[0]
    assert alike[1] == pytest.approx(0.6 * np.exp(-1 / 24), abs=0.05)
    assert alike[48] == pytest.approx(0.6 * np.exp(-2), abs=0.05)
    alone = told(5, slow=0.0).paths(6000, np.random.default_rng(2))
    assert np.atleast_2d(np.corrcoef(alone.T))[0, 1:] == pytest.approx(np.zeros(4), abs=0.05)


def test_futures_come_again_with_the_seed() -> None:
    """To the last bit."""
    one, same, other = (told().paths(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@given(
    floor=st.none() | st.floats(0, 20),
    room=st.none() | st.floats(0, 30),
    chance=CHANCES,
    seed=st.integers(0, 9),
)
@HEAVY
def test_nothing_leaves_its_bounds(
    floor: float | None, room: float | None, chance: float, seed: int
) -> None:
    """Neither quantiles nor futures; without bounds they are free."""
    ceiling = None if room is None else (floor or 0.0) + room
    one, free = told(floor=floor, ceiling=ceiling), told()
    drawn = np.random.default_rng(seed)
    for found, full in (
        (one.quantile(chance), free.quantile(chance)),
        (one.paths(20, drawn), free.paths(20, np.random.default_rng(seed))),
    ):
        low = -np.inf if floor is None else floor
        high = np.inf if ceiling is None else ceiling
        assert (found == np.clip(full, low, high)).all()


def test_without_errors_there_is_one_future() -> None:
    """The point."""
    sure = told(spread=0.0)
    assert (sure.paths(3, np.random.default_rng(0)) == sure.point).all()
    assert (np.array(sure.interval(0.99)) == sure.point).all()
