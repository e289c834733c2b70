"""What scores mean, over all series: tables of surprise and p-values out of counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.pool import READ_EVERY, made_ready, read_counts
from models.anomaly.score import step, threshold
from models.anomaly.scored import Scored, Settings
from models.anomaly.tuning import ONE
from models.baseline.state import BINS, State, empty
from tests.models.anomaly.samples import beside, calm, scored

WEEK_MS = 604_800_000
COUNTS = st.lists(st.tuples(st.integers(0, BINS - 1), st.integers(1, 10**6)), max_size=30)
RISES = st.lists(st.tuples(st.integers(0, BINS - 1), st.integers(0, BINS - 1)), max_size=200)


def counted(
    samples: list[tuple[int, int]], rises: list[tuple[int, int]], *, weeks: float = 1.0
) -> State:
    """A state that saw so many samples in bins, and excursions that rose from one to another."""
    state = empty(1)
    for place, count in samples:
        state.pool_counts[0, place] += count * ONE
    for a, b in rises:
        low, high = sorted((a, b))
        state.pool_counts[1, high] += ONE
        state.pool_counts[1, low] -= ONE if low else 0
    state.pool_spent[1] = int(weeks * WEEK_MS)
    return state


def read(state: State) -> NDArray[np.float64]:
    """The table that its counts give."""
    read_counts(state)
    return state.pool_table


@given(COUNTS, RISES, st.floats(0, 1e6), st.integers(0, 40))
def test_a_greater_score_is_never_less_surprising(
    samples: list[tuple[int, int]], rises: list[tuple[int, int]], weeks: float, halved: int
) -> None:
    """A worse sample would be passed over where a milder one alarmed."""
    state = counted(samples, rises, weeks=weeks)
    state.pool_counts[:] = state.pool_counts >> halved
    surprise, chance = read(state)
    assert np.isfinite(surprise).all()
    assert (np.diff(surprise) >= 0).all()
    assert (np.diff(chance) <= 0).all()
    assert 0.0 < chance[-1] <= chance[0] == 1.0


@given(COUNTS, RISES)
def test_more_excursions_in_the_same_time_make_all_of_them_less_surprising(
    samples: list[tuple[int, int]], rises: list[tuple[int, int]]
) -> None:
    """A noisy week would be paged for as if it were a calm one."""
    once = counted(samples, rises)
    few = read(once)[0].copy()
    many = read(counted(samples, [*rises, *rises]))[0]
    # Beyond what was counted often enough a tail is laid through what was.
    above = np.append(once.pool_counts[1][::-1].cumsum()[::-1], 0)
    assert (many <= few + 1e-9)[above >= 20 * ONE].all()


def test_nothing_counted_is_what_series_of_many_kinds_showed() -> None:
    """In its first hour a stream would alarm at everything, or at nothing."""
    state = empty(1)
    made_ready(state)
    surprise, chance = state.pool_table
    assert surprise[0] == pytest.approx(-np.log10(8.0))
    assert surprise[-1] > threshold(1.0, 1000)
    assert chance[-1] < 0.02


def test_beyond_what_was_counted_alarms_still_become_rarer() -> None:
    """All that lay farther out than the worst so far would be equally odd."""
    state = counted([(0, 10**6), (20, 1000)], [(0, 20)] * 1000, weeks=1000.0)
    surprise, chance = read(state)
    assert (np.diff(surprise[21:]) > 0).all()
    assert (np.diff(chance[21:]) < 0).all()


def test_with_many_counts_surprise_is_the_rate_that_was_seen() -> None:
    """An alarm a week would be one of some other span."""
    state = counted([(0, 10**6)], [(0, 32)] * 5000, weeks=10_000.0)
    assert read(state)[0][32] == pytest.approx(-np.log10(5000 / 10_000), abs=0.01)


@given(st.integers(0, 2**32 - 1))
def test_halving_forgets_half_of_everything_and_no_more(seed: int) -> None:
    """Rates would jump each time that old counts are forgotten."""
    counts = np.random.default_rng(seed).integers(0, 2**40, (2, BINS))
    state = empty(1)
    state.pool_counts[:] = 2 * counts
    state.pool_spent[:] = [READ_EVERY, 200 * WEEK_MS, 200, 0]
    read_counts(state)
    assert state.pool_counts.tolist() == counts.tolist()
    assert state.pool_spent.tolist() == [0, 100 * WEEK_MS, 0, 100 * WEEK_MS]


def test_after_halving_the_same_scores_are_about_as_surprising() -> None:
    """Every alarm of the hour in which counts are halved would be another one."""
    state = counted([(0, 10**7)], [(0, 32)] * 5000, weeks=10_000.0)
    before = read(state)[0].copy()
    assert int(state.pool_counts[1].max()) == 2500 * ONE
    assert np.abs(read(state)[0] - before)[:33].max() < 0.02


@pytest.mark.parametrize(("weeks", "series", "is_halved"), [(57, 200, False), (58, 200, True)])
def test_counts_are_kept_until_they_are_two_days_of_each_of_many_series(
    weeks: int, series: int, is_halved: bool
) -> None:
    """With few series the tail would be forgotten before there is one."""
    state = counted([(0, 100)], [], weeks=weeks)
    state.pool_spent[2:] = [series, 1000 * WEEK_MS]
    read_counts(state)
    assert bool(state.pool_counts[0, 0] == 50 * ONE) is is_halved


@pytest.mark.parametrize(("weeks", "is_halved"), [(14, False), (15, True)])
def test_at_first_half_a_day_is_enough_to_forget_the_half_before(
    weeks: int, is_halved: bool
) -> None:
    """The wild first hours of all series would keep alarms away for a week."""
    state = counted([(0, 100)], [], weeks=weeks)
    read_counts(state)
    assert bool(state.pool_counts[0, 0] == 50 * ONE) is is_halved


def test_series_that_began_anew_are_counted_once() -> None:
    """With every pod that is replaced the memory would grow, until nothing is forgotten."""
    state, _ = scored(beside(*(calm(300, seed=n) for n in range(3))))
    state.pool_spent[1:3] = [500 * WEEK_MS, 900]
    read_counts(state)
    assert int(state.pool_spent[2]) == 3


def test_a_table_that_was_read_is_not_made_anew() -> None:
    """Scores would depend on where a batch begins."""
    state = counted([(0, 10**6)], [(0, 32)] * 5000, weeks=10_000.0)
    before = read(state).copy()
    state.pool_counts[1, 64] += 10**6 * ONE
    made_ready(state)
    assert state.pool_table.tobytes() == before.tobytes()


def rises(found: Scored, series: int, level: float) -> NDArray[np.int64]:
    """Alarms of each series at a level: samples that reach it where the excursion had not."""
    begins = (found.surprise >= level) & (found.reached < level)
    return np.asarray(begins.reshape(-1, series).sum(axis=0))


def test_a_second_peak_within_hours_is_no_second_alarm() -> None:
    """A flapping service would spend the budget of all others in one night."""
    value = calm(600)
    value[300], value[330], value[360] = 40.0, 39.0, 38.0
    _, found = scored(beside(value))
    assert rises(found, 1, threshold(1.0, 100)).tolist() == [1]


def test_a_fall_after_a_rise_is_another_alarm() -> None:
    """An outage right after a flood of requests would be told to nobody."""
    value = calm(600)
    value[300], value[330], value[360] = 1000.0, -1e6, -1e5
    _, found = scored(beside(value))
    assert rises(found, 1, threshold(1.0, 20)).tolist() == [2]
    assert found.side[[300, 330, 360]].tolist() == [1, -1, -1]


@given(st.floats(0, 172_800), st.integers(150, 500))
def test_how_long_a_peak_is_remembered_is_what_was_asked_however_rare_samples_are(
    quiet_s: float, apart: int
) -> None:
    """Minutes are kept modulo some days: an excursion of last week would silence today's."""
    value = calm(620)
    value[110], value[110 + apart] = 1e6, 1e6
    rows, at, value = beside(value, every=20 * 60_000)
    _, found = scored((rows, at, value), settings=Settings(quiet_s=quiet_s))
    second = 110 + apart
    is_new = bool(found.reached[second] < found.surprise[110])
    assert is_new is (apart * 20 > quiet_s // 60)


@pytest.mark.parametrize("quiet_s", [-1.0, 172_801.0])
def test_a_quiet_time_that_cannot_be_kept_is_refused(quiet_s: float) -> None:
    """It would be another one than was asked for."""
    with pytest.raises(ValueError, match="quiet_s lies between"):
        Settings(quiet_s=quiet_s)


@pytest.mark.parametrize(("quiet_s", "alarms"), [(7200.0, 1), (1200.0, 2)])
def test_a_peak_after_the_quiet_time_is_another_alarm(quiet_s: float, alarms: int) -> None:
    """What comes back the next day would be told to nobody."""
    value = calm(600)
    value[300], value[360] = 100.0, 99.0
    _, found = scored(beside(value), settings=Settings(quiet_s=quiet_s))
    assert rises(found, 1, threshold(1.0, 20)).tolist() == [alarms]


@given(st.floats(1e-3, 1e6), st.integers(1, 10**7))
def test_more_series_or_fewer_alarms_need_more_surprise(alarms: float, series: int) -> None:
    """The budget of a week would grow with every pod."""
    here = threshold(alarms, series)
    assert threshold(alarms, series + 1) >= here
    assert threshold(alarms * 2, series) < here
    assert series * 10.0**-here == pytest.approx(alarms)


@pytest.mark.parametrize(("alarms", "series"), [(0.0, 10), (-1.0, 10), (1.0, 0), (1.0, -5)])
def test_a_rate_that_cannot_be_has_no_threshold(alarms: float, series: int) -> None:
    """A logarithm of nothing would alarm at everything."""
    with pytest.raises(ValueError, match="above 0"):
        threshold(alarms, series)


def test_series_that_are_still_learned_are_not_counted() -> None:
    """The wild first samples of a thousand new pods would hide what is odd of the old ones."""
    state, _ = scored(beside(*(calm(100, seed=n) for n in range(3))))
    assert not state.pool_counts.any()
    assert state.pool_spent.tolist() == [300, 0, 0, 0]
    step(state, *beside(*([10.0],) * 3, start=int(state.at.max()) + 60_000), Settings())
    assert int(state.pool_counts[0].sum()) == 3 * ONE
    assert state.pool_spent.tolist() == [303, 3 * 60_000, 3, 0]


def test_a_gap_counts_as_an_hour_of_watching_at_most() -> None:
    """A series that was away for a month would be credited with a month without alarms."""
    state, _ = scored(beside(calm(150)))
    before = int(state.pool_spent[1])
    step(state, *beside([10.0], start=int(state.at[0]) + 30 * 86_400_000), Settings())
    assert int(state.pool_spent[1]) - before == 3_600_000
