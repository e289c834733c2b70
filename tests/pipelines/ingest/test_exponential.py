"""Exponential buckets as classic ones: at a power of two the count is exact."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.exponential import MOST_POWERS, Exponential, Powers, bound_text

SEEN = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40)
SCALES = st.integers(-3, 8)


def bucketed(seen: list[float], scale: int, below: int = 0) -> Exponential:
    """What a client that counts values in buckets of a scale would send."""
    places = [math.ceil(math.ldexp(math.log2(value), scale)) - 1 for value in seen]
    counts = np.zeros(max(places) - min(places) + 1)
    for place in places:
        counts[place - min(places)] += 1
    return Exponential(scale=scale, offset=min(places), counts=counts, below=float(below))


@given(SEEN, SCALES, st.integers(0, 5))
def test_counts_at_powers_of_two_are_those_of_the_values(
    seen: list[float], scale: int, below: int
) -> None:
    """Whatever the scale, and with those below zero in every bucket."""
    histogram = bucketed(seen, scale, below)
    powers = Powers().widened(histogram)
    found = histogram.up_to(powers).tolist()
    logs = [math.log2(value) for value in seen]
    # A value within rounding of a bound may fall on either side of it.
    for power, count in zip(powers.tolist(), found, strict=True):
        least = sum(log <= power - 1e-9 for log in logs) + below
        most = sum(log <= power + 1e-9 for log in logs) + below
        assert least <= count <= most


@given(SEEN, SCALES)
def test_the_last_power_has_all_and_counts_never_fall(seen: list[float], scale: int) -> None:
    """So that the bucket without a bound adds nothing."""
    histogram = bucketed(seen, scale)
    found = histogram.up_to(Powers().widened(histogram))
    assert found[-1] == len(seen)
    assert (np.diff(found) >= 0).all()


@given(st.lists(SEEN, min_size=1, max_size=5), st.integers(0, 8))
def test_a_power_that_was_told_is_told_again(batches: list[list[float]], scale: int) -> None:
    """A series that comes and goes would look like one that ends."""
    powers, before = Powers(), set[int]()
    for seen in batches:
        told = set(powers.widened(bucketed(seen, scale)).tolist())
        assert before <= told
        before = told


def test_of_too_many_powers_the_highest_are_told() -> None:
    """The slow requests are those that matter, and the lowest bucket still counts all below it."""
    histogram = bucketed([2.0**-300, 1.0, 2.0**20], 0)
    powers = Powers().widened(histogram)
    assert (len(powers), powers[-1]) == (MOST_POWERS, 20)
    assert histogram.up_to(powers)[0] == 1


def test_bounds_are_spelled_as_prometheus_does() -> None:
    """Another spelling would be another series."""
    bounds = [0.005, 1.0, 2.5, 1e6, 2.0**-10, float("inf")]
    assert [bound_text(bound) for bound in bounds] == [
        "0.005", "1", "2.5", "1000000", "0.0009765625", "+Inf",
    ]  # fmt: skip
