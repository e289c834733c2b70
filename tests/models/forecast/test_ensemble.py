"""The forecast of one series."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baseline.calendar import HOUR_MS, Calendar
from models.forecast.ensemble import MOST_AHEAD, forecast
from models.forecast.history import DAY_S, HOUR_S, History, ShortHistoryError
from models.forecast.outcome import Floats, Forecast

DAY, WEEK = 24, 168
WEEKS = 8 * WEEK
# A forecast takes tens of milliseconds.
FEW = settings(max_examples=4)
HOUR = np.arange(12 * WEEK)
OF_DAY = 3 * np.sin(2 * np.pi * HOUR / DAY)
OF_WEEK = np.random.default_rng(4).normal(0, 2, WEEK)[HOUR % WEEK]


@cache
def usual(seed: int = 0, *, hours: int = 12 * WEEK, kept: float = 0.6) -> Floats:
    """A day, and noise that depends on what it was."""
    drawn = np.random.default_rng(seed).normal(0, 0.5, hours)
    noise = np.empty(hours)
    now = 0.0
    for hour, one in enumerate(drawn):
        noise[hour] = now = kept * now + one
    made: Floats = 20 + np.resize(OF_DAY, hours) + noise
    made.flags.writeable = False
    return made


def told(values: Floats, ahead: int = 2 * WEEK, **more: object) -> Forecast:
    """What follows these values."""
    return forecast(replace(History(values=values), **more), ahead)  # type: ignore[arg-type]


def finite(one: Forecast) -> bool:
    """Whether all that is told are numbers."""
    paths = one.paths(3, np.random.default_rng(0))
    parts = (one.point, one.errors, paths, one.mase, one.slow, one.memory)
    return all(bool(np.isfinite(part).all()) for part in parts)


# --- What comes again ----------------------------------------------------------------------------


@pytest.mark.parametrize("season", [OF_DAY, OF_WEEK, OF_DAY + OF_WEEK])
def test_what_only_comes_again_is_told_exactly(season: Floats) -> None:
    """A day, a week, or both; and there is no doubt."""
    one = told((10 + season)[:WEEKS])
    assert one.point == pytest.approx((10 + season)[WEEKS : WEEKS + 2 * WEEK], abs=1e-6)
    assert np.abs(one.errors).max() < 1e-6
    assert one.mase < 0.1


@pytest.mark.parametrize("value", [0.0, 5.0, -7.5, 1e9])
def test_a_constant_stays(value: float) -> None:
    """Whatever it is."""
    one = told(np.full(WEEKS, value))
    assert one.point == pytest.approx(np.full(2 * WEEK, value))
    assert finite(one)
    low, high = one.interval(0.9)
    assert one.is_constant
    assert (low <= one.point).all()
    assert (high - one.point).min() > 0.008 * abs(value)
    assert (high - low).min() > 0


def test_growth_goes_on() -> None:
    """A disk that fills by a line, with a day in it."""
    values = 100 + 0.2 * HOUR + OF_DAY
    one = told(values[:WEEKS])
    assert one.point[-DAY:] == pytest.approx(values[WEEKS + 2 * WEEK - DAY :][:DAY], rel=0.02)
    assert max(one.weights, key=lambda name: one.weights[name]).startswith("straight line")


# --- Laws ----------------------------------------------------------------------------------------


@FEW
@given(shift=st.floats(-1e3, 1e3), times=st.floats(1e-3, 1e3), seed=st.integers(0, 20))
def test_a_forecast_goes_with_the_unit_and_the_level(shift: float, times: float, seed: int) -> None:
    """Where nothing ends at zero, and no logarithm sees a level."""
    values = usual(seed)[:WEEKS] - 20
    one, other = told(values, 100), told(shift - 1e4 + times * values, 100)
    assert other.point == pytest.approx(shift - 1e4 + times * one.point, abs=0.02 * times + 1e-5)
    for coverage in (0.5, 0.9):
        wide, wider = (np.ptp(part.interval(coverage), axis=0) for part in (one, other))
        assert wider == pytest.approx(times * wide, rel=0.02, abs=1e-5)
    assert other.mase == pytest.approx(one.mase, rel=0.01)


@FEW
@given(power=st.integers(-30, 30), seed=st.integers(0, 20))
def test_a_positive_series_goes_with_its_unit(power: int, seed: int) -> None:
    """Logarithms as well."""
    values = usual(seed)[:WEEKS]
    one, other = told(values, 50), told(2.0**power * values, 50)
    assert other.point == pytest.approx(2.0**power * one.point, rel=1e-6)
    assert np.allclose(other.errors, 2.0**power * one.errors, rtol=1e-6)
    assert other.weights == pytest.approx(one.weights, abs=1e-6)


def test_the_same_comes_out_twice() -> None:
    """To the last bit."""
    one, same = told(usual()[:WEEKS]), told(usual()[:WEEKS].copy())
    assert (one.point == same.point).all()
    assert (one.errors == same.errors).all()
    assert one.weights == same.weights


def test_the_history_is_not_touched() -> None:
    """Nor are its gaps."""
    values = usual()[:WEEKS].copy()
    values[100:150] = np.nan
    before = values.copy()
    told(values, changes=(500,))
    assert np.array_equal(values, before, equal_nan=True)


def test_weights_are_shares_of_members() -> None:
    """Of those on logarithms too, where there are any."""
    positive, other = told(usual()[:WEEKS], 10).weights, told(usual()[:WEEKS] - 20, 10).weights
    for weights in (positive, other):
        assert sum(weights.values()) == pytest.approx(1)
        assert min(weights.values()) >= 0
    assert set(positive) == set(other) | {name + " (log)" for name in other}


@FEW
@given(chances=st.tuples(st.floats(0, 1), st.floats(0, 1)), seed=st.integers(0, 9))
def test_quantiles_ascend(chances: tuple[float, float], seed: int) -> None:
    """With the probability, at each step."""
    one = told(usual(seed)[:WEEKS], 60)
    low, high = (one.quantile(chance) for chance in sorted(chances))
    assert (low <= high + 1e-9).all()


def test_a_forecast_says_of_when_it_is() -> None:
    """From the end of the history on, gaps there or not."""
    values = usual()[:WEEKS].copy()
    values[-5:] = np.nan
    one = told(values, 7, start_ms=5000)
    assert one.start_ms == 5000 + WEEKS * HOUR_MS
    assert (one.step_s, len(one.point), one.errors.shape[1]) == (HOUR_S, 7, 7)


# --- Intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.0, 0.8])
@pytest.mark.parametrize("ahead", [DAY, 2 * WEEK])
def test_intervals_hold(kept: float, ahead: int) -> None:
    """Nine of ten, on noise of each hour alone and on noise that hangs together."""
    within = []
    for seed in range(6):
        values = usual(seed, kept=kept)
        low, high = told(values[:WEEKS], ahead).interval(0.9)
        came = values[WEEKS : WEEKS + ahead]
        within.append(np.mean((low <= came) & (came <= high)))
    # Of one day, all errors that were tried are few, and more than nine of ten are within.
    assert 0.82 < np.mean(within) < (0.99 if ahead == DAY else 0.97)


def test_intervals_hold_where_half_was_not_measured() -> None:
    """What was not is no error of zero."""
    within = []
    for seed in range(6):
        values = usual(seed)
        past = np.where(np.random.default_rng(seed).random(WEEKS) < 0.5, np.nan, values[:WEEKS])
        low, high = told(past).interval(0.9)
        came = values[WEEKS : WEEKS + 2 * WEEK]
        within.append(np.mean((low <= came) & (came <= high)))
    assert 0.82 < np.mean(within) < 0.97


def test_futures_are_spread_as_intervals_say() -> None:
    """At each step."""
    one = told(usual()[:WEEKS], 48)
    paths = one.paths(3000, np.random.default_rng(1))
    for chance in (0.05, 0.5, 0.95):
        below = (paths <= one.quantile(chance)).mean(axis=0)
        assert below == pytest.approx(np.full(48, chance), abs=0.04)


def test_what_is_farther_ahead_is_less_sure() -> None:
    """A level that wanders, and ninety days of eight weeks."""
    walks = np.random.default_rng(3).normal(0, 0.3, (4, WEEKS)).cumsum(axis=1)
    both = [told(200 + walk, 90 * DAY).interval(0.9) for walk in walks]
    wide = np.mean([high - low for low, high in both], axis=0).reshape(90, DAY).mean(axis=1)
    assert wide[-1] > 1.3 * wide[13]
    assert wide[13] > 1.1 * wide[0]


# --- Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "has"),
    [(0, "0 hours"), (10, "10 hours"), (DAY, "1 day"), (14 * DAY - 1, "13 days")],
)
def test_of_too_little_nothing_is_told(size: int, has: str) -> None:
    """But what is missing."""
    with pytest.raises(ShortHistoryError, match=f"needs 14 days, has {has}$") as error:
        told(usual()[:size], 5)
    assert error.value.needs_s == 14 * DAY_S
    assert error.value.has_s == size * HOUR_S
    assert len(told(usual()[: 14 * DAY], 5).point) == 5


def test_of_nothing_measured_nothing_is_told() -> None:
    """However long it was not; what was not measured does not count."""
    with pytest.raises(ShortHistoryError, match="has 0 hours"):
        told(np.full(WEEKS, np.nan))
    values = np.full(WEEKS, np.nan)
    values[: 13 * DAY] = usual()[: 13 * DAY]
    with pytest.raises(ShortHistoryError, match="has 13 days"):
        told(values)


def test_of_what_went_silent_long_ago_nothing_is_told() -> None:
    """Nobody knows how good a forecast would be; after three weeks there is still a word on it."""
    values = usual()[:WEEKS].copy()
    values[-20 * DAY :] = np.nan
    low, high = told(values).interval(0.9)
    assert np.mean(high - low) > 1.0
    values[-40 * DAY :] = np.nan
    with pytest.raises(ShortHistoryError, match="nothing was measured in the last 40 days"):
        told(values)


@pytest.mark.parametrize("silent", [DAY, 6 * DAY])
def test_a_silence_is_bridged(silent: int) -> None:
    """What follows is told of when it is, by what was before, and as unsure as so far ahead."""
    values = usual()[:WEEKS].copy()
    values[-silent:] = np.nan
    one, sooner = told(values, WEEK), told(values[:-silent], silent + WEEK)
    assert one.start_ms == sooner.start_ms + silent * HOUR_MS
    assert one.silent == silent
    assert (one.point == sooner.point[silent:]).all()
    assert (one.errors == sooner.errors[:, silent:]).all()


def test_after_a_silence_it_is_less_sure() -> None:
    """Of a level that wanders."""
    walks = 200 + np.random.default_rng(3).normal(0, 0.3, (4, WEEKS)).cumsum(axis=1)
    wide = [np.ptp(told(walk, DAY).interval(0.9), axis=0).mean() for walk in walks]
    walks[:, -8 * DAY :] = np.nan
    wider = [np.ptp(told(walk, DAY).interval(0.9), axis=0).mean() for walk in walks]
    assert np.mean(wider) > 1.3 * np.mean(wide)


@pytest.mark.parametrize("at", [0, 700, WEEKS - 1])
def test_the_rubbish_of_a_counter_moves_nothing(at: int) -> None:
    """As if it had not been measured."""
    values, missing = usual()[:WEEKS].copy(), usual()[:WEEKS].copy()
    values[at], missing[at] = 2.0**63, np.nan
    one, other = told(values), told(missing)
    assert one.strays == 1
    assert (one.point == other.point).all()
    assert (one.errors == other.errors).all()


@pytest.mark.parametrize("ahead", [-1, 0, MOST_AHEAD + 1])
def test_a_horizon_is_a_number_of_steps(ahead: int) -> None:
    """Not too many."""
    with pytest.raises(ValueError, match=f"ahead {ahead}: between 1 and {MOST_AHEAD}"):
        told(usual()[:WEEKS], ahead)


@pytest.mark.parametrize("size", [14 * DAY, 17 * DAY + 5])
@pytest.mark.parametrize("ahead", [1, DAY + 1, 90 * DAY])
def test_short_histories_and_long_horizons_are_told(size: int, ahead: int) -> None:
    """About what they were, and never with a width of nothing."""
    one = told(usual()[:size], ahead)
    assert len(one.point) == ahead
    assert finite(one)
    assert 10 < one.point.min() <= one.point.max() < 30
    low, high = one.interval(0.9)
    assert (high - low).min() > 0.3


@FEW
@given(gaps=st.lists(st.tuples(st.integers(0, WEEKS), st.integers(1, 300)), min_size=1, max_size=3))
def test_gaps_change_little(gaps: list[tuple[int, int]]) -> None:
    """Wherever they are; at the end, too."""
    values = usual()[:WEEKS].copy()
    for start, size in gaps:
        values[start : start + size] = np.nan
    one = told(values)
    assert finite(one)
    assert np.abs(one.point - told(usual()[:WEEKS]).point).mean() < 1.0
    low, high = one.interval(0.9)
    assert np.mean(high - low) > 1.0


def test_what_was_not_measured_before_the_first_value_does_not_count() -> None:
    """A series begins there."""
    late = np.concatenate([np.full(3 * WEEK, np.nan), usual()[:WEEKS]])
    one, other = told(usual()[:WEEKS], start_ms=3 * WEEK * HOUR_MS), told(late)
    assert (one.point == other.point).all()
    assert (one.errors == other.errors).all()
    assert one.start_ms == other.start_ms


def test_a_year_with_a_month_lost() -> None:
    """As if it had been there."""
    values = usual(hours=364 * DAY).copy()
    came = told(values, 90 * DAY)
    values[200 * DAY : 230 * DAY] = np.nan
    one = told(values, 90 * DAY)
    assert finite(one)
    assert one.point == pytest.approx(came.point, abs=1.0)


@pytest.mark.parametrize("unit", [1e98, 1e-300, -1e-300, -1e98])
def test_extremes_are_numbers(unit: float) -> None:
    """Of any size that History takes."""
    one = told(unit * usual()[:WEEKS], 100)
    assert finite(one)
    assert one.point / unit == pytest.approx(told(usual()[:WEEKS], 100).point, rel=0.2)


@pytest.mark.parametrize("rare", [0.01, 0.1, 0.5])
def test_counts_that_are_mostly_zero(rare: float) -> None:
    """They stay counts: nothing below zero, and more is possible than the middle."""
    rng = np.random.default_rng(5)
    counts = (rng.random(WEEKS) < rare) * rng.poisson(20, WEEKS).astype(float)
    one = told(counts)
    assert finite(one)
    assert one.floor == 0.0
    assert one.point.min() >= 0
    assert one.paths(50, rng).min() >= 0
    assert one.point.mean() < 20
    assert one.quantile(0.995).max() > 0


def test_negative_values_are_values() -> None:
    """They have no floor."""
    one = told(usual()[:WEEKS] - 20)
    assert one.floor is None
    assert one.point.min() < -2


# --- Bounds, clocks, changes, grids --------------------------------------------------------------


@pytest.mark.parametrize(("floor", "ceiling"), [(None, 21.0), (19.0, None), (19.5, 20.5)])
def test_bounds_are_kept(floor: float | None, ceiling: float | None) -> None:
    """By points, intervals and futures."""
    one = told(usual()[:WEEKS], floor=floor, ceiling=ceiling)
    low = 0.0 if floor is None else floor
    high = np.inf if ceiling is None else ceiling
    for part in (one.point, *one.interval(0.99), one.paths(20, np.random.default_rng(0))):
        assert low <= part.min() <= part.max() <= high
    free = told(usual()[:WEEKS])
    assert (one.point == np.clip(free.point, low, high)).all()


def test_what_fills_up_stops_at_its_limit() -> None:
    """A disk is never more than full."""
    one = told(0.5 * HOUR[:WEEKS] + OF_DAY[:WEEKS] + 10, 30 * DAY, ceiling=800.0)
    assert one.point.max() == 800.0
    assert one.quantile(0.99).max() == 800.0


def instant(text: str) -> int:
    """Unix ms of a time in UTC."""
    return int(np.datetime64(text, "ms").astype(np.int64))


@pytest.mark.parametrize("moved", ["2026-03-29T01:00", "2026-10-25T01:00", "2028-02-29T12:00"])
@pytest.mark.parametrize("ahead_of_it", [-5 * WEEK, 100])
def test_people_keep_their_hours_when_clocks_move(moved: str, ahead_of_it: int) -> None:
    """Forwards or back, in the past or in the horizon; the last is a leap day, and no change."""
    at, leap = instant(moved), moved.startswith("2028")
    by = 0 if leap else HOUR_MS * (1 if "-03-" in moved else -1)
    clocks = Calendar(starts=np.array([0, at]), offsets=np.array([HOUR_MS, HOUR_MS + by]))
    start = at - (WEEKS + ahead_of_it) * HOUR_MS
    history = History(values=np.zeros(WEEKS + 2 * WEEK), start_ms=start, calendar=clocks)
    # A peak at nine o'clock on the wall, less on a weekend.
    slots = history.of_week()
    lived = 10 + 5.0 * (slots % DAY == 9) * np.where(slots >= 5 * DAY, 0.4, 1.0)
    one = forecast(replace(history, values=lived[:WEEKS]), 2 * WEEK)
    off = np.abs(one.point - lived[WEEKS:])
    assert off.mean() < 0.15
    assert np.flatnonzero(one.point > 11).tolist() == np.flatnonzero(lived[WEEKS:] > 11).tolist()


def test_a_holiday_ahead_is_told_as_a_sunday() -> None:
    """A Wednesday of the second week."""
    start = instant("2026-01-05")
    holiday = instant("2026-03-11") // (DAY * HOUR_MS)
    slots = HOUR % WEEK
    lived = 10 - 4.0 * (slots >= 6 * DAY) + 0.1 * np.random.default_rng(1).normal(0, 1, len(HOUR))
    history = History(values=lived[:WEEKS], start_ms=start)
    free = replace(history, calendar=Calendar(holidays=np.array([holiday])))
    day = slice(9 * DAY, 10 * DAY)
    usually, off = forecast(history, 2 * WEEK).point, forecast(free, 2 * WEEK).point
    assert usually[day].mean() == pytest.approx(10, abs=0.5)
    assert off[day].mean() < 8
    assert off[: 8 * DAY] == pytest.approx(usually[: 8 * DAY], abs=0.2)


@pytest.mark.parametrize("size", [12.0, -8.0])
@pytest.mark.parametrize("ago", [2 * DAY, 10 * DAY])
def test_a_known_change_is_a_step_and_no_trend(size: float, ago: int) -> None:
    """It stays, and nothing grows; what it moved is told."""
    at = WEEKS - ago
    values = usual() + size * (at <= HOUR)
    one = told(values[:WEEKS], 4 * WEEK, changes=(at,))
    assert one.shifts == {at: pytest.approx(size, abs=2)}
    assert one.point[:WEEK].mean() == pytest.approx(20 + size, abs=1)
    assert one.point[-WEEK:].mean() == pytest.approx(20 + size, abs=1)
    still = told(usual()[:WEEKS], 4 * WEEK)
    wide, calm = (np.mean(np.ptp(part.interval(0.9), axis=0)) for part in (one, still))
    assert wide == pytest.approx(calm, rel=0.5)


def test_a_change_that_nobody_told_costs_certainty() -> None:
    """More than a known one does."""
    at = WEEKS - 12 * DAY
    values = (usual() + 12 * (at <= HOUR))[:WEEKS]
    untold, known = told(values), told(values, changes=(at,))
    wide, narrow = (np.mean(np.ptp(one.interval(0.9), axis=0)) for one in (untold, known))
    assert wide > 1.5 * narrow
    assert untold.shifts == {}


def test_a_change_before_the_first_value_is_none() -> None:
    """It moved nothing that is known."""
    values = usual()[:WEEKS].copy()
    values[:500] = np.nan
    assert (told(values, changes=(400, 500)).point == told(values).point).all()


@pytest.mark.parametrize(
    ("step_s", "days", "ahead"),
    [(300, 21, 288), (900, 28, 96 * 3), (6 * HOUR_S, 56, 40), (12 * HOUR_S, 56, 28)],
)
def test_other_grids_are_told(step_s: int, days: int, ahead: int) -> None:
    """Five minutes to half a day."""
    day = DAY_S // step_s
    shape = np.sin(2 * np.pi * (np.arange(days * day + ahead) + 0.5) / day)
    noise = np.random.default_rng(1).normal(0, 0.1, len(shape))
    one = told((10 + 3 * shape + noise)[: days * day], ahead, step_s=step_s)
    assert one.step_s == step_s
    assert finite(one)
    assert np.abs(one.point - (10 + 3 * shape)[-ahead:]).mean() < 0.2


@pytest.mark.parametrize("days", [14, 30, 90])
@pytest.mark.parametrize("ahead", [1, 90])
def test_days_are_told(days: int, ahead: int) -> None:
    """A grid of one step a day."""
    week = np.array([5.0, 5, 5, 5, 5, 2, 1])
    values = 50 + np.resize(week, days) + np.random.default_rng(2).normal(0, 0.2, days)
    one = told(values, ahead, step_s=DAY_S)
    assert finite(one)
    came = 50 + np.resize(np.roll(week, -(days % 7)), ahead)
    assert np.abs(one.point - came).mean() < (3.0 if days < 30 else 1.2)
