"""Cold starts: how much a young unit counts, and what it may look like meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.rows import ROWS, RowName, Template
from models.sequential.warmup import GRACE_S, SETTLED_S, attention, template_shifts

each_row = pytest.mark.parametrize("name", list(RowName))
AGES = st.floats(0.0, 3000.0)


@each_row
@given(age=AGES, older=AGES, noise=st.floats(0.0, 1.0))
def test_growing_older_never_counts_less(
    name: RowName, age: float, older: float, noise: float
) -> None:
    """A pod earns trust with time; nothing takes it back."""
    young, old = attention(np.array(sorted((age, older))), ROWS[name], noise)
    assert 0.0 <= young <= old <= 1.0


@each_row
def test_grace_is_silent(name: RowName) -> None:
    """The first 45 s of a pod are its start, not its behaviour: they can fail nothing."""
    ages = np.array([0.0, GRACE_S / 2, GRACE_S - 0.01, np.nan, -3.0])
    assert attention(ages, ROWS[name], 0.5).tolist() == [0.0] * 5
    assert attention(np.array([GRACE_S]), ROWS[name], 0.5)[0] > 0


@each_row
def test_an_old_unit_counts_in_full(name: RowName) -> None:
    """A pod that was there before all data has an infinite age and its whole weight."""
    assert attention(np.array([np.inf, 1e6]), ROWS[name], 0.05) == pytest.approx(1.0)


@each_row
@given(age=AGES, noise=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0))
def test_noisy_rows_forgive_odd_starts(
    name: RowName, age: float, noise: float, more: float
) -> None:
    """Where scrapes waver anyway, an odd start hardly adds: the unit counts at least as much."""
    calm, wild = (attention(np.array([age]), ROWS[name], sd)[0] for sd in (noise, noise + more))
    assert wild >= calm - 1e-12


def test_grace_may_differ_from_unit_to_unit() -> None:
    """A demo's clock runs fast for some pods: grace broadcasts against ages."""
    ages = np.array([[10.0, 50.0], [10.0, 50.0]])
    counted = attention(ages, ROWS[RowName.EVENTS], 0.1, grace=np.array([[3.0], [60.0]]))
    assert counted.tolist() == [[1.0, 1.0], [0.0, 0.0]]


@each_row
def test_one_template_is_no_warm_up_at_all(name: RowName) -> None:
    """A service that starts warm is always among what is believed possible."""
    shifts = template_shifts(np.array([0.0, 30.0, 400.0]), ROWS[name])
    assert shifts.shape == (3, len(ROWS[name].templates))
    assert (shifts[:, 0] == 0).all()


@each_row
@given(st.floats(SETTLED_S, 1e5))
def test_every_template_is_over_when_settled(name: RowName, age: float) -> None:
    """A slow pod of twelve minutes is slow; no cold start may excuse it."""
    row = ROWS[name]
    assert not template_shifts(np.array([age, np.inf, np.nan]), row).any()


@each_row
@given(AGES, AGES)
def test_templates_fade(name: RowName, age: float, older: float) -> None:
    """A cold start gets better, never worse, and never makes a unit look faster than it is."""
    young, old = template_shifts(np.array(sorted((age, older))), ROWS[name])
    assert (young >= old).all()
    assert (old >= 0).all()


def test_shapes_are_those_that_they_are_named_for() -> None:
    """An exponential is at 1/e after its span; a plateau holds its height, then falls."""
    row = ROWS[RowName.LATENCY]
    shapes = (
        Template(prior=0.5, height=1.0, span=100.0),
        Template(prior=0.5, height=1.0, span=100.0, plateau=True),
    )
    own = type(row)(
        name=row.name, grid=row.grid, tolerate=0.1, limit=0.2, scale=0.2, arm=0.1, weight=0.1,
        templates=shapes,
    )  # fmt: skip
    steps = template_shifts(np.array([0.0, 100.0, 125.0, 150.0]), own) * row.grid.h
    assert steps[:, 0] == pytest.approx(np.exp([0.0, -1.0, -1.25, -1.5]), abs=row.grid.h)
    assert steps[:, 1] == pytest.approx([1.0, 1.0, 0.5, 0.0], abs=row.grid.h)
