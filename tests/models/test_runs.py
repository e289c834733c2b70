"""At which times any of several series has a sample."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.runs import Runs

TIMES = st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True).map(sorted)


def runs_of(times: list[list[int]]) -> tuple[Runs, np.ndarray]:
    ends = np.cumsum([len(part) for part in times])
    begins = ends - [len(part) for part in times]
    return Runs(np.arange(len(times)), begins, ends), np.array(
        [t for part in times for t in part], dtype=float
    )


def check(times: list[list[int]]) -> slice | None:
    runs, flat = runs_of(times)
    rows, at, block = runs.united(flat)
    assert rows.tolist() == sorted({float(t) for part in times for t in part})
    for column, part in enumerate(times):
        there = at[:, column] >= 0
        assert rows[there].tolist() == part
        assert flat[at[there, column]].tolist() == part
    return block


@given(st.lists(TIMES, min_size=1, max_size=4))
def test_each_sample_is_found_in_its_row(times: list[list[int]]) -> None:
    """A scrape would be taken for two, or a series for absent."""
    check(times)


@given(TIMES, st.integers(1, 4))
def test_series_of_the_same_times_are_one_block(times: list[int], count: int) -> None:
    """A first look at two hours of history would go series by series."""
    assert check([times] * count) == slice(0, count * len(times))


def test_series_of_as_many_but_other_times_are_no_block() -> None:
    """The one's samples would be taken at the other's times."""
    assert check([[1, 2, 3], [1, 2, 4]]) is None


def test_a_series_born_late_is_no_block() -> None:
    """It has no sample where its siblings began."""
    assert check([[1, 2, 3], [2, 3]]) is None
