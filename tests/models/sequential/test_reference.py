"""The reference: what the control says now, and the incidents that it shares."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.reference import count_reference, histogram_reference, trailing

STEP = 15.0


def test_trailing_sums_end_at_the_bin() -> None:
    """Windows include their own bin and stop at the beginning."""
    sums = trailing(np.arange(6.0), 3, 0)
    np.testing.assert_array_equal(sums, [0, 1, 3, 6, 9, 12])


@given(st.integers(0, 39), st.integers(1, 30))
def test_trailing_does_not_depend_on_where_it_begins(first: int, width: int) -> None:
    """A later first bin gives the tail of the same sums."""
    values = np.arange(40.0) ** 1.3
    np.testing.assert_allclose(trailing(values, width, first), trailing(values, width, 0)[first:])


def steady(bins: int = 60, n: float = 300.0, rate: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """A control at a constant rate."""
    return np.full(bins, n), np.full(bins, n * rate)


def test_steady_control_gives_its_rate() -> None:
    """Nothing happened: the rate is the rate, lambda below one."""
    n, x = steady()
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 30)
    np.testing.assert_allclose(ref.rate, 0.01)
    assert not ref.incident.any()
    assert ((ref.weight > 0.7) & (ref.weight < 1)).all()


def test_incident_is_seen_in_its_first_bin() -> None:
    """A shared incident raises the reference in the bin in which it begins."""
    n, x = steady()
    x[50:] *= 10
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 49)
    assert not ref.incident[0]
    assert ref.incident[1]
    assert ref.rate[1] > 0.09


def test_no_reference_has_no_weight() -> None:
    """A control without requests says nothing of now."""
    n, x = steady()
    n[40:] = x[40:] = 0
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 40)
    assert (ref.weight == 0).all()


def test_weight_looks_back_only() -> None:
    """lambda is predictable: this bin's own traffic does not enter it."""
    n, x = steady()
    one = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 59)
    louder = np.full(60, 100.0)
    louder[59] = 1e6
    two = count_reference(n, x, louder, 0.01, STEP, 59)
    assert one.weight[0] == two.weight[0]


def buckets(requests: float, middle: int, bins: int = 90) -> np.ndarray:
    """A control whose requests lie around one bucket."""
    row = np.exp(-0.5 * (np.arange(12) - middle) ** 2)
    return np.tile(requests * row / row.sum(), (bins, 1))


MIDDLES = np.linspace(-6, 3, 12)


def test_busy_control_needs_a_short_window() -> None:
    """Enough requests in one bin: the reference is that bin."""
    picked, weight, incident = histogram_reference(
        buckets(3000, 5), np.full(90, 300.0), MIDDLES, STEP, 80
    )
    np.testing.assert_allclose(picked.sum(axis=1), 3000)
    assert (weight > 0.9).all()
    assert not incident.any()


def test_shared_slowdown_switches_to_the_newest_window() -> None:
    """The reference follows a shared slow-down in its first bin."""
    counts = buckets(100, 5)
    counts[85:] = buckets(100, 8)[85:]
    picked, _, incident = histogram_reference(counts, np.full(90, 60.0), MIDDLES, STEP, 80)
    assert incident[5]
    assert picked[5].argmax() == 8
    assert picked[4].argmax() == 5


def test_silent_control_has_no_weight() -> None:
    """No control requests at all: lambda is 0."""
    _, weight, _ = histogram_reference(np.zeros((90, 12)), np.full(90, 60.0), MIDDLES, STEP, 80)
    assert (weight == 0).all()
