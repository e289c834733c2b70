"""Alerts on a burn: one for each that is new, however long windows remember."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.series import FloatArray
from detector.slo.alerting import alerts, begins
from detector.slo.burn import Burning, Course, burning

STEP, DAY, BUDGET = 300.0, 288, 0.001
QUIET, TICKET, PAGE = (
    list(Burning).index(one) for one in (Burning.QUIET, Burning.TICKET, Burning.PAGE)
)

Ints = NDArray[np.int64]


def counted(bad: FloatArray, total: FloatArray, usual: float) -> Course:
    return Course(bad=bad, total=total, usual=usual, step_s=STEP, budget=BUDGET)


def told(bad: FloatArray, total: FloatArray) -> Ints:
    usual = float(np.nanmean(total)) / STEP
    return alerts(counted(bad, total, usual))


def state(bad: FloatArray, total: FloatArray) -> Ints:
    usual = float(np.nanmean(total)) / STEP
    return burning(counted(bad, total, usual))


def month(background: float, days: int = 28) -> tuple[FloatArray, FloatArray]:
    """Ten requests a second, of which a share of what may fails all the time."""
    total = np.full(days * DAY, 10 * STEP)
    return background * BUDGET * total, total


def course(
    seed: int, mean: float, share: float, bins: int = 4 * DAY
) -> tuple[FloatArray, FloatArray]:
    """Chance, an outage of two hours in it, and gaps."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(mean, bins).astype(float)
    chance = np.full(bins, 0.0004)
    begin = int(rng.integers(bins - 24))
    chance[begin : begin + 24] = share
    bad = rng.binomial(total.astype(int), chance).astype(float)
    total[rng.random(bins) < 0.05] = np.nan
    return bad, total


def test_an_outage_makes_one_alert() -> None:
    """For days after it whatever fails a little seems to go on with it: the state flickers."""
    rng = np.random.default_rng(3)
    total = rng.poisson(0.05 * STEP, 10 * DAY).astype(float)
    chance = np.full(10 * DAY, 0.0007)
    chance[3 * DAY : 3 * DAY + 20] = 0.3
    bad = rng.binomial(total.astype(int), chance).astype(float)
    assert len(begins(state(bad, total), Burning.TICKET)) > 3
    at = begins(told(bad, total), Burning.TICKET)
    assert len(at) == 1
    assert 3 * DAY <= at[0] < 3 * DAY + 3


def test_a_second_outage_of_the_same_day_is_told() -> None:
    """It spends the budget anew: that the first was told is no reason to be silent."""
    bad, total = month(0.2)
    for begin in (5 * DAY, 5 * DAY + 150):
        bad[begin : begin + 12] = 0.1 * total[begin : begin + 12]
    at = begins(told(bad, total), Burning.PAGE)
    assert [int(one) // 150 for one in at - 5 * DAY] == [0, 1]


def test_a_ticket_that_gets_worse_becomes_a_page() -> None:
    """A leak first, then an outage in the middle of it."""
    bad, total = month(2.0, days=6)
    bad[5 * DAY : 5 * DAY + 6] = 0.5 * total[5 * DAY : 5 * DAY + 6]
    level = told(bad, total)
    assert level[5 * DAY - 1] == TICKET
    assert level[5 * DAY + 2] == PAGE
    assert len(begins(level, Burning.TICKET)) == 1


def test_a_leak_that_comes_back_is_told_once_it_has_spent_as_much_again() -> None:
    """Half a day without it, then it goes on: the window of three days forgot what was told."""
    bad, total = month(0.1, days=14)
    bad[4 * DAY : 6 * DAY] = 0.003 * total[4 * DAY : 6 * DAY]
    bad[6 * DAY + 144 : 9 * DAY] = 0.003 * total[6 * DAY + 144 : 9 * DAY]
    now = begins(state(bad, total), Burning.TICKET)
    at = begins(told(bad, total), Burning.TICKET)
    assert len(now) == len(at) == 2
    assert at[0] == now[0]
    # At three times the pace that lasts, a third of three days is as much as they allow.
    assert DAY - 12 <= at[1] - (6 * DAY + 144) <= DAY + 12


def test_silence_is_unknown_and_no_alert() -> None:
    """Nobody is told of what nobody can see."""
    gap = np.full(DAY, np.nan)
    assert alerts(counted(gap, gap, 1.0)).max() < QUIET


def test_nothing_is_told_of_a_quiet_month() -> None:
    """Half of what may fail fails."""
    assert told(*month(0.5)).max() == QUIET


def test_it_begins_where_it_becomes_as_grave() -> None:
    """A page that began as a ticket is one ticket and one page."""
    level = np.array([QUIET, TICKET, PAGE, PAGE, QUIET, TICKET])
    assert begins(level, Burning.TICKET).tolist() == [1, 5]
    assert begins(level, Burning.PAGE).tolist() == [2]


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(1.0, 300.0), st.floats(0.0, 0.5))
def test_no_alert_without_a_burn(seed: int, mean: float, share: float) -> None:
    """What is told is what is there; and what is unknown stays so."""
    bad, total = course(seed, mean, share)
    level, now = told(bad, total), state(bad, total)
    assert ((level == now) | ((level == QUIET) & (now > QUIET))).all()


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(1.0, 300.0), st.floats(0.0, 0.5))
def test_the_first_burn_is_told_at_once(seed: int, mean: float, share: float) -> None:
    """Nothing was told before it that it could be a part of; and alerts are never more."""
    bad, total = course(seed, mean, share)
    now, at = (begins(f(bad, total), Burning.TICKET) for f in (state, told))
    assert len(at) <= len(now)
    assert at[:1].tolist() == now[:1].tolist()


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(1.0, 300.0), st.floats(0.0, 0.5), st.integers(1, 1000))
def test_what_was_told_of_a_bin_does_not_change_later(
    seed: int, mean: float, share: float, until: int
) -> None:
    """Whoever counts again tells the same."""
    bad, total = course(seed, mean, share)
    whole = alerts(counted(bad, total, mean / STEP))
    first = alerts(counted(bad[:until], total[:until], mean / STEP))
    assert whole[:until].tolist() == first.tolist()
