"""Retained bins: what was written is read, however often memory was given back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.cells import Cells

steps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 60)), max_size=25)


@given(steps)
def test_cells_hold_what_was_written_since_the_first_bin(steps: list[tuple[int, int, int]]) -> None:
    """Growing, appending and forgetting in any order loses and invents nothing."""
    cells, whole = Cells(first=0, fill=np.nan), np.zeros((0, 0))
    for more, columns, gone in steps:
        for _ in range(more):
            cells.add()
        grown = np.full((cells.count, whole.shape[1] + columns), np.nan)
        grown[: len(whole), : whole.shape[1]] = whole
        grown[:, whole.shape[1] :] = np.arange(columns) + 7.0 * len(grown)
        whole = grown
        cells.append(whole[:, whole.shape[1] - columns :])
        cells.drop_before(cells.first + gone)
        rows = cells.rows(np.arange(cells.count))
        np.testing.assert_array_equal(rows, whole[:, cells.first :].astype(np.float32))


def test_memory_is_given_back() -> None:
    """A day of bins of which half an hour is kept holds little more than that."""
    cells = Cells(first=0, fill=0.0)
    for _ in range(200):
        cells.add()
    for bin_ in range(5760):
        cells.append(np.ones((200, 1)))
        cells.drop_before(bin_ - 139)
    assert cells.nbytes <= 2 * 200 * 140 * 4
