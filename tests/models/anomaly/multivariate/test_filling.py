"""A missing metric is taken as the others tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.multivariate.filling import filled, fit_precision
from models.anomaly.multivariate.model import begin, score
from tests.models.anomaly.multivariate.servers import DAY, FIRST, server
from tests.models.anomaly.multivariate.test_model import ROWS, model
from tests.profiles import HEAVY

TOGETHER = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_of_two_that_move_together_one_tells_the_other() -> None:
    """By the regression of one on the other; what is alone stays as usual."""
    z = np.random.default_rng(1).multivariate_normal(np.zeros(3), TOGETHER, 40_000)
    precision = fit_precision(z, shrinkage=0.0)
    row = np.array([[2.0, 0.0, 0.0]])
    told = filled(row, np.array([[False, True, True]]), precision)
    assert told[0].tolist() == pytest.approx([2.0, 1.6, 0.0], abs=0.05)


@given(holes=st.integers(0, 2**16))
@HEAVY
def test_what_is_there_is_left_alone(holes: int) -> None:
    """Only what is missing is filled, and never in a row that has nothing."""
    rng = np.random.default_rng(holes)
    z = rng.normal(size=(30, 3))
    missing = rng.random((30, 3)) < 0.4
    z[missing] = 0.0
    kept = z.copy()
    told = filled(z, missing, np.linalg.inv(TOGETHER))
    assert np.array_equal(z, kept)
    assert np.array_equal(told[~missing], z[~missing])
    assert not told[missing.all(axis=1)].any()
    assert np.isfinite(told).all()


def test_a_metric_that_is_gone_does_not_make_the_others_odd() -> None:
    """An exporter that is down must not wake people by what it does not say."""
    x = server(ROWS + 5 * DAY)[ROWS:]
    x[:, 1] = np.nan
    scored, _ = score(model(), x, FIRST + ROWS, begin(model()))
    assert (scored.p_value < 1e-2).mean() < 0.05
