"""Series that are zero but now and then: their bursts are found, and drown nobody else's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.score import threshold
from models.anomaly.tuning import LIFTED
from models.baseline.layout import Hot
from tests.models.anomaly.samples import MINUTE, apart, beside, scored

DAY, DAYS = 1440, 6
BURST = slice((DAYS - 1) * DAY + 700, (DAYS - 1) * DAY + 710)
RATES = (1e-4, 1e-3, 1e-2, 5e-2)
FEW, MANY = 15, 120


def events(rate: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Counts a minute of what happens at a rate, with a burst of five a minute at the end."""
    value = rng.poisson(rate, DAYS * DAY).astype(np.float64)
    value[BURST] += rng.poisson(5.0, 10)
    return value


@pytest.fixture(scope="module")
def surprise() -> NDArray[np.float32]:
    """A fleet with a third of such series, for six days: surprise by sample and series."""
    rng = np.random.default_rng(7)
    sparse = [events(rate, rng) for rate in RATES for _ in range(FEW)]
    dense = list(100.0 + 5.0 * rng.standard_t(5.0, (MANY, DAYS * DAY)))
    _, found = scored(beside(*sparse, *dense))
    return found.surprise.reshape(DAYS * DAY, -1)


@pytest.mark.parametrize("rate", RATES)
def test_a_burst_is_found_in_nearly_all_of_them(surprise: NDArray[np.float32], rate: float) -> None:
    """Errors that come fifty at once where they came one by one would wake nobody."""
    first = RATES.index(rate) * FEW
    most = surprise[BURST, first : first + FEW].max(axis=0)
    assert float((most > threshold(1.0, 10)).mean()) > 0.8


def test_what_comes_one_by_one_is_no_burst(surprise: NDArray[np.float32]) -> None:
    """Each single error of a quiet service would count as much as an outage of it."""
    sparse = surprise[:, : FEW * len(RATES)]
    usual = sparse[2 * DAY : BURST.start].max(axis=0)
    burst = sparse[BURST].max(axis=0)
    assert float((burst > usual).mean()) > 0.9


def test_an_edge_lasts_however_long_nothing_comes() -> None:
    """After a quiet month one error would be as far out as an edge of nothing allows."""
    value = np.zeros(5000)
    value[200] = 1.0
    state, _ = scored(beside(value, every=MINUTE))
    assert float(state.hot[0, Hot.POINT_EDGE]) == pytest.approx(LIFTED, rel=0.02)


def moved_once(size: float, place: int) -> NDArray[np.float32]:
    """Surprise of what is zero, then moves once, and five times as far later."""
    value = np.zeros(1000)
    value[[place, place + 50]] = size, 5.0 * size
    return scored(beside(value))[1].surprise


@given(st.floats(1e-6, 1e6), st.integers(120, 900))
def test_the_first_that_moves_tells_how_far_is_far(size: float, place: int) -> None:
    """An error count and a count of bytes that are zero else would not be judged alike."""
    found = moved_once(size, place)
    assert np.abs(found - moved_once(1.0, place)).max() < 0.02
    assert found[place + 50] > found[place]


@given(st.floats(1e-6, 1e9), st.lists(st.integers(120, 980), min_size=1, max_size=9))
def test_what_moves_now_and_then_is_expected_not_to(size: float, places: list[int]) -> None:
    """A level that a lone event drags along would make what follows it the anomaly."""
    value = np.zeros(1000)
    value[places] = size
    expected = scored(beside(value))[1].expected[120:]
    assert np.nanmax(np.abs(expected)) <= 1e-3 * size


def test_sparse_series_are_the_same_to_the_bit_in_kernel_and_twin() -> None:
    """What is lifted or held is told apart in two ways of writing the same."""
    rng = np.random.default_rng(8)
    rows = [
        rng.poisson(rate, 900).astype(np.float64) * sign for rate in RATES for sign in (1.0, -3.0)
    ]
    differs, _ = apart(beside(*rows))
    assert differs == []


@pytest.mark.parametrize("calm", [300, 3 * DAY])
def test_an_outage_of_what_never_moved_is_no_less_odd_for_lasting(calm: int) -> None:
    """Who looks only after a while would find nothing wrong."""
    value = np.zeros(calm + 60)
    value[calm:] = 0.375
    found = scored(beside(value))[1].surprise[calm:]
    assert (np.diff(found[:50]) >= 0).all()
    assert found[1] > threshold(1.0, 12)
    assert found[-1] > 1.0 + found[0]
