"""The table of constants: what must be true of every row, whatever its numbers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.rows import ROWS, RowName

each_row = pytest.mark.parametrize("name", list(RowName))


@each_row
def test_a_row_is_found_under_its_name(name: RowName) -> None:
    """A signal is judged by its own constants, not by another's."""
    assert ROWS[name].name is name


@each_row
def test_a_limit_is_beyond_what_is_tolerated(name: RowName) -> None:
    """Else no canary could pass without being better than is asked; both lie on the grid."""
    row = ROWS[name]
    assert 0 < row.tolerate < row.limit < row.grid.shift[-1]


@each_row
def test_a_grid_is_even_and_holds_its_shifts(name: RowName) -> None:
    """Effects of one pod reach beyond what all share, so that no pod is cut off by the common."""
    grid = ROWS[name].grid
    np.testing.assert_allclose(np.diff(grid.theta), grid.h)
    np.testing.assert_allclose(np.diff(grid.shift), grid.h)
    assert grid.theta[grid.zero] == 0.0
    assert 0.0 in grid.shift
    assert grid.theta[0] <= grid.shift[0] < 0 < grid.shift[-1] <= grid.theta[-1]


@each_row
def test_harm_of_a_practical_size_fits_the_grid(name: RowName) -> None:
    """A fault of twice the mean expected harm is still told from a larger one."""
    row = ROWS[name]
    assert row.tolerate + 2 * row.scale <= row.grid.shift[-1] + 1e-9


@each_row
def test_cold_starts_are_a_distribution_with_none_among_them(name: RowName) -> None:
    """A service that starts warm is always believed possible; all together are certain."""
    templates = ROWS[name].templates
    assert sum(template.prior for template in templates) == pytest.approx(1.0)
    assert all(template.prior > 0 for template in templates)
    assert templates[0].height == 0.0
    assert templates[0].prior == max(template.prior for template in templates)


def test_shares_of_alpha_are_all_of_it_at_most() -> None:
    """The chance of a false rollback is divided, never multiplied, by more signals."""
    assert 0.5 < sum(row.weight for row in ROWS.values()) <= 1.0
    assert all(row.weight > 0 for row in ROWS.values())


def test_what_matters_most_has_the_largest_share() -> None:
    """Errors before latency before tails: an outage is found first."""
    ranked = [RowName.ERROR, RowName.LATENCY, RowName.TAIL95, RowName.TAIL99]
    weights = [ROWS[name].weight for name in ranked]
    assert weights == sorted(weights, reverse=True)


def test_load_bears_on_times_only() -> None:
    """An error is an error at any load; a slow answer may be the load's."""
    masked = {name for name in RowName if ROWS[name].masked_by_load}
    assert masked == {RowName.LATENCY, RowName.TAIL95, RowName.TAIL99}
    assert {name for name in RowName if any(ROWS[name].caution)} == masked


@each_row
@given(tolerate=st.floats(0.01, 1.0), more=st.floats(0.0, 1.0))
def test_a_policys_limits_change_nothing_else(name: RowName, tolerate: float, more: float) -> None:
    """Who widens a limit keeps the grid, the noise and the share of alpha."""
    row = ROWS[name]
    changed = row.with_limits(tolerate, tolerate + more)
    assert (changed.tolerate, changed.limit) == (tolerate, tolerate + more)
    assert changed.with_limits(row.tolerate, row.limit) == row
