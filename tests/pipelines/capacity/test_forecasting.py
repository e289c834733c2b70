"""The forecast of one query: its past, its known changes, and honest refusals."""

from __future__ import annotations

import numpy as np
import pytest

from detector.capacity.packs import Fold
from detector.errors import InputError, SourceError
from detector.series import Answer, FloatArray
from pipelines.capacity.forecasting import Foretold, Past, foretold
from tests.pipelines.capacity.faked import TableRanges, steady

NOW = 3600 * 500_000.0
DAY = 86_400


def daily(times: FloatArray) -> FloatArray:
    """A day like the other."""
    return 100 + 20 * np.sin(2 * np.pi * times / DAY)


def ended(times: FloatArray) -> FloatArray:
    """Something that was turned off thirty days ago."""
    return np.where(times < NOW - 30 * DAY, 7.0, np.nan)


def quiet(times: FloatArray) -> FloatArray:
    """Something that nobody could see for the last five days."""
    return np.where(times < NOW - 5 * DAY, daily(times), np.nan)


def broken(times: FloatArray) -> FloatArray:
    """Something of which one hour was read wrongly, and four days were not."""
    read = np.where(times == NOW - 7 * DAY, 2.0**63, daily(times))
    return np.where(np.abs(times - NOW + 20 * DAY) < 2 * DAY, np.nan, read)


TABLE = TableRanges(
    {
        "daily": {(): daily},
        "ended": {(): ended},
        "quiet": {(): quiet},
        "broken": {(): broken},
        "flat": {(): steady(3.0)},
    }
)


def asked(query: str, *, ahead_days: int = 3, **past: object) -> Foretold:
    """What it will be."""
    told = Past(as_of=NOW, **{"days": 42, **past})  # type: ignore[arg-type]
    return foretold(TABLE, query, told, ahead_s=ahead_days * DAY, timeout_s=5)


def test_a_rhythm_goes_on() -> None:
    """Hour by hour, from the end of what was measured."""
    found = asked("daily").forecast
    assert found is not None
    assert len(found.point) == 72
    at = found.start_ms / 1000 + 3600 * np.arange(1, 73, dtype=np.float64)
    assert np.abs(found.point / daily(at) - 1).max() < 0.05


def test_days_are_foretold_by_days() -> None:
    """Where the past is long."""
    told = asked("daily", days=200, ahead_days=30, fold=Fold.MAX)
    assert told.history.step_s == DAY
    assert told.forecast is not None
    assert len(told.forecast.point) == 30


def test_known_changes_are_marked() -> None:
    """In the step in which they were; those outside of the past are none."""
    begin = NOW - 42 * DAY
    changes = [round(1000 * (begin + 10 * DAY + 60)), 5, round(1000 * (NOW + DAY))]
    assert asked("daily", changes=changes).history.changes == (240,)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("gone", "nothing was measured"),
        ("ended", "nothing was measured in the last 30 days: too long to be bridged"),
    ],
)
def test_what_is_not_measured_is_not_foretold(query: str, told: str) -> None:
    """No confident line from what has ended."""
    found = asked(query, days=80)
    assert (found.forecast, found.problem) == (None, told)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("daily", ()),
        (
            "quiet",
            (
                (
                    "Nothing was measured in the last 5 days: it is taken to have gone on, and the"
                    " intervals are wider."
                ),
            ),
        ),
        (
            "broken",
            (
                "1 value beyond all measure was left out.",
                "Nothing is known of 4 days in a row; they are filled by what is usual.",
            ),
        ),
    ],
)
def test_what_a_forecast_rests_on_is_told(query: str, told: tuple[str, ...]) -> None:
    """And it is as right as if nothing had been lost."""
    found = asked(query)
    assert found.assumptions == told
    assert found.forecast is not None
    at = NOW + 3600 * np.arange(1, 73, dtype=np.float64)
    assert np.abs(found.forecast.point / daily(at) - 1).max() < 0.06


def test_what_never_moved_is_no_confident_line() -> None:
    """It says so, and has a width."""
    found = asked("flat")
    assert found.assumptions[0].startswith("It was the same for all of 42 days: nothing is known")
    assert found.forecast is not None
    low, high = found.forecast.interval(0.9)
    assert (high - low).min() > 0.05


def test_a_short_past_is_refused_with_what_it_needs() -> None:
    """Four days of history make no week."""
    table = TableRanges({"a": {(): lambda times: np.where(times > NOW - 4 * DAY, 1.0, np.nan)}})
    told = foretold(table, "a", Past(as_of=NOW), ahead_s=DAY, timeout_s=5)
    assert told.forecast is None
    assert "not enough history: needs " in (told.problem or "")


def test_a_query_that_is_refused_is_the_caller_s() -> None:
    """It can be mended; a source that is away cannot."""

    class Refusing(TableRanges):
        def ranged(
            self, query: str, start: float, end: float, *, step_s: float, timeout_s: float
        ) -> Answer:
            raise SourceError("parse error", code=self.code, retryable=self.retryable)

        code, retryable = "query_rejected", False

    source = Refusing({})
    with pytest.raises(InputError, match="parse error"):
        foretold(source, "a", Past(as_of=NOW), ahead_s=DAY, timeout_s=5)
    source.code, source.retryable = "source_unavailable", True
    with pytest.raises(SourceError):
        foretold(source, "a", Past(as_of=NOW), ahead_s=DAY, timeout_s=5)
