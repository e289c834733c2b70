"""Counts against counts: evidence for a change, none for noise, little for bursts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ranking.branching import correlation, weight_of_change

BINS = st.lists(st.integers(0, 40), min_size=1, max_size=12)


def counts(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_a_step_that_always_followed_and_no_longer_does_is_evidence() -> None:
    """An exception between two lines is seen in the line that is missing."""
    odds, change = weight_of_change(
        (counts(9, 11, 10), counts(9, 11, 10)), (counts(0, 0), counts(12, 9)), 0.01
    )
    assert odds > 10.0
    assert change == pytest.approx(-1.0)


def test_the_same_rate_is_evidence_against_a_change() -> None:
    """Who looks at a thousand steps must not find a fault by looking."""
    odds, change = weight_of_change(
        (counts(50, 50), counts(100, 100)), (counts(50), counts(100)), 0.01
    )
    assert odds < -1.0
    assert change == pytest.approx(0.0)


@pytest.mark.parametrize("side", ["before", "after"])
def test_without_occasions_nothing_is_known(side: str) -> None:
    """An operation that nobody called has not lost its steps."""
    some, none = (counts(5), counts(5)), (counts(0), counts(0))
    sides = (none, some) if side == "before" else (some, none)
    assert weight_of_change(*sides, 0.01) == (0.0, 0.0)


def test_bursts_count_once() -> None:
    """A hundred calls of one request are one request's opinion."""
    before, after = (counts(0, 0), counts(100, 100)), (counts(60), counts(100))
    each, together = (weight_of_change(before, after, within)[0] for within in (0.0, 1.0))
    assert each > 20.0
    assert together < 2.0


def test_correlation_is_measured_from_bins() -> None:
    """All or none by bin is one opinion a bin; the same share in every bin is many."""
    occasions = np.full(40, 20.0)
    bursty = correlation(np.tile([0.0, 20.0], 20), occasions)
    steady = correlation(np.full(40, 10.0), occasions)
    assert bursty > 0.8
    assert steady == pytest.approx(0.01)


def test_one_outage_in_the_past_does_not_blind() -> None:
    """Half of all requests failed for five minutes last month; one in twenty now is odd still."""
    failed = np.zeros(500)
    failed[100] = 60.0
    assert correlation(failed, np.full(500, 120.0)) == pytest.approx(0.01)


@given(events=BINS, spare=st.integers(0, 20))
def test_correlation_is_a_share(events: list[int], spare: int) -> None:
    """Whatever bins hold, effective counts stay between one and all."""
    occasions = np.array(events, dtype=float) + spare
    assert 0.01 <= correlation(np.array(events, dtype=float), occasions) <= 1.0


@given(a=BINS, b=BINS, within=st.floats(0.0, 1.0))
def test_sides_can_be_exchanged(a: list[int], b: list[int], within: float) -> None:
    """What is odd forwards is as odd backwards, with the other sign."""
    one = (np.array(a, dtype=float), np.full(len(a), 40.0))
    other = (np.array(b, dtype=float), np.full(len(b), 40.0))
    forth, back = weight_of_change(one, other, within), weight_of_change(other, one, within)
    assert forth[0] == pytest.approx(back[0], abs=1e-9)
    assert forth[1] == pytest.approx(-back[1], abs=1e-9)


@given(a=BINS, b=BINS)
def test_events_and_what_is_no_event_can_be_exchanged(a: list[int], b: list[int]) -> None:
    """Success rates and error rates tell the same."""
    n, m = np.full(len(a), 40.0), np.full(len(b), 40.0)
    events, later = np.array(a, dtype=float), np.array(b, dtype=float)
    bad = weight_of_change((events, n), (later, m), 0.05)
    good = weight_of_change((n - events, n), (m - later, m), 0.05)
    assert bad[0] == pytest.approx(good[0], abs=1e-9)
