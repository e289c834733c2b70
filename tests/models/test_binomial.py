"""The exact tails, against scipy's distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from models.binomial import at_least, at_most, plausible

COUNTS = st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.floats(0.0001, 0.9999))
def test_whole_counts_have_the_binomial_tail(counts: tuple[int, int], chance: float) -> None:
    """Exact, not an approximation that fails for few."""
    hits, count = (np.array(float(one)) for one in counts)
    assert float(at_least(hits, count, chance)) == pytest.approx(
        float(binom.sf(hits - 1, count, chance)), rel=1e-6, abs=1e-12
    )
    assert float(at_most(hits, count, chance)) == pytest.approx(
        float(binom.cdf(hits, count, chance)), rel=1e-6, abs=1e-12
    )


@given(COUNTS, st.floats(0.0, 0.9), st.floats(0.001, 0.5))
def test_more_hits_are_rarer(counts: tuple[int, int], part: float, chance: float) -> None:
    """Between whole counts too."""
    hits, count = float(counts[0]), np.array(float(counts[1]) + 1)
    less, more = (at_least(np.array(x), count, chance) for x in (hits, hits + part))
    assert float(more) <= float(less) + 1e-12


def test_nothing_counted_is_nothing_odd() -> None:
    """No request is no evidence for anything."""
    nothing = np.zeros(3)
    assert at_least(nothing, nothing, 0.1).tolist() == [1.0, 1.0, 1.0]
    assert at_most(nothing, nothing, 0.1).tolist() == [1.0, 1.0, 1.0]


@given(st.floats(0.5, 500.0), st.floats(0.5, 500.0), st.floats(0.1, 0.99))
def test_what_is_plausible_is_between_equal_tails(alpha: float, beta_: float, share: float) -> None:
    """By the distribution itself."""
    low, high = plausible(alpha, beta_, share)
    of = beta(alpha, beta_)
    assert float(of.cdf(low)) == pytest.approx((1 - share) / 2, abs=1e-6)
    assert float(of.sf(high)) == pytest.approx((1 - share) / 2, abs=1e-6)
