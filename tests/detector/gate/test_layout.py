"""Cells to rows of a frame: every cell counts once, in the order of the cells."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.gate.layout import Sum

ROWS = st.lists(st.integers(0, 3), max_size=9)
SIZE, BINS = 4, 3


def laid(rows: list[int], before: int) -> tuple[Sum, NDArray[np.float64], NDArray[np.float64]]:
    """A sum of cells of some rows after others were laid out; its cells, and all that is gathered.

    Cells are numbered backwards, so that none lies where its number says.
    """
    held = np.arange(1.0, (len(rows) + before) * BINS + 1).reshape(-1, BINS) ** 1.7
    numbers = np.arange(len(rows))[::-1].astype(np.int64)
    gathered = [np.arange(len(rows), len(rows) + before)]
    found = Sum(np.array(rows, np.int64), numbers, SIZE, gathered)
    return found, held[numbers], held[np.concatenate(gathered)]


@given(ROWS, st.integers(0, 2))
def test_each_cell_is_added_to_its_row(rows: list[int], before: int) -> None:
    """A pod's requests would be lost, counted twice, or another's."""
    found, cells, gathered = laid(rows, before)
    wanted = np.zeros((SIZE, BINS))
    for row, cell in zip(rows, cells, strict=True):
        wanted[row] += cell
    assert (found.of(gathered) == wanted).all()


@given(ROWS, st.integers(0, 2), st.data())
def test_a_level_is_known_where_any_of_its_cells_is(
    rows: list[int], before: int, data: st.DataObject
) -> None:
    """A container without a sample would hide the others of its pod, or count as empty."""
    found, cells, gathered = laid(rows, before)
    gone = np.array([data.draw(st.booleans()) for _ in gathered], np.bool_)
    gathered[gone] = np.nan
    wanted = np.full((SIZE, BINS), np.nan)
    known = np.isin(cells, gathered).all(axis=1)
    for row, cell in zip(np.array(rows, np.int64)[known], cells[known], strict=True):
        wanted[row] = np.nan_to_num(wanted[row]) + cell
    np.testing.assert_array_equal(found.levels_of(gathered), wanted)


def test_sums_leave_what_was_gathered_alone() -> None:
    """The next signal of the same family would be made of sums."""
    found, _, gathered = laid([0, 1, 2, 3, 0, 1, 2, 3], 1)
    before = gathered.copy()
    found.of(gathered)
    found.levels_of(gathered)
    assert (gathered == before).all()
