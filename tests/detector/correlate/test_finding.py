"""One measurement judged: side, size, since when, and what a bin usually differs by."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Gauge, Kind
from detector.correlate.finding import found_in_gauge, found_in_tally, tails
from detector.stream.anomaly import Side
from tests.detector.correlate.scenes import AT, failures, gauge

PAST = np.random.default_rng(8).normal(1.0, 0.05, 120)


def test_onset_is_the_first_bin_that_is_out() -> None:
    """People look at a plot from there on."""
    found = found_in_gauge(gauge("cart", PAST, np.array([1.0, 1.02, 4.0, 4.1, 1.0])), AT)
    assert found is not None
    assert found.onset == AT[2]
    assert found.now == pytest.approx(4.05)


def test_harm_has_a_side() -> None:
    """A latency that fell is no fault; a number of workers that fell may be one."""
    fell = gauge("cart", PAST, np.full(5, 0.2))
    one, other = found_in_gauge(fell, AT), found_in_gauge(replace(fell, side=None), AT)
    assert one is not None
    assert other is not None
    assert one.odds < 0.0
    assert other.odds > 3.0
    assert other.side is Side.BELOW


@given(level=st.floats(1.0, 50.0), more=st.floats(0.0, 50.0))
def test_more_harm_is_never_less_odd(level: float, more: float) -> None:
    """The worse of two incidents is at least as suspicious."""
    less, worse = (
        found_in_gauge(gauge("cart", PAST, np.full(5, value)), AT)
        for value in (level, level + more)
    )
    assert less is not None
    assert worse is not None
    assert worse.odds >= less.odds - 1e-9


def test_excess_is_above_what_was_just_before() -> None:
    """Callers are accounted by what the incident added, not by last month's drift."""
    found = found_in_gauge(gauge("db", PAST, np.full(5, 5.0), before=np.full(3, 2.0)), AT)
    assert found is not None
    assert found.excess == pytest.approx(np.full(5, 3.0))


def test_failures_where_none_were_are_odd_and_say_how_many() -> None:
    """Four failed of a hundred where none failed in hours."""
    found = found_in_tally(failures("cart", np.zeros(120), np.full(5, 4.0)), AT)
    assert found.odds > 5.0
    assert (found.usual, found.now) == (0.0, 0.04)
    assert found.excess == pytest.approx(np.full(5, 4.0))
    assert found.onset == AT[0]


def test_as_many_failures_as_ever_are_not() -> None:
    """A service that fails one request in ten always has not begun to."""
    found = found_in_tally(failures("cart", np.full(120, 10.0), np.full(5, 10.0)), AT)
    assert found.odds < 0.0
    assert found.onset is None


def test_fewer_failures_are_no_lead() -> None:
    """What got better while others broke is odd, but hardly the cause."""
    better = found_in_tally(failures("cart", np.full(120, 50.0), np.zeros(5)), AT)
    worse = found_in_tally(failures("cart", np.zeros(120), np.full(5, 50.0)), AT)
    assert better.odds < worse.odds - 2.0


def test_without_requests_a_rate_is_not_known() -> None:
    """No number is invented for what could not happen."""
    found = found_in_tally(failures("cart", np.zeros(9), np.zeros(5), requests=0.0), AT)
    assert found.odds == 0.0
    assert math.isnan(found.now)


def test_families_are_told_apart() -> None:
    """Wild timers of clients say nothing of processors."""
    rng = np.random.default_rng(9)
    wild = rng.standard_t(1.0, 400)

    def named(service: str, name: str, past: np.ndarray) -> Gauge:
        return gauge(service, past, past[:5], name=name, kind=Kind.RESOURCE, additive=False)

    found = tails((named("a", "timer", wild), named("b", "cpu", rng.normal(1.0, 0.1, 400))))
    assert set(found) == {"timer", "cpu"}
    assert found["timer"].beyond(40.0) > 10.0 * found["cpu"].beyond(40.0)
