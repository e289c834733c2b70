"""What a forecast rests on, in words."""

from __future__ import annotations

import numpy as np
import pytest

from detector.capacity.doubts import doubts_of
from models.forecast.history import DAY_S, History
from models.forecast.outcome import LEVELS, Forecast

HOURS = np.sin(np.arange(60.0 * 24))


def told(values: np.ndarray, *, step_s: int = 3600, **more: object) -> tuple[str, ...]:
    """Of a forecast of which only this is asked."""
    forecast = Forecast(
        start_ms=0,
        step_s=step_s,
        point=np.zeros(1),
        errors=np.zeros((len(LEVELS), 1)),
        **more,  # type: ignore[arg-type]
    )
    return doubts_of(History(values=values, step_s=step_s), forecast)


def test_of_what_is_known_well_there_is_no_word() -> None:
    """Single hours are missing everywhere."""
    values = HOURS.copy()
    values[::50] = np.nan
    assert told(values) == ()


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 value beyond all measure was"), (3, "3 values beyond all measure")]
)
def test_what_was_left_out_is_counted(count: int, words: str) -> None:
    """So that somebody looks for what wrote it."""
    (sentence,) = told(HOURS, strays=count)
    assert sentence.startswith(words)


def test_a_silence_is_told_by_its_days() -> None:
    """On a grid of days, too."""
    assert "in the last 4 days:" in told(HOURS, silent=96)[0]
    assert "in the last 4 days:" in told(HOURS[:90], step_s=DAY_S, silent=4)[0]


def test_a_gap_within_is_told_from_three_days_on() -> None:
    """The longest of them."""
    values = HOURS.copy()
    values[100:150] = np.nan
    assert told(values) == ()
    values[600 : 600 + 30 * 24] = np.nan
    assert told(values)[0] == (
        "Nothing is known of 30 days in a row; they are filled by what is usual."
    )


def test_what_was_not_measured_at_first_is_no_gap() -> None:
    """A series begins with its first value."""
    assert told(np.r_[np.full(20 * 24, np.nan), HOURS]) == ()


def test_a_short_past_is_told() -> None:
    """Below four weeks."""
    assert told(HOURS[: 16 * 24]) == (
        "There are 16 days of history only, so the intervals are rough.",
    )
    assert told(HOURS[: 28 * 24]) == ()


def test_a_constant_is_told_as_what_it_is() -> None:
    """Nobody should take its width for what is known."""
    (sentence,) = told(np.ones(40 * 24), is_constant=True)
    assert sentence == (
        "It was the same for all of 40 days: nothing is known of how it changes, and the intervals"
        " are only about a hundredth of it."
    )
