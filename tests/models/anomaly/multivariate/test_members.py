"""Each view of a row, and which metrics it blames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.multivariate.members import Deviation, fit_covariance, fit_projection
from tests.profiles import HEAVY

TOGETHER = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])


def rows(count: int, seed: int = 0) -> np.ndarray:
    """Two metrics that move together and one by itself."""
    return np.random.default_rng(seed).multivariate_normal(np.zeros(3), TOGETHER, count)


@given(seed=st.integers(0, 2**16))
@HEAVY
def test_without_shrinking_it_is_the_distance_of_mahalanobis(seed: int) -> None:
    """The squares by metric add up to x' inv(S) x, so that blame is a part of the whole."""
    x = rows(4000, seed)
    held = np.clip(x, -5, 5)
    inverse = np.linalg.inv(held.T @ held / len(held))
    squares = fit_covariance(x, shrinkage=0.0).shares(x[:20])
    wanted = [row @ inverse @ row for row in x[:20]]
    assert squares.sum(axis=1) == pytest.approx(wanted, rel=1e-9)


def test_what_does_not_move_together_is_odd_though_each_value_is_usual() -> None:
    """Traffic up and CPU down is news, though neither is."""
    x = rows(4000)
    apart, along = np.array([[1.5, -1.5, 0.0]]), np.array([[1.5, 1.5, 0.0]])
    covariance, alone = fit_covariance(x, shrinkage=0.05), Deviation()
    assert covariance.raw(apart)[0] > covariance.raw(along)[0] + 1
    assert alone.raw(apart)[0] == pytest.approx(alone.raw(along)[0])
    assert covariance.shares(apart)[0, 2] < 0.01 * covariance.shares(apart)[0, 0]


def test_components_leave_what_they_do_not_know() -> None:
    """The first component is the common move; against it all is left, along it nothing."""
    projection = fit_projection(rows(4000), kept=0.6)
    assert projection.components.shape == (1, 3)
    left = projection.shares(np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]))
    assert left.sum(axis=1) == pytest.approx([0.0, 2.0, 4.0], abs=0.05)


def test_a_few_odd_rows_bend_no_covariance() -> None:
    """An incident in the past must not teach that incidents are usual."""
    clean = rows(4000)
    dirty = clean.copy()
    dirty[:40] = [80.0, -80.0, 0.0]
    broken = np.array([[3.0, -3.0, 0.0]])
    learned = fit_covariance(dirty, shrinkage=0.1).raw(broken)[0]
    assert learned > fit_covariance(clean, shrinkage=0.1).raw(broken)[0] - 1.5


@given(constant=st.floats(-5, 5))
@HEAVY
def test_a_metric_that_stands_still_breaks_nothing(constant: float) -> None:
    """No spread is no division by zero."""
    x = rows(200)
    x[:, 1] = constant
    for member in (fit_covariance(x, shrinkage=0.0), fit_projection(x, kept=0.7)):
        assert np.isfinite(member.raw(x)).all()
