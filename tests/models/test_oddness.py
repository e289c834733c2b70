"""How odd a bin is: robust, indifferent to scale, and silent where nothing is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.oddness import level_scores, share_scores

counts = st.lists(st.integers(0, 400), min_size=12, max_size=60)


def whole(size: int) -> np.ndarray:
    """As many requests in each bin."""
    return np.full(size, 1000.0)


def test_the_odd_hour_stands_out() -> None:
    """Ten times the errors of the week."""
    part = np.full(48, 10.0)
    part[20] = 100.0
    scores = share_scores(part, whole(48))
    assert int(np.argmax(scores)) == 20
    assert scores[20] > 6
    assert abs(np.median(scores)) < 0.1


def test_a_better_hour_is_not_odd_upwards() -> None:
    """Nobody is woken by fewer errors."""
    part = np.full(48, 50.0)
    part[20] = 0.0
    assert share_scores(part, whole(48))[20] < 0


def test_few_requests_say_little() -> None:
    """One error in three requests is chance."""
    part, many = np.full(48, 10.0), whole(48)
    part[20], many[20] = 1.0, 3.0
    assert share_scores(part, many)[20] < 4


def test_a_bin_without_requests_has_no_score() -> None:
    """No data is neither good nor odd."""
    many = whole(48)
    many[3] = 0.0
    scores = share_scores(np.full(48, 5.0), many)
    assert np.isnan(scores[3])
    assert np.isfinite(np.delete(scores, 3)).all()


def test_a_season_is_not_odd() -> None:
    """Nights are quiet every night."""
    hours = np.arange(7 * 24)
    levels = 1000 * (1.5 + np.sin(2 * np.pi * hours / 24))
    scores = level_scores(levels, period=24)
    assert np.nanmax(np.abs(scores)) < 1


def test_a_quiet_noon_is_odd() -> None:
    """Half of the traffic that noon has on all other days."""
    hours = np.arange(7 * 24)
    levels = 1000 * (1.5 + np.sin(2 * np.pi * hours / 24))
    levels[3 * 24 + 12] /= 2
    scores = level_scores(levels, period=24)
    assert int(np.nanargmin(scores)) == 3 * 24 + 12
    assert np.nanmin(scores) < -6


def test_two_days_are_too_few_to_know_a_season() -> None:
    """One other day is no rule."""
    assert np.isnan(level_scores(np.full(48, 10.0), period=24)).all()


@given(counts, st.floats(0.1, 50))
def test_a_common_factor_changes_no_level_score_much(values: list[int], factor: float) -> None:
    """Requests per second or per hour: the same hours are odd."""
    levels = np.array(values, float) + 100_000
    one = level_scores(levels, period=4)
    other = level_scores(levels * factor * 100, period=4)
    both = np.isfinite(one)
    assert (np.isfinite(other) == both).all()
    assert np.allclose(np.sign(one[both].round(6)), np.sign(other[both].round(6)))


@given(counts)
def test_scores_are_never_endless(values: list[int]) -> None:
    """Weeks without any error, or without any change, have finite scores."""
    part = np.array(values, float)
    scores = share_scores(part, part + 5.0)
    assert np.isfinite(scores).all()


@given(st.lists(st.integers(0, 400), min_size=0, max_size=7))
def test_a_day_of_a_few_bins_is_not_judged(values: list[int]) -> None:
    """Eight bins are the least."""
    part = np.array(values, float)
    assert np.isnan(share_scores(part, part + 5.0)).all()


@given(counts, st.randoms(use_true_random=False))
def test_order_does_not_matter_to_shares(values: list[int], order: object) -> None:
    """A week is a bag of hours."""
    part = np.array(values, float)
    places = list(range(len(part)))
    order.shuffle(places)  # type: ignore[attr-defined]
    mixed = share_scores(part[places], whole(len(part)))
    assert np.allclose(mixed, share_scores(part, whole(len(part)))[places])
