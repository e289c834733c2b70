"""Levels as chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.anomaly.multivariate.tail import level_of, p_values, tail_of
from tests.profiles import HEAVY

LEVELS = arrays(
    np.float64, st.integers(1, 400), elements=st.floats(-50, 50).map(lambda x: round(x, 2))
)


@given(seen=LEVELS, asked=arrays(np.float64, 50, elements=st.floats(-1e3, 1e3)))
def test_a_higher_level_is_never_likelier(seen: np.ndarray, asked: np.ndarray) -> None:
    """An alarm that goes away as things get worse is worse than none."""
    p = p_values(tail_of(seen), np.sort(asked))
    assert (np.diff(p) <= 1e-15).all()
    assert ((p > 0) & (p <= 1)).all()


@given(seen=LEVELS)
def test_a_level_that_was_seen_is_as_likely_as_its_rank(seen: np.ndarray) -> None:
    """Conformal: at most 1 in n + 1 of new levels is beyond all n, and so on down."""
    p = p_values(tail_of(seen), seen)
    reached = (seen[None, :] >= seen[:, None]).sum(axis=1)
    assert p == pytest.approx((reached + 1) / (len(seen) + 1))


@pytest.mark.parametrize("p", [0.1, 1e-2, 1e-3, 1e-4])
def test_chances_hold_on_rows_not_seen(p: float) -> None:
    """A chance of one in a thousand comes about so often, or less; beyond what was seen, too."""
    shares = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        tail = tail_of(rng.exponential(size=20_000))
        shares.append((p_values(tail, rng.exponential(size=100_000)) < p).mean())
    assert 0.3 * p < np.mean(shares) < 1.3 * p


@given(seen=LEVELS, p=st.floats(1e-9, 0.999))
@HEAVY
def test_the_level_of_a_chance_has_that_chance(seen: np.ndarray, p: float) -> None:
    """A threshold that is shown is the one that is used."""
    tail = tail_of(seen)
    assert p_values(tail, np.array([level_of(tail, p)]))[0] <= p * (1 + 1e-6) or p >= 0.5


def test_nothing_seen_is_refused() -> None:
    """A model without a tail would call all odd or nothing."""
    with pytest.raises(ValueError, match="no level"):
        tail_of(np.array([np.nan]))
