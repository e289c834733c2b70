"""A reference from other times: pooled rates and shapes, and how far off they are in health."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.before import (
    Contrasts,
    count_contrasts,
    learned_spread,
    mean_shift,
    pooled_histogram,
    pooled_rate,
    scale_contrasts,
    unseasonal,
)
from models.sequential.rows import ROWS, RowName
from tests.profiles import HEAVY

EDGES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
GRID = ROWS[RowName.LATENCY].grid
ONES = np.ones(3)


def contrasts(effects: object, variance: float = 1e-4) -> Contrasts:
    """Effects that were counted equally well."""
    effect = np.asarray(effects, np.float64)
    return Contrasts(effect, np.full(len(effect), variance))


def shape(median: float, size: float = 1e5) -> np.ndarray:
    """A lognormal histogram on the edges."""
    from scipy.special import ndtr

    below = ndtr((np.log(EDGES) - np.log(median)) / 0.6)
    counts: np.ndarray = size * np.diff(below, prepend=0.0, append=1.0)
    return counts


def test_times_without_requests_say_nothing() -> None:
    """A week in which the service did not run does not halve its error rate."""
    rate, noise = pooled_rate(np.array([1e5, 0.0]), np.array([100.0, 0.0]), np.array([1.0, 0.5]))
    assert rate == pytest.approx(1e-3, rel=0.02)
    assert noise == pytest.approx(1 / 100, rel=0.05)


def test_nothing_at_all_is_no_rate() -> None:
    """Without any past there is no reference, rather than one of zero errors."""
    rate, noise = pooled_rate(np.zeros(2), np.zeros(2), np.ones(2))
    assert np.isnan(rate)
    assert np.isinf(noise)


def test_the_last_two_hours_weigh_twice_a_week() -> None:
    """What happened today says more than what happened a week ago."""
    n = np.array([1e6, 1e6])
    rate, _ = pooled_rate(n, np.array([3000.0, 0.0]), np.array([1.0, 0.5]))
    assert rate == pytest.approx(0.002, rel=0.01)


@given(
    st.lists(st.floats(1, 1e7), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_pooled_rate_lies_between_the_rates(sizes: list[float], shares: list[float]) -> None:
    """A mean of several times is never better than the best nor worse than the worst of them."""
    n = np.array(sizes)
    x = n * np.array(shares)
    rate, noise = pooled_rate(n, x, np.array([1.0, 0.5, 0.25]))
    each = (x + 0.5) / (n + 1.0)
    assert each.min() * (1 - 1e-9) <= rate <= each.max() * (1 + 1e-9)
    assert noise > 0


def test_pooled_histogram_has_the_shape_of_both() -> None:
    """Ten times the traffic a week ago does not outvote the last two hours."""
    pooled = pooled_histogram(np.stack([shape(0.05, 1e4), shape(0.10, 1e5)]), np.array([1.0, 1.0]))
    expected = 0.5 * (shape(0.05, 1.0) + shape(0.10, 1.0))
    assert np.allclose(pooled / pooled.sum(), expected)
    assert pooled_histogram(np.zeros((2, 8)), np.ones(2)).sum() == 0


@given(st.floats(-0.3, 0.9))
def test_a_slower_time_is_seen_as_such(effect: float) -> None:
    """A contrast of latency is the log of how much slower that time was."""
    now, before = shape(0.06 * np.exp(effect)), shape(0.06)
    found = scale_contrasts(now[None], before[None], EDGES, GRID)
    assert found.effect[0] == pytest.approx(effect, abs=0.06)
    assert 0 < found.variance[0] < 0.01


def test_a_time_far_off_is_not_left_out() -> None:
    """A day on which all was ten times slower speaks for a wide spread, not for none."""
    found = scale_contrasts(shape(0.6)[None], shape(0.06)[None], EDGES, GRID)
    assert found.effect[0] > 1.0


def test_few_requests_are_no_contrast() -> None:
    """A night without users tells nothing of how steady the service is."""
    found = scale_contrasts(shape(0.06, 10.0)[None], shape(0.06)[None], EDGES, GRID)
    assert not len(found.effect)


def test_errors_of_another_time_are_a_contrast() -> None:
    """Twice the errors an hour later are a log of two, counted as well as events can be."""
    before = np.array([[1e-3, 1e-3]])
    found = count_contrasts(np.array([[1e6, 2000.0]]), before, 0.0)
    assert found.effect[0] == pytest.approx(np.log(2), abs=0.01)
    assert found.variance[0] == pytest.approx(1e-3 + 1 / 2000, rel=0.05)


def test_quiet_times_without_events_are_not_certain() -> None:
    """No error in a thousand requests where one was expected is chance, and is counted as such."""
    found = count_contrasts(np.array([[1000.0, 0.0]]), np.array([[1e-3, 1e-4]]), 0.0)
    assert found.variance[0] >= 1.0


def test_few_quiet_times_keep_the_default() -> None:
    """Four weeks that happened to agree do not make a before/after comparison exact."""
    assert learned_spread(contrasts([0.001] * 4), 0.08, least=0.5) == 0.08
    nothing = Contrasts(np.zeros(0), np.zeros(0))
    assert learned_spread(nothing, 0.08, least=0.5) == pytest.approx(0.08, rel=0.01)


def test_a_steady_service_is_believed_down_to_the_floor() -> None:
    """Seventeen comparisons within a per cent halve the default, and no more."""
    rng = np.random.default_rng(3)
    steady = contrasts(rng.normal(0, 0.005, 17), 1e-6)
    assert learned_spread(steady, 0.08, least=0.5) == pytest.approx(0.04)


def test_an_unsteady_service_is_given_more() -> None:
    """A service that differs by 20 % from hour to hour is not rolled back for 15 %."""
    rng = np.random.default_rng(3)
    assert learned_spread(contrasts(rng.normal(0, 0.2, 17)), 0.08, least=0.5) > 0.15


def test_counting_noise_is_not_taken_for_drift() -> None:
    """Ten requests a minute scatter by themselves."""
    rng = np.random.default_rng(4)
    effects = rng.normal(0, 0.2, 17)
    counted, sure = contrasts(effects, 0.04), contrasts(effects, 1e-6)
    noise, drift = (learned_spread(c, 0.08, least=0.5) for c in (counted, sure))
    assert noise < 0.75 * drift


@HEAVY
@given(st.lists(st.floats(-0.5, 0.5), min_size=10, max_size=20), st.floats(1.0, 3.0))
def test_wider_contrasts_never_narrow_the_spread(effects: list[float], factor: float) -> None:
    """The more a service wandered, the more a release is forgiven."""
    narrow, wide = contrasts(effects), contrasts(factor * np.array(effects))
    before, after = (learned_spread(c, 0.08, least=0.5) for c in (narrow, wide))
    assert after >= before - 1e-9


@pytest.mark.parametrize("sd", [0.02, 0.05, 0.1, 0.2])
def test_spread_covers_the_true_one_mostly(sd: float) -> None:
    """The null must be as wide as health is: in nine of ten services nearly so."""
    rng = np.random.default_rng(5)
    found = [learned_spread(contrasts(rng.normal(0, sd, 17)), 0.08, least=0.5) for _ in range(200)]
    assert np.mean(np.array(found) >= 0.8 * sd) >= 0.9


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=12), st.floats(-2.0, 2.0))
def test_what_all_days_have_in_common_is_no_unrest(effects: list[float], season: float) -> None:
    """A service that doubles each day at noon is as steady at noon as one that does not."""
    plain = unseasonal(contrasts(effects))
    moved = unseasonal(contrasts(np.array(effects) + season))
    assert np.allclose(plain.effect, moved.effect, atol=1e-9)
    assert np.allclose(plain.variance, moved.variance)


def test_a_corrected_day_is_as_far_off_as_the_next_one_will_be() -> None:
    """Of n days the mean is off by sd/sqrt(n): what is learned must say so of the day to come."""
    rng = np.random.default_rng(6)
    days = rng.normal(0.4, 0.1, (20_000, 9))
    learned = np.array([unseasonal(contrasts(row[:-1])).effect for row in days])
    coming = days[:, -1] - np.array([mean_shift(contrasts(row[:-1]))[0] for row in days])
    assert learned.std() == pytest.approx(coming.std(), rel=0.02)


def test_one_day_tells_no_time_of_day() -> None:
    """A single noon may have been chance: no comparison is made of it."""
    assert not len(unseasonal(contrasts([0.3])).effect)
