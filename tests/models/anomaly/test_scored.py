"""What befalls samples: some are not used, counters begin anew, times are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.score import step
from models.anomaly.scored import Flag, Scored, Settings
from models.baseline.layout import Kind
from models.baseline.state import State, empty
from tests.models.anomaly.samples import MINUTE, STALE, Samples, beside, calm, scored

UNUSED = Flag.LATE | Flag.DUPLICATE | Flag.INVALID | Flag.STALE
WRONG = st.sampled_from([np.nan, np.inf, -np.inf, 1.1e30, -1e300, STALE])
STEPS = st.lists(st.floats(0, 1e6), min_size=2, max_size=40)


def of_one(at: list[int], value: list[float], kind: Kind = Kind.GAUGE) -> tuple[State, Scored]:
    """One series; times in minutes."""
    times = MINUTE * np.array(at, dtype=np.int64)
    return scored((np.zeros(len(at), np.int32), times, np.array(value, np.float64)), [kind])


def counted(values: list[float], every: int = MINUTE) -> Scored:
    """Scores of a counter."""
    return scored(beside(values, every=every), [Kind.CUMULATIVE])[1]


@given(st.lists(st.tuples(st.integers(0, 139), WRONG), max_size=12))
def test_samples_that_are_not_used_change_no_score_of_the_others(
    wrong: list[tuple[int, float]],
) -> None:
    """What a broken exporter sends in between would decide what is odd."""
    good = beside(calm(140))
    places = sorted(wrong, key=lambda one: one[0])
    where = [place for place, _ in places]
    rows = np.insert(good[0], where, 0)
    at = np.insert(good[1], where, good[1][where] - MINUTE // 2)
    value = np.insert(good[2], where, [one for _, one in places])
    clean, wanted = scored(good)
    state, found = scored((rows, at, value))
    is_used = (found.flag & UNUSED) == 0
    assert int(is_used.sum()) == 140
    assert found.surprise[is_used].tobytes() == wanted.surprise.tobytes()
    assert state.hot.tobytes() == clean.hot.tobytes()
    assert (found.p_value[~is_used] == 1.0).all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_only_times_that_go_on_are_used(at: list[int]) -> None:
    """A sample that is sent twice would count twice."""
    _, found = of_one(at, [1.0] * len(at))
    newest = -1
    for place, one in enumerate(at):
        flag = Flag(int(found.flag[place])) & UNUSED
        wanted = Flag(0) if one > newest else Flag.DUPLICATE if one == newest else Flag.LATE
        assert flag == wanted
        newest = max(newest, one)


@given(STEPS, st.lists(st.integers(1, 39), max_size=3))
def test_a_counter_never_has_a_rate_below_nothing(steps: list[float], resets: list[int]) -> None:
    """A restart would be an outage of minus a million requests."""
    value = np.cumsum(steps)
    for reset in resets:
        value[reset:] -= value[reset - 1] if reset < len(value) else 0.0
    found = counted(np.abs(value).tolist())
    assert np.isnan(found.value[0])
    assert (found.value[1:] >= 0).all()


@given(STEPS)
def test_rates_of_a_counter_add_up_to_what_it_counted(steps: list[float]) -> None:
    """Requests would be lost between two batches, or judged twice."""
    value = np.cumsum(steps)
    found = counted(value.tolist())
    assert float(found.value[1:].sum()) * 60 == pytest.approx(value[-1] - value[0], rel=1e-9)


@given(st.lists(st.integers(0, 1000), min_size=110, max_size=140), st.integers(0, 2**40))
def test_where_a_counter_began_changes_no_score(steps: list[int], first: int) -> None:
    """A process that has run for a year would be judged otherwise than a young one."""
    value = np.cumsum(steps)
    young, old = counted(value.tolist()), counted((value + first).tolist())
    assert young.surprise.tobytes() == old.surprise.tobytes()


def test_increments_and_their_counter_are_scored_alike() -> None:
    """Whoever changes the temporality of an exporter would get other alarms."""
    steps = np.random.default_rng(2).poisson(40.0, 200).astype(np.float64)
    steps[180] = 400.0
    samples = beside(np.cumsum(steps), steps)
    _, found = scored(samples, [Kind.CUMULATIVE, Kind.DELTA])
    assert found.surprise[0::2].tobytes() == found.surprise[1::2].tobytes()
    assert int(np.argmax(found.surprise[0::2])) == 180


def test_a_missing_time_of_a_counter_is_spread_over_its_gap() -> None:
    """After an outage of the scraper the first sample would be a burst."""
    _, found = of_one([0, 1, 2, 3, 4, 30], [0, 60, 120, 180, 240, 1800], Kind.CUMULATIVE)
    assert found.value[1:].tolist() == [1.0] * 5
    assert Flag(int(found.flag[5])) == Flag.LEARNING | Flag.GAP


def test_a_marker_that_comes_late_does_not_break_a_counter() -> None:
    """A retried batch of an earlier life would cost a sample of this one."""
    _, found = of_one([0, 2, 1, 3], [0.0, 120.0, STALE, 180.0], Kind.CUMULATIVE)
    assert Flag(int(found.flag[2])) == Flag.LATE
    assert found.value[3] == 1.0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_does_not_break_a_counter(wrong: float) -> None:
    """One failed read would be an hour of learning anew."""
    _, found = of_one([0, 1, 2, 3], [0.0, 60.0, wrong, 180.0], Kind.CUMULATIVE)
    assert Flag(int(found.flag[2])) == Flag.INVALID
    assert found.value[3] == 1.0


def test_a_series_that_came_slower_is_soon_no_gap() -> None:
    """Each sample of a changed scrape interval would be a gap for ever."""
    at = [*range(50), *range(60, 400, 10)]
    _, found = of_one(at, [1.0] * len(at))
    gaps = np.flatnonzero(found.flag & Flag.GAP)
    assert gaps[0] == 50
    assert len(gaps) < 20


def test_a_batch_of_nothing_is_scored_as_nothing() -> None:
    """A door that dropped all that came would stop the stream."""
    state = empty(2)
    none: Samples = (np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0))
    found = step(state, *none, Settings())
    assert len(found.surprise) == 0
    assert (state.at == empty(2).at).all()


@pytest.mark.parametrize("row", [-1, 2, 2**31 - 1])
def test_a_row_outside_of_the_state_changes_nothing(row: int) -> None:
    """Half of a refused batch would have been learned."""
    state = empty(2)
    rows = np.array([0, row], dtype=np.int32)
    with pytest.raises(ValueError, match="of a state of 2"):
        step(state, rows, np.arange(2, dtype=np.int64), np.ones(2), Settings())
    assert np.isnan(state.level).all()


def test_columns_of_other_lengths_are_refused() -> None:
    """Values would be of other times than they say."""
    with pytest.raises(ValueError, match="2 series, 1 times, 2 values"):
        step(empty(1), np.zeros(2, np.int32), np.zeros(1, np.int64), np.zeros(2), Settings())
