"""The exact interval of a share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from models.proportion import exact_interval

SHARES = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(SHARES, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_the_exact_test(share: tuple[int, int], level: float) -> None:
    """A bound that is too narrow would promise more than was seen."""
    hits, count = share
    known = binomtest(hits, count).proportion_ci(level, method="exact")
    assert exact_interval(hits, count, level=level) == pytest.approx((known.low, known.high))


@given(SHARES)
def test_the_interval_holds_the_share(share: tuple[int, int]) -> None:
    """What was seen is never called impossible."""
    low, high = exact_interval(*share)
    assert 0 <= low <= share[0] / share[1] <= high <= 1


@given(st.floats(0.001, 0.3), st.integers(5, 60))
def test_the_truth_is_covered_as_often_as_promised(chance: float, count: int) -> None:
    """Over all that may happen, whatever the chance."""
    covered = sum(
        binom.pmf(hits, count, chance)
        for hits in range(count + 1)
        if exact_interval(hits, count)[0] <= chance <= exact_interval(hits, count)[1]
    )
    assert covered >= 0.95 - 1e-9


def test_nothing_says_nothing() -> None:
    """No rollout was seen: any share is possible."""
    assert exact_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "count"), [(2, 1), (-1, 3)])
def test_an_impossible_count_is_refused(hits: int, count: int) -> None:
    """A mistake of the caller, not a share above one."""
    with pytest.raises(ValueError, match="is no share"):
        exact_interval(hits, count)
