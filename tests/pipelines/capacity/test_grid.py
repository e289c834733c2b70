"""Hours and days: aligned, and nothing is told of an hour that was not said of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.packs import Fold
from detector.errors import SourceError
from detector.series import Answer, Series
from pipelines.capacity.grid import Grid, folded, grid_of, rows_of, whole

GRID = Grid(end=10 * 3600, step_s=3600, count=4)


def answered(*values: float, labels: dict[str, str] | None = None) -> Answer:
    """An answer at the ends of the grid's bins."""
    return Answer(
        series=[
            Series(labels=labels or {}, times=GRID.ends[: len(values)], values=np.array(values))
        ]
    )


@given(st.floats(1e9, 3e9), st.integers(1, 400))
def test_a_grid_ends_with_the_last_whole_step(as_of: float, days: int) -> None:
    """No bin is told of before it is over."""
    grid = grid_of(as_of, days)
    assert grid.end <= as_of < grid.end + grid.step_s
    assert grid.end % grid.step_s == 0
    assert grid.count * grid.step_s == days * 86_400
    assert (grid.step_s == 3600) is (days <= 90)


@pytest.mark.parametrize(
    ("fold", "step_s", "told"),
    [
        (Fold.MEAN, 3600, "avg_over_time((a)[3600s:300s])"),
        (Fold.MIN, 86_400, "min_over_time((a)[86400s:900s])"),
    ],
)
def test_a_bin_is_told_by_its_fold(fold: Fold, step_s: int, told: str) -> None:
    """The heap's lowest, a pool's highest."""
    assert folded("a", fold, step_s) == told


def test_what_is_no_amount_is_missing() -> None:
    """A negative counter, or infinitely much, is nothing that could run out."""
    (row,) = rows_of(answered(1.0, -1.0, np.inf, np.nan), GRID).values()
    np.testing.assert_array_equal(row, [1.0, np.nan, np.nan, np.nan])


def test_what_is_outside_of_the_grid_is_left_out() -> None:
    """A source that answers more than it was asked for shifts nothing."""
    times = np.array([GRID.start, GRID.start + 3600.0, GRID.end + 3600.0])
    answer = Answer(series=[Series(labels={}, times=times, values=np.ones(3))])
    (row,) = rows_of(answer, GRID).values()
    np.testing.assert_array_equal(row, [1.0, np.nan, np.nan, np.nan])


def test_series_are_told_by_labels_that_say_something() -> None:
    """A name that a function left, and empty labels, tell no resources apart."""
    labels = {"__name__": "a", "pod": "", "job": "x"}
    assert list(rows_of(answered(1.0, labels=labels), GRID)) == [frozenset({("job", "x")})]


def test_what_may_be_partial_is_no_answer() -> None:
    """A store of Thanos that is away hides no limit."""
    with pytest.raises(SourceError, match="may be missing: a store is away"):
        whole(Answer(series=(), warnings=("a store is away",)))
    assert whole(answered(1.0)).series[0].values.tolist() == [1.0]


@given(st.lists(st.floats(0, 1e12), min_size=4, max_size=4))
def test_amounts_stay_where_they_were(values: list[float]) -> None:
    """The first value is of the first bin, and so on."""
    (row,) = rows_of(answered(*values), GRID).values()
    np.testing.assert_array_equal(row, values)
