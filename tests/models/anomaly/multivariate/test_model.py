"""Several metrics as one level: what it finds, whom it blames, and that it looks back only."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.multivariate.model import (
    Kind,
    Multivariate,
    Recipe,
    begin,
    calibrated,
    fit,
    score,
    shares,
)
from tests.models.anomaly.multivariate.servers import DAY, FIRST, STEP_S, server
from tests.profiles import HEAVY

ROWS = 10 * DAY
RECIPES = {
    "default": Recipe(),
    "all": Recipe(kinds=tuple(Kind), trees=20),
    "forest": Recipe(kinds=(Kind.FOREST,), lags=(0,), half_lives_s=(0.0,), trees=20),
}


@cache
def model(name: str = "default") -> Multivariate:
    """A server learned for ten days."""
    return fit(server(ROWS), FIRST, STEP_S, RECIPES[name])


def later(rows: int, seed: int = 9) -> np.ndarray:
    """What the same server did after that."""
    return server(ROWS + rows, seed=seed)[ROWS:]


@pytest.mark.parametrize("name", RECIPES)
@given(cuts=st.lists(st.integers(0, 60), max_size=5), holes=st.integers(0, 2**16))
@HEAVY
def test_levels_do_not_depend_on_how_rows_are_cut(name: str, cuts: list[int], holes: int) -> None:
    """A restart, or a batch of another size, must not change what is an anomaly."""
    x = later(60)
    x[np.random.default_rng(holes).random(x.shape) < 0.1] = np.nan
    x[20:23] = np.nan
    whole, end = score(model(name), x, FIRST + ROWS, begin(model(name)))
    carried, levels = begin(model(name)), []
    for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 60], strict=True):
        part, carried = score(model(name), x[a:b], FIRST + ROWS + a, carried)
        levels.append(part.level)
    assert np.concatenate(levels) == pytest.approx(whole.level, rel=1e-9, abs=1e-9)
    assert carried.smooth == pytest.approx(end.smooth, rel=1e-9, abs=1e-9)
    assert carried.rows == pytest.approx(end.rows, rel=1e-9, abs=1e-9)


@given(at=st.integers(1, 59), value=st.floats(-1e3, 1e3))
@HEAVY
def test_what_comes_later_changes_nothing_before(at: int, value: float) -> None:
    """A score that looks ahead is worth nothing when it is needed."""
    x = later(60)
    other = x.copy()
    other[at:] = value
    one, two = (score(model(), rows, FIRST + ROWS, begin(model()))[0] for rows in (x, other))
    assert np.array_equal(one.level[:at], two.level[:at])


@pytest.mark.parametrize("name", RECIPES)
def test_scoring_leaves_its_arguments_alone(name: str) -> None:
    """Rows belong to whoever read them, and a state may be scored from twice."""
    x, carried = later(30), begin(model(name))
    kept, rows, smooth = x.copy(), carried.rows.copy(), carried.smooth.copy()
    first, _ = score(model(name), x, FIRST, carried)
    second, _ = score(model(name), x, FIRST, carried)
    assert np.array_equal(first.level, second.level)
    for before, after in ((kept, x), (rows, carried.rows), (smooth, carried.smooth)):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("name", RECIPES)
def test_quiet_rows_are_called_odd_as_often_as_was_said(name: str) -> None:
    """One row in a hundred at a chance of one in a hundred, on days that were not learned."""
    x = server(40 * DAY, seed=1)[ROWS:]
    scored, _ = score(model(name), x, FIRST + ROWS, begin(model(name)))
    assert 0.003 < (scored.p_value < 0.01).mean() < 0.03


def test_a_fault_in_two_metrics_stands_out_and_they_are_blamed() -> None:
    """Whoever is woken sees which metrics it is about."""
    x = later(100)
    x[50:60, [1, 3]] += [6.0, -4.0]
    first = FIRST + ROWS
    scored, _ = score(model(), x, first, begin(model()))
    blamed = shares(model(), x, first, begin(model()))[50:60].mean(axis=0)
    assert scored.p_value[51:60].max() < 1e-3
    assert scored.p_value[:50].min() > 1e-4
    assert set(np.argsort(-blamed)[:2]) == {1, 3}


def test_metrics_that_part_company_are_odd_though_each_is_usual() -> None:
    """Requests go on and CPU does not: no single series is odd."""
    x = later(100)
    x[50:60, 2] = 2 * x[50:60].mean(axis=0)[2] - x[50:60, 2]
    x[50:60, 0] += 1.2
    alone = replace(RECIPES["default"], kinds=(Kind.DEVIATION,))
    single = fit(server(ROWS), FIRST, STEP_S, alone)
    first = FIRST + ROWS
    together, _ = score(model(), x, first, begin(model()))
    apart, _ = score(single, x, first, begin(single))
    assert together.p_value[52:60].max() < 0.01
    assert np.median(apart.p_value[52:60]) > 0.05


@pytest.mark.parametrize("name", RECIPES)
@given(holes=st.integers(0, 2**16))
@HEAVY
def test_blame_is_shared_out_whole(name: str, holes: int) -> None:
    """Shares are not negative and add up to one, also where values are missing."""
    x = later(20, seed=holes)
    x[np.random.default_rng(holes).random(x.shape) < 0.2] = np.nan
    parts = shares(model(name), x, FIRST + ROWS, begin(model(name)))
    total = parts.sum(axis=1)
    assert (parts >= 0).all()
    assert np.isclose(total, 1).sum() + (total == 0).sum() == 20


def test_rows_without_values_change_no_level_and_say_so() -> None:
    """While a scrape is down nothing gets better or worse; `present` tells why."""
    x = later(20)
    x[10:15] = np.nan
    scored, _ = score(model(), x, FIRST + ROWS, begin(model()))
    assert scored.present[10:15].tolist() == [0] * 5
    assert (scored.level[10:15] == scored.level[9]).all()
    assert scored.level[15] != scored.level[9]


def test_no_rows_are_no_rows() -> None:
    """An empty batch is not an error and moves nothing."""
    scored, carried = score(model(), np.zeros((0, 5)), FIRST, begin(model()))
    assert (len(scored.level), len(scored.p_value)) == (0, 0)
    assert np.array_equal(carried.smooth, begin(model()).smooth)


def test_calibrated_by_other_levels_it_says_other_chances_of_the_same_levels() -> None:
    """Levels seen after the fit set p-values without a new fit."""
    x = later(50)
    before, _ = score(model(), x, FIRST + ROWS, begin(model()))
    other = calibrated(model(), before.level + 10)
    after, _ = score(other, x, FIRST + ROWS, begin(other))
    assert np.array_equal(before.level, after.level)
    assert (after.p_value > 0.9).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_too_little_is_refused(rows: int) -> None:
    """A model of one row would call everything odd."""
    with pytest.raises(ValueError, match="fewer than two rows"):
        fit(server(rows), FIRST, STEP_S, Recipe())


def test_the_same_rows_give_the_same_model() -> None:
    """Whoever fits again from what was kept gets what was used."""
    again = fit(server(ROWS), FIRST, STEP_S, RECIPES["all"])
    x = later(50)
    one, two = (score(m, x, FIRST, begin(m))[0].level for m in (model("all"), again))
    assert np.array_equal(one, two)
