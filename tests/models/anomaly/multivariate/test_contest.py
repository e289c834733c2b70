"""Faults that are put into rows, and what models show on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from models.anomaly.multivariate.contest import average_precision, showing, with_faults
from models.anomaly.multivariate.model import Recipe, fit
from tests.models.anomaly.multivariate.servers import DAY, FIRST, STEP_S, server
from tests.profiles import HEAVY


@given(
    odd=arrays(np.bool_, 40).filter(lambda odd: odd.any()),
    levels=arrays(np.float64, 40, elements=st.integers(0, 12).map(float)),
)
def test_average_precision_is_that_of_scikit_learn(odd: np.ndarray, levels: np.ndarray) -> None:
    """Ties count together: a model that cannot tell rows apart is not lucky."""
    assert average_precision(odd, levels) == pytest.approx(average_precision_score(odd, levels))


def test_where_nothing_is_odd_there_is_no_precision() -> None:
    """Not a number, rather than a perfect score."""
    assert np.isnan(average_precision(np.zeros(3, dtype=bool), np.arange(3.0)))


@given(seed=st.integers(0, 2**16), count=st.integers(1, 30), metrics=st.integers(1, 9))
@HEAVY
def test_only_rows_called_odd_differ_and_in_a_third_of_metrics(
    seed: int, count: int, metrics: int
) -> None:
    """What counts as missed or false must be what was done."""
    x = server(600, metrics=metrics + 1)[:, :-1]
    kept = x.copy()
    faulty = with_faults(x, count=count, longest=20, rng=np.random.default_rng(seed))
    changed = faulty.x != x
    assert np.array_equal(x, kept)
    assert not changed[~faulty.odd].any()
    assert (changed.sum(axis=1) <= max(metrics // 3, 1)).all()
    assert not faulty.odd[:12].any()
    assert faulty.odd.mean() <= 0.55
    runs = np.diff(np.concatenate([[0], faulty.odd, [0]]).astype(int))
    assert 1 <= (runs == 1).sum() <= count


def test_the_same_seed_does_the_same() -> None:
    """Two models are tried on the same faults."""
    one, two = (
        with_faults(server(600), count=9, longest=20, rng=np.random.default_rng(4))
        for _ in range(2)
    )
    assert np.array_equal(one.x, two.x)


def test_too_few_rows_get_no_fault() -> None:
    """There is no room between them."""
    faulty = with_faults(server(20), count=10, longest=9, rng=np.random.default_rng(4))
    assert not faulty.odd.any()


def test_a_model_that_knows_the_server_shows_more_than_one_that_knows_another() -> None:
    """Which of two models is better must come out of the trial."""
    x = server(14 * DAY)
    cut = 11 * DAY
    other = fit(server(11 * DAY, seed=77)[:, ::-1].copy(), FIRST, STEP_S, Recipe())
    own = fit(x[:cut], FIRST, STEP_S, Recipe())
    faulty = with_faults(x[cut:], count=20, longest=9, rng=np.random.default_rng(2))
    known, strange = (showing(m, x[cut:], faulty, FIRST + cut, 1e-3) for m in (own, other))
    assert known.found > strange.found + 0.1
    assert known.false_share < 0.02 < strange.false_share
