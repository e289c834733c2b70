"""One regression over a whole fleet, bent to each series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.regression import Floats, Pool, Sums, own_weights, told_by
from tests.profiles import HEAVY

# Small weeks, so that many can be fitted: three steps a day.
DAY, WEEK = 3, 21
PAST, AHEAD = 2 * WEEK, WEEK


def noise(size: int, seed: int = 0) -> Floats:
    """A week with noise."""
    rng = np.random.default_rng(seed)
    week: Floats = rng.normal(0, 3, WEEK)[np.arange(size) % WEEK]
    return 10 + week + rng.normal(0, 1, size)


def sums_of(*series: Floats) -> Sums:
    """What they say together."""
    sums = Sums(past=PAST, ahead=AHEAD, day=DAY)
    for values in series:
        sums.add(values)
    return sums


def again() -> Pool:
    """Weights that tell the mean of the last two weeks again."""
    return Pool(weights=np.tile(np.eye(AHEAD), (2, 1)) / 2, day=DAY, series=1)


def test_a_pool_says_what_it_is_of() -> None:
    """Steps back, steps ahead, series."""
    pool = sums_of(noise(200), noise(150, 1), noise(10)).pool()
    assert (pool.past, pool.ahead, pool.day, pool.series) == (PAST, AHEAD, DAY, 2)


@given(seeds=st.lists(st.integers(0, 99), min_size=2, max_size=5), cut=st.integers(0, 5))
@HEAVY
def test_parts_of_a_fleet_add_up_to_the_whole(seeds: list[int], cut: int) -> None:
    """Wherever it is cut, in whichever order."""
    fleet = [noise(100 + seed, seed) for seed in seeds]
    whole = sums_of(*fleet)
    parts = sums_of(*fleet[cut:]).merge([sums_of(*fleet[:cut])])
    assert parts.series == whole.series == len(fleet)
    assert np.allclose(parts.gram, whole.gram)
    assert np.allclose(parts.pool().weights, whole.pool().weights, rtol=1e-4, atol=1e-6)


def test_short_series_tell_nothing() -> None:
    """And alone they are no pool."""
    short = noise(PAST + AHEAD - 1)
    assert sums_of(short).series == 0
    with pytest.raises(ValueError, match="no series is long enough"):
        sums_of(short).pool()
    one, both = sums_of(noise(200)), sums_of(noise(200), short)
    assert (one.gram == both.gram).all()


@given(shift=st.floats(-1e4, 1e4), times=st.floats(0.1, 100))
@HEAVY
def test_series_speak_by_their_shape(shift: float, times: float) -> None:
    """Not by their unit, nor by their level, where that is not much larger."""
    one = sums_of(noise(200)).gram
    other = sums_of(times * noise(200)).gram
    assert np.allclose(other, one, rtol=1e-6)
    moved = sums_of(noise(200) + shift / 100).gram
    assert np.allclose(moved, one, rtol=1e-6, atol=1e-6)


def test_a_week_that_comes_again_is_learned() -> None:
    """From other series whose weeks are others."""
    fleet = [np.resize(np.random.default_rng(seed).normal(5, 2, WEEK), 200) for seed in range(30)]
    pool = sums_of(*fleet[1:]).pool()
    told = told_by(pool.weights, fleet[0][:150], DAY)
    assert told == pytest.approx(fleet[0][150 : 150 + AHEAD], abs=0.1)


@given(size=st.integers(PAST, 200), start=st.integers(0, 20), shift=st.floats(-1e3, 1e3))
@HEAVY
def test_weights_tell_what_they_say(size: int, start: int, shift: float) -> None:
    """A half of each of two weeks, at any level."""
    values = shift + np.resize(np.random.default_rng(start).normal(0, 2, 2 * WEEK), size + start)
    told = told_by(again().weights, values, DAY)
    # Step k ahead has the place k in weeks that are counted from the window's start.
    window = values[-PAST:]
    assert told == pytest.approx((window[:WEEK] + window[WEEK:]) / 2, abs=1e-6)


def test_only_the_last_steps_are_looked_at() -> None:
    """As many as there are weights."""
    values = noise(200)
    other = np.concatenate([np.full(50, 1e6), values[-PAST:]])
    weights = sums_of(values).pool().weights
    assert (told_by(weights, other, DAY) == told_by(weights, values, DAY)).all()


def test_a_series_that_follows_the_pool_has_its_weights() -> None:
    """Exactly: nothing speaks against them."""
    week = np.random.default_rng(2).normal(0, 2, WEEK)
    own = own_weights(np.resize(week, 300), again())
    assert own == pytest.approx(again().weights, abs=1e-9)


def test_a_series_that_does_not_draws_them_its_own_way() -> None:
    """It is told better by them, also where they did not see it."""
    values = noise(900)
    drawn = np.random.default_rng(1)
    pool = sums_of(*(drawn.normal(0, 1, 200) for _ in range(20))).pool()
    own = own_weights(values[:800], pool)
    came = values[800 : 800 + AHEAD]
    off, own_off = (
        np.abs(told_by(weights, values[:800], DAY) - came).mean() for weights in (pool.weights, own)
    )
    assert own_off < 0.8 * off


@pytest.mark.parametrize("size", [0, 5, PAST + AHEAD - 1])
def test_a_short_series_has_the_pools(size: int) -> None:
    """It says nothing of itself."""
    pool = sums_of(noise(200)).pool()
    assert own_weights(noise(size), pool) is pool.weights


@pytest.mark.parametrize("value", [0.0, 5.0, -1e6, 1e100, 1e-300])
def test_a_series_that_never_changes_has_the_pools_and_stays(value: float) -> None:
    """It cannot be told apart from any other that does not."""
    pool = sums_of(noise(200)).pool()
    constant = np.full(300, value)
    own = own_weights(constant, pool)
    assert own == pytest.approx(pool.weights, abs=1e-3)
    assert told_by(own, constant, DAY) == pytest.approx(constant[:AHEAD])


def test_a_fleet_that_never_changes_has_weights_of_nothing() -> None:
    """Its series stay where they are."""
    pool = sums_of(np.full(300, 5.0), np.zeros(300)).pool()
    assert np.isfinite(pool.weights).all()
    assert told_by(pool.weights, np.full(300, 5.0), DAY) == pytest.approx(np.full(AHEAD, 5.0))


def test_what_follows_the_last_value_does_not_matter() -> None:
    """Weights of an origin are of what was before it: the argument, and nothing beyond."""
    values = noise(300)
    pool = sums_of(noise(200, 5)).pool()
    changed = np.concatenate([values[:200], np.full(100, 1e9)])
    assert (own_weights(values[:200], pool) == own_weights(changed[:200], pool)).all()


def test_rare_values_stay_finite() -> None:
    """Zeros for a fortnight, and then a burst."""
    values = np.where(np.arange(400) % 130 == 129, 50.0, 0.0)
    pool = sums_of(values, noise(200)).pool()
    own = own_weights(values, pool)
    assert np.isfinite(own).all()
    assert np.isfinite(told_by(own, values, DAY)).all()
