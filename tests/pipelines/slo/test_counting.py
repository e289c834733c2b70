"""What counters grew, over restarts, births and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from detector.errors import InputError
from detector.series import Answer, Query, Series
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Counted
from pipelines.slo.counting import STEP_S, counts_in

BAD, ALL = Query("bad_total"), Query("all_total")
INDICATOR = Counted(total=ALL, part=BAD, part_is_good=False)


class Outlined:
    """A source that has the course of some counters, by metric."""

    def __init__(self, **courses: list[list[float | None]]) -> None:
        self.courses = courses

    def outline(
        self, queries: list[Query], start: float, end: float, *, step_s: float, timeout_s: float
    ) -> list[Answer]:
        return [Answer(series=[_series(c) for c in self.courses[q.metric]]) for q in queries]


def _series(course: list[float | None]) -> Series:
    told = [(at * STEP_S, value) for at, value in enumerate(course) if value is not None]
    times, values = (np.array(part, float) for part in zip(*told, strict=True))
    return Series(labels={}, times=times, values=values)


def counted(bins: int, **courses: list[list[float | None]]) -> Counts:
    found = counts_in(Outlined(**courses), INDICATOR, 0.0, bins * STEP_S, timeout_s=1.0)
    assert isinstance(found, Counts)
    return found


def test_a_restart_counts_from_zero() -> None:
    """It does not take away what was there."""
    found = counted(3, bad_total=[[0, 1, 0, 2]], all_total=[[100, 200, 50, 80]])
    assert (found.total.tolist(), found.bad.tolist()) == ([100, 50, 30], [1, 0, 2])


def test_the_first_failure_of_a_pod_is_counted() -> None:
    """Its counter appears with it, at one."""
    found = counted(2, bad_total=[[None, 1, 1]], all_total=[[100, 200, 300]])
    assert found.bad.tolist() == [1, 0]


def test_nothing_failed_where_no_counter_of_failures_is() -> None:
    """As long as requests are counted."""
    assert counted(2, bad_total=[], all_total=[[1, 2, 3]]).bad.tolist() == [0, 0]


def test_a_gap_is_unknown() -> None:
    """A source that was down is not a quiet service."""
    found = counted(3, bad_total=[], all_total=[[1, 2, None, 4]])
    assert np.isnan(found.total).tolist() == [False, True, True]


def test_without_any_series_there_is_no_data() -> None:
    """A misspelt query is no fine service."""
    found = counts_in(Outlined(bad_total=[], all_total=[]), INDICATOR, 0.0, STEP_S, timeout_s=1.0)
    assert found is Flaw.NO_DATA


def test_a_source_that_cannot_tell() -> None:
    """It is said at once."""
    with pytest.raises(InputError, match="course of series"):
        counts_in(object(), INDICATOR, 0.0, STEP_S, timeout_s=1.0)
