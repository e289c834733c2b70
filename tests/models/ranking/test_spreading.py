"""What reaches whom over a graph: along paths, over circles, never more than certain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.ranking.spreading import reach

GRAPHS = st.integers(1, 7).flatmap(
    lambda n: arrays.arrays(np.float64, (n, n), elements=st.sampled_from([0.0, 0.0, 0.3, 0.6, 1.0]))
)


def test_trouble_travels_along_a_chain() -> None:
    """A web page feels a database two services away, less surely than the one between."""
    felt = reach(np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]))
    assert felt[0].tolist() == pytest.approx([1.0, 0.5, 0.25])
    assert felt[2].tolist() == pytest.approx([0.0, 0.0, 1.0])


def test_two_ways_are_more_than_one() -> None:
    """Who calls it directly and through another feels it more surely."""
    felt = reach(np.array([[0.0, 0.5, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]))
    assert felt[0, 2] == pytest.approx(1.0 - 0.5 * 0.75)


@given(passed=GRAPHS)
def test_circles_end_and_probabilities_stay_probabilities(passed: np.ndarray) -> None:
    """Services that call each other in a circle neither hang nor exceed certainty."""
    felt = reach(passed)
    assert np.isfinite(felt).all()
    assert (felt >= 0.0).all()
    assert (felt <= 1.0).all()
    assert (np.diag(felt) == 1.0).all()


@given(passed=GRAPHS, seed=st.integers(0, 99))
def test_names_of_places_do_not_matter(passed: np.ndarray, seed: int) -> None:
    """Renumbered services feel the same."""
    order = np.random.default_rng(seed).permutation(len(passed))
    turned = reach(passed[np.ix_(order, order)])
    assert turned == pytest.approx(reach(passed)[np.ix_(order, order)], abs=1e-9)


@given(passed=GRAPHS)
def test_one_more_call_never_shields(passed: np.ndarray) -> None:
    """More ways let more through."""
    more = passed.copy()
    more[0, -1] = 1.0
    assert (reach(more) >= reach(passed) - 1e-9).all()
