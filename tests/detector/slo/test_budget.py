"""The error budget is of summed counts, and what is not known is never fine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.slo.budget import budget_of, exhaustion
from detector.slo.counts import Counts, Flaw, counts_of

NAN = math.nan
FEW = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 1000)), min_size=1, max_size=40)


def counts(bad: list[float], total: list[float], *, step_s: float = 3600.0) -> Counts:
    found = counts_of(
        np.array(bad, float), np.array(total, float), part_is_good=False, end=0.0, step_s=step_s
    )
    assert isinstance(found, Counts)
    return found


def test_a_quiet_night_does_not_weigh_like_the_day() -> None:
    """One of two at night and none of a million by day is no half per cent of failure."""
    budget = budget_of(counts([1, 0], [2, 999_998]), 0.001)
    assert (budget.bad, budget.total, budget.allowed) == (1.0, 1e6, 1000.0)
    assert budget.left == pytest.approx(0.999)


def test_an_overspent_budget_is_below_zero() -> None:
    """How far over is worth knowing."""
    assert budget_of(counts([30], [1000]), 0.01).left == pytest.approx(-2.0)


@given(FEW, st.floats(0.001, 0.5))
def test_splitting_a_bin_changes_nothing(bins: list[tuple[int, int]], share: float) -> None:
    """Sums do not care how they were cut."""
    bad = [float(min(x, n)) for x, n in bins]
    total = [float(n) for _, n in bins]
    whole, cut = (
        budget_of(counts(*parts), share)
        for parts in (
            (bad, total),
            ([x / 2 for x in bad for _ in "ab"], [n / 2 for n in total for _ in "ab"]),
        )
    )
    assert (whole.left is None) == (cut.left is None)
    assert cut.left == pytest.approx(whole.left)


FLAWED = {
    "more good than there were": ([12.0], [10.0], Flaw.GOOD_ABOVE_TOTAL),
    "negative": ([-1.0], [10.0], Flaw.NEGATIVE),
    "endless": ([math.inf], [math.inf], Flaw.NOT_A_NUMBER),
    "nothing known": ([NAN], [NAN], Flaw.NO_DATA),
    "no bin": ([], [], Flaw.NO_DATA),
    "no request": ([0.0], [0.0], Flaw.NO_EVENTS),
}


@pytest.mark.parametrize(("good", "total", "flaw"), FLAWED.values(), ids=FLAWED.keys())
def test_what_cannot_be_is_unknown(good: list[float], total: list[float], flaw: Flaw) -> None:
    """A broken query never says that all is well."""
    found = counts_of(np.array(good), np.array(total), part_is_good=True, end=0.0, step_s=60.0)
    budget = budget_of(found, 0.01)
    assert (budget.left, budget.flaw) == (None, flaw)


def test_a_request_between_two_scrapes_is_no_flaw() -> None:
    """Good may be read a moment after the total."""
    found = counts_of(np.array([11.0]), np.array([10.0]), part_is_good=True, end=0.0, step_s=60.0)
    assert budget_of(found, 0.01).left == 1.0


def test_a_gap_is_not_good() -> None:
    """What was not seen counts on neither side, and how much was seen is told."""
    budget = budget_of(counts([1, NAN], [100, NAN]), 0.1)
    assert (budget.total, budget.known) == (100.0, 0.5)


def test_since_keeps_the_newest_bins() -> None:
    """An hour of a day."""
    assert counts([1, 2, 3], [9, 9, 9]).since(-7200.0).bad.tolist() == [2.0, 3.0]


def test_a_steady_burn_is_foretold() -> None:
    """28 days, a tenth is spent, and lately one of a hundred fails where one of a thousand may."""
    bad = [0.0] * 24 * 27 + [10.0] * 24
    found = exhaustion(counts(bad, [1000.0] * 24 * 28), 0.001, is_rolling=True)
    assert found is not None
    left = 672 - 240
    assert found.middle_s == pytest.approx(left / 10 * 3600, abs=3600)
    assert found.low_s < found.middle_s < found.high_s


def test_a_window_of_the_calendar_still_earns_its_budget() -> None:
    """Half of a month has passed: what is to come has a budget too."""
    found = exhaustion(counts([2.0] * 100, [1000.0] * 100), 0.002, is_rolling=False)
    assert found is not None
    assert found.middle_s == 0.0
    later = exhaustion(counts([1.0] * 100, [1000.0] * 100), 0.002, is_rolling=False)
    assert later is not None
    assert math.isinf(later.middle_s)


def test_without_data_nothing_is_foretold() -> None:
    """Not that it lasts for ever."""
    assert exhaustion(counts([0.0, NAN], [10.0, NAN]), 0.1, is_rolling=True) is None


@given(st.floats(0.5, 20.0), st.floats(1.1, 3.0))
def test_a_faster_burn_ends_sooner(rate: float, times: float) -> None:
    """All three ends move together."""
    slow, fast = (
        exhaustion(counts([0.0] * 200 + [one] * 8, [1e4] * 208), 0.0005, is_rolling=True)
        for one in (rate, rate * times)
    )
    assert slow is not None
    assert fast is not None
    assert fast.middle_s <= slow.middle_s
    assert fast.low_s <= slow.low_s
