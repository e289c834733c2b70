"""The forest without scikit-learn says what scikit-learn says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from models.anomaly.multivariate.forest import forest_of, grow_forest
from tests.profiles import HEAVY


@given(
    seed=st.integers(0, 2**16),
    rows=st.integers(2, 300),
    metrics=st.integers(1, 6),
    sample=st.sampled_from([2, 16, 256]),
    decimals=st.sampled_from([0, 1, 12]),
)
@HEAVY
def test_scores_are_those_of_scikit_learn(
    seed: int, rows: int, metrics: int, sample: int, decimals: int
) -> None:
    """A stored model must not change its mind because another program reads it; also of ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, metrics)).round(decimals)
    grown = IsolationForest(n_estimators=20, max_samples=min(sample, rows), random_state=seed)
    grown.fit(x)
    asked = np.vstack([x, 5 * rng.normal(size=(50, metrics)), np.full((1, metrics), 1e30)])
    ours = forest_of(grown).raw(asked)
    assert ours == pytest.approx(-grown.score_samples(asked), rel=1e-12)


def test_the_same_seed_grows_the_same_forest() -> None:
    """Two fits of the same rows must not differ: a model is replayed from what it learned."""
    x = np.random.default_rng(1).normal(size=(500, 3))
    one, same, other = (grow_forest(x, trees=10, sample=64, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.threshold, same.threshold)
    assert not np.array_equal(one.threshold, other.threshold)


def test_the_metric_that_is_odd_is_named() -> None:
    """Whoever is woken wants to know by what."""
    x = np.random.default_rng(2).normal(size=(2000, 4))
    forest = grow_forest(x, trees=100, sample=256, seed=0)
    rows = np.zeros((2, 4))
    rows[0, 2] = 8.0
    rows[1, 0] = -8.0
    shares = forest.shares(rows)
    assert shares.argmax(axis=1).tolist() == [2, 0]
    assert (shares >= 0).all()
    assert forest.raw(rows).min() > forest.raw(np.zeros((1, 4)))[0]
