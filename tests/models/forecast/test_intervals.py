"""How far off a forecast may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.intervals import Floats, errors_of, scatter_of, together_of
from models.forecast.outcome import LEVELS
from tests.profiles import HEAVY

DAY, WEEK = 24, 168
MIDDLE = len(LEVELS) // 2
SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 15 * DAY))


def noise(size: tuple[int, ...], seed: int = 0, spread: float = 1.0) -> Floats:
    """So much of it."""
    made: Floats = np.random.default_rng(seed).normal(0, spread, size)
    return made


def holes(off: Floats, share: float, seed: int) -> Floats:
    """Without this share of it, but for the first of all."""
    lost = np.random.default_rng(seed).random(off.shape) < share
    lost[0, 0] = False
    return np.where(lost, np.nan, off)


@given(shape=SHAPES, ahead=st.integers(1, 500), share=st.sampled_from([0.0, 0.3, 0.99]))
@HEAVY
def test_errors_ascend_and_are_as_far_to_both_sides(
    shape: tuple[int, int], ahead: int, share: float
) -> None:
    """Whatever is missing, and none in the middle."""
    errors = errors_of(holes(noise(shape), share, 1), ahead, DAY)
    assert errors.shape == (len(LEVELS), ahead)
    assert np.isfinite(errors).all()
    assert (np.diff(errors, axis=0) >= 0).all()
    assert np.allclose(errors, -errors[::-1])
    assert (errors[MIDDLE] == 0).all()


@given(shape=SHAPES, times=st.floats(0.01, 100), seed=st.integers(0, 99))
@HEAVY
def test_errors_go_with_the_unit(shape: tuple[int, int], times: float, seed: int) -> None:
    """And with nothing but the sizes, whatever their signs and the order of origins."""
    off = noise(shape, seed)
    one = errors_of(off, 400, DAY)
    assert np.allclose(errors_of(times * off, 400, DAY), times * one)
    assert np.allclose(errors_of(-off[::-1], 400, DAY), one)


@pytest.mark.parametrize("coverage", [0.4, 0.6, 0.8, 0.9, 0.98])
def test_errors_that_came_are_within_as_often_as_is_said(coverage: float) -> None:
    """Of many days, as the quantiles of a normal distribution."""
    errors = errors_of(noise((200, 5 * DAY)), 5 * DAY, DAY)
    high = np.interp(0.5 + coverage / 2, LEVELS, np.arange(len(LEVELS)))
    within = np.abs(noise((500, 5 * DAY), 9)) <= errors[round(float(high))]
    assert within.mean() == pytest.approx(coverage, abs=0.01)


def test_few_errors_are_widened() -> None:
    """Those of a day that are all the same are one: the largest of four is not the worst."""
    off = np.repeat(noise((200, 2)), DAY, axis=1)
    few, many = errors_of(off[:2], DAY, DAY), errors_of(off, DAY, DAY)
    level = LEVELS.tolist().index(0.9)
    assert few[level, 0] == pytest.approx(np.abs(off[:2]).max())
    share = 0.8 * (1 + 1 / 400)
    assert many[level, 0] == pytest.approx(np.quantile(np.abs(off), share), rel=0.01)


def test_errors_that_do_not_hang_together_are_many() -> None:
    """Those of the hours of two days are widened less than if they were two."""
    off = noise((8, 2 * DAY))
    whole = np.quantile(np.abs(off), [0.9, 0.9 * (1 + 1 / 16)])
    assert whole[0] < errors_of(off, DAY, DAY)[-4, 0] < whole[1]


def test_each_day_has_its_own_with_its_neighbours() -> None:
    """Errors that grow from day to day are told so."""
    off = noise((8, 14 * DAY)) * np.repeat(np.arange(1, 15), DAY)
    of_day = errors_of(off, 14 * DAY, DAY)[-3].reshape(14, DAY)
    assert (of_day == of_day[:, :1]).all()
    assert (np.diff(of_day[1:-1, 0]) > 0).all()
    # The first has one neighbour.
    low, high = np.quantile(np.abs(off[:, : 2 * DAY]), [0.95, 0.95 * (1 + 1 / 24)])
    assert low < of_day[0, 0] < high


def test_what_nobody_tried_grows_on() -> None:
    """By the power that was seen, half believed, and never less than what was tried last."""
    walk = noise((8, 14 * DAY)).cumsum(axis=1)
    level = noise((8, 14 * DAY))
    for off, low, high in ((walk, 0.35, 0.6), (level, 0.15, 0.35)):
        errors = errors_of(off, 90 * DAY, DAY)[-3]
        power = np.log(errors[-1] / errors[14 * DAY - 1]) / np.log(90 / 14)
        assert low < power < high
        assert (np.diff(errors[13 * DAY :]) >= 0).all()


def test_gaps_neither_narrow_nor_widen() -> None:
    """An error that nobody knows is not one of zero."""
    off = noise((8, 14 * DAY))
    whole, left = errors_of(off, 14 * DAY, DAY), errors_of(holes(off, 0.6, 2), 14 * DAY, DAY)
    for level in (-6, -4, -3):
        assert left[level].mean() == pytest.approx(whole[level].mean(), rel=0.05)
    assert together_of(holes(off, 0.6, 2), DAY).slow == pytest.approx(0.05, abs=0.1)


def test_days_of_which_nothing_is_known_are_as_the_others() -> None:
    """A source that was away for a week."""
    off = noise((8, 14 * DAY))
    off[:, 3 * DAY : 9 * DAY] = np.nan
    errors = errors_of(off, 14 * DAY, DAY)
    low, high = np.quantile(np.abs(off[np.isfinite(off)]), [0.9, 0.9 * (1 + 1 / 24)])
    assert low < errors[-4, 5 * DAY] < high


def test_where_nothing_was_tried_nothing_is_said() -> None:
    """It would be a confident line."""
    with pytest.raises(ValueError, match="nothing is known"):
        errors_of(np.full((8, DAY), np.nan), 5, DAY)


def test_errors_that_hang_together_are_told_from_those_that_do_not() -> None:
    """By their days: white noise, a level per origin, and one that forgets."""
    white = together_of(noise((8, 14 * DAY)), DAY)
    assert white.slow < 0.15
    held = together_of(noise((8, 1)) + 0.1 * noise((8, 14 * DAY)), DAY)
    assert held.slow > 0.95
    assert held.memory > 20 * DAY
    kept = np.repeat(noise((8, 14)), DAY, axis=1)
    assert together_of(kept, DAY).memory < DAY


@given(shape=SHAPES, share=st.sampled_from([0.0, 0.5, 0.99]), seed=st.integers(0, 99))
@HEAVY
def test_what_hangs_together_is_a_share(shape: tuple[int, int], share: float, seed: int) -> None:
    """Of anything, even of zeros."""
    for off in (holes(noise(shape, seed), share, seed), np.zeros(shape)):
        found = together_of(off, DAY)
        assert 0 < found.slow < 1
        assert 0 < found.memory < np.inf


@given(hours=st.integers(2 * WEEK, 5 * WEEK), times=st.floats(0.01, 100))
@HEAVY
def test_scatter_goes_with_the_unit_and_the_hour(hours: int, times: float) -> None:
    """`scatter[k]` is of the hour k after the end, wherever that is."""
    busy = np.where(np.arange(hours) % DAY == 7, 10.0, 1.0)
    values = noise((hours,)) * busy
    scatter = scatter_of(values, DAY)
    assert scatter.shape == (DAY,)
    assert int(np.argmax(scatter)) == (7 - hours) % DAY
    assert scatter_of(5 + times * values, DAY) == pytest.approx(times * scatter)


def test_scatter_is_never_nothing() -> None:
    """What never changed, or not at some hours, may yet."""
    assert (scatter_of(np.zeros(3 * WEEK), DAY) == 1e-12).all()
    quiet = np.where(np.arange(4 * WEEK) % DAY == 3, noise((4 * WEEK,)), 0.0)
    scatter = scatter_of(quiet, DAY)
    assert scatter.min() == pytest.approx(0.05 * np.mean(scatter), rel=1.0)
    assert scatter.min() > 0


def test_one_wild_value_is_not_the_usual() -> None:
    """Of the largest differences, one in fifty is cut."""
    values = noise((8 * WEEK,))
    odd = values.copy()
    odd[700] = 1e6
    assert scatter_of(odd, DAY) == pytest.approx(scatter_of(values, DAY), rel=0.2)


def test_trials_that_overlap_count_less() -> None:
    """The fewer stretches they cover, the wider; as many stretches as trials is no overlap."""
    off = np.random.default_rng(8).normal(0, 1, (8, 72))
    apart, alike = errors_of(off, 72, 24, 8.0), errors_of(off, 72, 24, 2.0)
    assert np.array_equal(apart, errors_of(off, 72, 24))
    assert (np.abs(alike) >= np.abs(apart)).all()
    assert np.abs(alike).sum() > np.abs(apart).sum()
