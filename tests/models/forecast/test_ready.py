"""A series made ready: from its first value on, gaps filled, known changes taken out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forecast.history import History, ShortHistoryError
from models.forecast.ready import LEAST_DAYS, ready_of

DAY, WEEKS = 24, 5 * 168


def series(hours: int = WEEKS) -> np.ndarray:
    """A day that comes again, with a little noise."""
    at = np.arange(hours)
    return 10 + np.sin(2 * np.pi * at / DAY) + np.random.default_rng(1).normal(0, 0.05, hours)


@given(st.integers(0, 300), st.integers(1, 100))
@settings(max_examples=20)
def test_it_begins_with_what_was_first_measured(missing: int, ahead: int) -> None:
    """What was not measured before is no gap."""
    values = np.concatenate([np.full(missing, np.nan), series()])
    ready = ready_of(History(values=values), ahead)
    assert np.array_equal(ready.values, series())
    assert ready.known.all()
    assert len(ready.slots) == WEEKS + ahead
    assert ready.slots[0] == History(values=values).of_week()[missing]


@given(st.integers(1, WEEKS - 60), st.integers(1, 48))
@settings(max_examples=20)
def test_a_gap_is_filled_and_known_as_one(start: int, length: int) -> None:
    """By about what was there; nothing else is touched."""
    values = series()
    values[start : start + length] = np.nan
    ready = ready_of(History(values=values), 24)
    # A day or more at the end is bridged, and is no gap.
    size = len(ready.values)
    assert size == (start if start + length >= WEEKS and WEEKS - start >= DAY else WEEKS)
    values, usual = values[:size], series()[:size]
    assert np.array_equal(np.isnan(values), ~ready.known)
    assert np.array_equal(ready.values[ready.known], values[ready.known])
    assert np.abs(ready.values - usual)[~ready.known].max(initial=0) < 0.6


@pytest.mark.parametrize("missing", [0, 100])
def test_a_known_change_is_a_step(missing: int) -> None:
    """Told at its place in the history, and taken out of what was before it."""
    moved = series() + np.where(np.arange(WEEKS) >= 400, 5.0, 0.0)
    values = np.concatenate([np.full(missing, np.nan), moved])
    ready = ready_of(History(values=values, changes=(400 + missing,)), 24)
    ((place, size),) = ready.shifts.items()
    assert place == 400 + missing
    assert size == pytest.approx(5.0, abs=0.1)
    assert np.abs(ready.values - series() - 5.0).max() < 0.2


def test_a_change_before_the_first_value_moved_nothing() -> None:
    """There is nothing that it could have moved."""
    values = np.concatenate([np.full(50, np.nan), series()])
    assert ready_of(History(values=values, changes=(20,)), 24).shifts == {}


@pytest.mark.parametrize("days", [0, 1, LEAST_DAYS - 1])
def test_too_little_is_told(days: int) -> None:
    """With what it needs, and what there is."""
    with pytest.raises(ShortHistoryError, match="not enough history: needs 14 days, has") as told:
        ready_of(History(values=series(days * DAY)), 24)
    assert (told.value.needs_s, told.value.has_s) == (LEAST_DAYS * 86_400, days * 86_400)


def test_two_weeks_are_enough() -> None:
    """The least that is."""
    assert ready_of(History(values=series(LEAST_DAYS * DAY)), 24).day == DAY


@given(st.integers(DAY, 20 * DAY), st.integers(1, 100))
@settings(max_examples=20)
def test_a_silence_at_the_end_is_no_gap(silent: int, ahead: int) -> None:
    """It is told how long it was; the clock goes on in it."""
    values = series(6 * 168)
    values[-silent:] = np.nan
    whole = History(values=values)
    if silent > len(values) - silent:
        return
    ready = ready_of(whole, ahead)
    assert (ready.silent, len(ready.values)) == (silent, len(values) - silent)
    assert ready.known.all()
    assert np.array_equal(ready.slots, whole.of_week(ahead))


@pytest.mark.parametrize(("days", "silent"), [(70, 29), (40, 21)])
def test_a_silence_that_is_too_long_is_told(days: int, silent: int) -> None:
    """Over four weeks, or longer than what was measured before."""
    values = series(days * DAY)
    values[-silent * DAY :] = np.nan
    with pytest.raises(ShortHistoryError) as told:
        ready_of(History(values=values), 24)
    assert str(told.value) == (
        f"nothing was measured in the last {silent} days: too long to be bridged"
    )


def test_a_change_in_a_silence_moved_nothing() -> None:
    """Nobody has seen what it did."""
    values = series()
    values[-3 * DAY :] = np.nan
    assert ready_of(History(values=values, changes=(WEEKS - DAY,)), 24).shifts == {}


def test_rubbish_is_left_out_and_counted() -> None:
    """As if it had not been measured."""
    values = series()
    values[300] = 2.0**63
    ready = ready_of(History(values=values), 24)
    assert ready.strays == 1
    assert np.flatnonzero(~ready.known).tolist() == [300]
    assert np.abs(ready.values - series()).max() < 0.6
