"""What the profile does to scores: weekdays, holidays, clocks that change, absurd numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.score import step
from models.anomaly.scored import Scored, Settings
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar, local_ms
from models.baseline.layout import Cold, Hot
from models.baseline.state import State
from tests.models.anomaly.samples import MINUTE, MONDAY, apart, beside, scored, some

STEP = 10 * MINUTE
A_DAY = DAY_MS // STEP
WEEKS = 6
TIMES = MONDAY + STEP * np.arange(7 * WEEKS * A_DAY, dtype=np.int64)
# The Wednesday of the last week, as a place among the samples and as a day since 1970.
WEDNESDAY = (7 * (WEEKS - 1) + 2) * A_DAY
HOLIDAY = int(TIMES[WEDNESDAY] // DAY_MS)
WORK = range(5)


def office(calendar: Calendar, *, days: range = WORK, seed: int = 3) -> NDArray[np.float64]:
    """Requests of people at work: 100 from 8 to 18 by the clock on their wall, else 20."""
    local = local_ms(TIMES, calendar)
    hour, weekday = local // HOUR_MS % 24, (local // DAY_MS + 3) % 7
    is_busy = np.isin(weekday, list(days)) & (hour >= 8) & (hour < 18)
    noise = np.random.default_rng(seed).normal(0.0, 2.0, len(TIMES))
    return np.asarray(20.0 + 80.0 * is_busy + noise)


def day_off(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same, but that Wednesday goes like the Sunday before it."""
    quiet = value.copy()
    quiet[WEDNESDAY : WEDNESDAY + A_DAY] = value[WEDNESDAY - 3 * A_DAY : WEDNESDAY - 2 * A_DAY]
    return quiet


def judged(value: NDArray[np.float64], calendar: Calendar) -> Scored:
    """Scores of six weeks of one series."""
    return scored(beside(value, every=STEP), settings=Settings(calendar=calendar))[1]


def most(found: Scored, first: int) -> float:
    """The greatest surprise of a day."""
    return float(found.surprise[first : first + A_DAY].max())


def miss(found: Scored, first: int) -> float:
    """How far off the expected values of a day were, on average."""
    day = slice(first, first + A_DAY)
    return float(np.abs(found.value[day] - found.expected[day]).mean())


@given(st.integers(0, 2**32 - 1))
def test_a_holiday_that_was_told_is_never_more_surprising_than_one_that_was_not(seed: int) -> None:
    """Every service would alarm on the morning of a day off that everybody knew of."""
    value = day_off(office(Calendar(), seed=seed))
    told = judged(value, Calendar(holidays=np.array([HOLIDAY])))
    untold = judged(value, Calendar())
    assert most(told, WEDNESDAY) < most(untold, WEDNESDAY)
    assert miss(told, WEDNESDAY) < miss(untold, WEDNESDAY) / 2


def test_work_on_a_holiday_is_a_surprise() -> None:
    """A batch that runs on a day off, when nobody is there, would be taken for a working day."""
    busy = judged(office(Calendar()), Calendar(holidays=np.array([HOLIDAY])))
    usual = judged(office(Calendar()), Calendar())
    assert most(usual, WEDNESDAY) < 0.0
    assert most(busy, WEDNESDAY) > 0.8


def test_a_holiday_changes_no_score_before_it() -> None:
    """A calendar that is told a year ahead would change what is said today."""
    value = day_off(office(Calendar()))
    told = judged(value, Calendar(holidays=np.array([HOLIDAY])))
    untold = judged(value, Calendar())
    before = slice(0, WEDNESDAY - HOUR_MS // STEP)
    assert told.surprise[before].tobytes() == untold.surprise[before].tobytes()


def test_a_holiday_does_not_teach_its_weekday() -> None:
    """The Wednesday after Christmas would be expected to be as empty as Christmas."""
    state = {}
    for name, holidays in (("told", [HOLIDAY]), ("untold", [])):
        calendar = Calendar(holidays=np.array(holidays, dtype=np.int64))
        value = day_off(office(Calendar()))
        state[name], _ = scored(beside(value, every=STEP), settings=Settings(calendar=calendar))
    noon = 24 + 24 * 2 + 12
    assert int(state["untold"].profile[0, noon]) < int(state["told"].profile[0, noon])


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_when_clocks_change_the_hours_of_work_go_with_them(hours: int) -> None:
    """Twice a year every office would be an hour of alarms early or late."""
    monday = (WEEKS - 2) * 7 * A_DAY
    starts = np.array([0, TIMES[monday] - DAY_MS])
    calendar = Calendar(starts=starts, offsets=np.array([2, 2 + hours]) * HOUR_MS)
    value = office(calendar, days=range(7))
    known, unknown = judged(value, calendar), judged(value, Calendar())
    assert miss(known, monday - A_DAY) < miss(unknown, monday - A_DAY)
    assert miss(known, monday) < 1.2 * miss(known, monday - 7 * A_DAY)


def test_a_weekend_is_expected_after_some_of_them() -> None:
    """Each Saturday would be an outage of whatever people use at work."""
    found = judged(office(Calendar()), Calendar())
    first, last = miss(found, 5 * A_DAY), miss(found, ((WEEKS - 1) * 7 + 5) * A_DAY)
    assert last < first / 2


def test_an_hour_without_samples_leaves_the_profile_as_it_was() -> None:
    """A scrape that fails each night would erase the nights."""
    whole = scored(beside(office(Calendar()), every=STEP))[0]
    gone = (TIMES // HOUR_MS % 24 == 3) & (np.arange(len(TIMES)) >= WEDNESDAY)
    samples = beside(office(Calendar()), every=STEP)
    holed = scored(some(samples, ~gone))[0]
    thursday_at_three = 24 + 24 * 3 + 3
    untouched = scored(some(samples, slice(WEDNESDAY + 1)))[0]
    assert holed.profile[0, thursday_at_three] == untouched.profile[0, thursday_at_three]
    assert whole.profile[0, thursday_at_three] != untouched.profile[0, thursday_at_three]


def finite(state: State) -> bool:
    """Whether every number of a state is one."""
    return bool(np.isfinite(state.hot).all() and np.isfinite(state.cold).all())


def test_a_coarser_unit_leaves_every_other_hour_what_it_was() -> None:
    """One night of a burst would double what is expected of each other hour of the week."""
    state, _ = scored(beside(office(Calendar()), every=STEP))
    unit, profile = float(state.cold[0, Cold.UNIT]), state.profile[0].astype(np.float64)
    # An hour teaches no more than a sample's reach: this one's is wide.
    state.hot[0, Hot.WIDE_EDGE] *= 1e4
    burst = beside([1e7] * 6 + [20.0] * 2, start=int(TIMES[-1]) + STEP, every=STEP)
    step(state, *burst, Settings())
    coarse = float(state.cold[0, Cold.UNIT])
    off = np.abs(state.profile[0] * coarse - profile * unit)
    assert coarse == 2 * unit
    # Learned meanwhile: the hour before the burst and its own, of the day and of the week.
    assert int((off > coarse).sum()) <= 4


def nights(usual: float, odd: list[float]) -> NDArray[np.float64]:
    """A constant series but for the first hour of some days."""
    days = np.full((len(odd) + 2, A_DAY), usual)
    days[2:, :6] = np.array(odd)[:, None]
    return days.ravel()


@given(st.floats(-1e30, 1e30), st.lists(st.floats(width=64), min_size=1, max_size=8))
@example(0.0, [1e25, 1e25, 1e25, 0.0])
@example(0.0, [1e25, -1e25, 1e25, -1e25, 1e25])
def test_any_hours_at_all_leave_a_profile_that_is_finite(usual: float, odd: list[float]) -> None:
    """A sum that overflowed once would be believed for ever, or be no number ever after."""
    state, found = scored(beside(nights(usual, odd), every=STEP))
    assert finite(state)
    assert np.isfinite(found.surprise).all()


def test_what_no_number_could_be_is_learned_alike_and_forgotten() -> None:
    """A counter's underflow in a gauge that is 0 else, night after night, would blind it."""
    differs, found = apart(beside(nights(0.0, [1e25, -1e25, 1e25, -1e25]), every=STEP))
    assert differs == []
    assert np.isfinite(found.expected[-A_DAY // 2 :]).all()
    assert np.abs(found.expected[-A_DAY // 2 :]).max() < 1.0
