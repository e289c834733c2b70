"""Alerts on the burn rate: beyond chance, scaled by exposure, and silent about what is unknown."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.series import FloatArray
from detector.slo import burn
from detector.slo.burn import OURS, TEXTBOOK, Burning, Course, Rule

STEP = 300.0
DAY = 288


def burning(bad: FloatArray, total: FloatArray, usual: float, *, rule: Rule = OURS) -> burn.Ints:
    course = Course(bad=bad, total=total, usual=usual, step_s=STEP, budget=0.001, rule=rule)
    return burn.burning(course)


def worst(bad: FloatArray, total: FloatArray, *, usual: float, rule: Rule = OURS) -> Burning:
    found = burning(bad, total, usual, rule=rule)
    return list(Burning)[int(found.max())]


def steady(a_second: float, days: int = 3) -> FloatArray:
    return np.full(days * DAY, a_second * STEP)


def test_one_of_twenty_at_night_wakes_nobody() -> None:
    """The textbook does: a twentieth is fifty times what may fail."""
    total, bad = np.full(3 * DAY, 2.0), np.zeros(3 * DAY)
    bad[-1] = 1.0
    assert worst(bad, total, usual=2 / STEP, rule=TEXTBOOK) is Burning.PAGE
    assert worst(bad, total, usual=2 / STEP) is Burning.QUIET


def test_an_outage_at_night_wakes_somebody() -> None:
    """Everything fails, for an hour, of a tenth of the usual traffic."""
    total, bad = steady(1.0), np.zeros(3 * DAY)
    total[-24:] = 0.1 * STEP
    bad[-12:] = total[-12:]
    assert worst(bad, total, usual=1.0) is Burning.PAGE


def test_a_fast_burn_by_day_pages_as_the_textbook_has_it() -> None:
    """Two per cent of requests fail for an hour."""
    total, bad = steady(10.0), np.zeros(3 * DAY)
    bad[-12:] = 0.02 * total[-12:]
    assert worst(bad, total, usual=10.0) is Burning.PAGE
    assert worst(bad, total, usual=10.0, rule=TEXTBOOK) is Burning.PAGE


def test_what_is_over_is_not_alerted() -> None:
    """Half an hour after a short outage the page is gone."""
    total, bad = steady(10.0), np.zeros(3 * DAY)
    bad[-24:-20] = total[-24:-20]
    found = burning(bad, total, 10.0)
    page = list(Burning).index(Burning.PAGE)
    assert found[-21] == page
    assert found[-1] < page


def test_a_slow_leak_is_a_ticket() -> None:
    """Twice the budget for three days is no reason to wake up."""
    total = steady(10.0)
    assert worst(0.002 * total, total, usual=10.0) is Burning.TICKET


def test_silence_is_unknown() -> None:
    """No data, and no request, is not quiet."""
    gap, none = np.full(DAY, np.nan), np.zeros(DAY)
    assert worst(gap, gap, usual=1.0) is Burning.UNKNOWN
    assert worst(none, none, usual=1.0) is Burning.UNKNOWN


def test_chance_alone_does_not_alert() -> None:
    """A month of a service whose budget is spent to the last request, just in time."""
    rng = np.random.default_rng(7)
    total = rng.poisson(3.0, 28 * DAY).astype(float)
    bad = rng.binomial(total.astype(int), 0.001).astype(float)
    assert worst(bad, total, usual=3 / STEP) is Burning.QUIET
    assert worst(bad, total, usual=3 / STEP, rule=TEXTBOOK) is Burning.PAGE


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.1, 30.0), st.floats(0.0, 0.2))
def test_what_is_said_of_a_bin_does_not_change_later(seed: int, mean: float, share: float) -> None:
    """Restarted or never stopped, an objective has one state."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(mean, 40).astype(float)
    bad = rng.binomial(total.astype(int), share).astype(float)
    total[rng.random(40) < 0.1] = np.nan
    whole = burning(bad, total, mean / STEP)
    first = burning(bad[:25], total[:25], mean / STEP)
    assert whole[:25].tolist() == first.tolist()


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(0.0, 0.1))
def test_more_failures_never_calm(seed: int, share: float) -> None:
    """The alert of a bin only rises with what fails in it."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(20.0, 60).astype(float)
    bad = rng.binomial(total.astype(int), share).astype(float)
    more = np.minimum(bad + rng.integers(0, 3, 60), total)
    less, worse = (burning(x, total, 20 / STEP) for x in (bad, more))
    assert (worse >= less).all()
