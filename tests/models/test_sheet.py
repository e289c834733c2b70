"""A target's scrapes as rows and columns: what is decided in a row holds from there on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import Bank
from models.batch import Batch
from models.runs import Runs
from models.sheet import Look, Sheet

TIMES = np.array([100.0, 115.0, 130.0])


def sheet_of(*columns: tuple[int, ...]) -> Sheet:
    """Series of one target that have a sample in these rows, each rising by 1 a row."""
    bank = Bank(step=15.0, gap=60.0)
    group = bank.add_group(bank.add_target())
    names = np.array([bank.add(0, group) for _ in columns])
    series = np.repeat(names, [len(rows) for rows in columns])
    rows = np.concatenate([np.array(rows) for rows in columns])
    batch = Batch.of(bank, series, TIMES[rows], 10.0 * series + rows)
    return Sheet(bank, batch, 0, Runs(names, batch.first, batch.ends))


def test_a_row_shows_the_series_that_are_there() -> None:
    """A counter that is away would seem to have fallen to what another one shows."""
    look = Look(sheet_of((0, 1, 2), (0, 2)), 1)
    assert (look.column.tolist(), look.x.tolist(), look.now) == ([0], [11.0], 115.0)


def test_what_was_never_seen_is_fresh() -> None:
    """A first value would be counted as a rise from nothing."""
    sheet = sheet_of((0, 1, 2), (1, 2))
    assert Look(sheet, 1).fresh.tolist() == [False, True]


@given(st.integers(0, 2), st.lists(st.booleans(), min_size=2, max_size=2), st.booleans())
def test_a_decision_holds_from_its_row_on(row: int, which: list[bool], side_by_side: bool) -> None:
    """Growth after a restart would be measured against what was before it, or all but once."""
    sheet = sheet_of((0, 1, 2), (0, 1, 2))
    if not side_by_side:
        sheet.block = None
    batch, chosen = sheet.batch, np.array(which)
    before = batch.offset.copy()
    look = Look(sheet, row)
    sheet.decide(look, chosen, np.array([7.0, 8.0]), np.array([1.0, 2.0]), 99.0)
    for column, (is_chosen, offset, c0) in enumerate(
        zip(which, (7.0, 8.0), (1.0, 2.0), strict=True)
    ):
        at = sheet.at[:, column]
        assert (batch.offset[at[:row]] == before[at[:row]]).all()
        if is_chosen:
            assert (batch.offset[at[row:]] == offset).all()
            assert (batch.c0[at[row + 1 :]] == batch.last[at[row + 1 :]] + offset).all()
            assert (batch.c0[at[row]], batch.t0[at[row]]) == (c0, 99.0)
        else:
            assert (batch.offset[at] == before[at]).all()


def test_the_growth_of_a_group_is_that_of_its_series() -> None:
    """The rate that a restart is judged by would miss a child, or count one that is away."""
    sheet = sheet_of((0, 1, 2), (0, 2))
    assert sheet.growth(np.array([1, 2])).tolist() == [[1.0, 1.0 + 2.0]]


@pytest.mark.parametrize(("stopped", "covered"), [(None, 45.0), (1, 30.0), (2, 30.0)])
def test_a_stopped_clock_leaves_an_interval_out(stopped: int | None, covered: float) -> None:
    """Time in which nobody looked would count as time without an error."""
    sheet = sheet_of((0, 1, 2))
    sheet.previous[0] = 85.0
    sheet.begin_clock(0, 85.0)
    if stopped is not None:
        sheet.stop_clock(stopped)
    found = sheet.clock_segments()
    assert (found.c1 - found.c0).sum() == covered
    assert sheet.bank.offset[sheet.bank.clock[0]] == sheet.clock[-1]
