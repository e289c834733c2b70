"""Values as measured, and as logarithms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.forecast.scale import SCALES, Floats, scales_of

MEASURED, LOGARITHMS = SCALES
POSITIVE = arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-90, 1e90))
ANY = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e90, 1e90))


@given(values=POSITIVE)
def test_there_and_back_is_nothing(values: Floats) -> None:
    """To a few bits of a logarithm."""
    for scale in scales_of(values):
        assert scale.back(scale.to(values), values) == pytest.approx(values, rel=1e-12)


@given(values=ANY)
def test_logarithms_serve_where_all_is_above_zero(values: Floats) -> None:
    """One zero is enough against them."""
    assert (LOGARITHMS in scales_of(values)) == bool((values > 0).all())
    assert scales_of(values)[0] is MEASURED
    assert scales_of(np.append(np.abs(values), 0.0)) == (MEASURED,)


@given(values=POSITIVE, told=arrays(np.float64, 5, elements=st.floats(-1e6, 1e6)))
def test_a_logarithm_leads_to_twenty_times_the_largest_at_most(
    values: Floats, told: Floats
) -> None:
    """Whatever it was continued to, it never is infinite, nor below zero."""
    back = LOGARITHMS.back(told, values)
    assert (back <= 20.001 * values.max()).all()
    assert (back >= 0).all()


def test_values_as_measured_go_where_they_go() -> None:
    """They are bounded by what is told of them alone (`floor`, `ceiling`)."""
    told = np.array([-5.0, 1e9])
    assert MEASURED.back(told, np.ones(3)) is told
    assert MEASURED.to(told) is told


def test_equal_factors_become_equal_steps() -> None:
    """That is what logarithms are for."""
    values = 3.0 * np.power(1.1, np.arange(10.0))
    assert np.diff(LOGARITHMS.to(values)) == pytest.approx(np.full(9, np.log(1.1)))


def test_names_tell_them_apart() -> None:
    """Weights are told by them."""
    assert [scale.name for scale in SCALES] == ["", " (log)"]
