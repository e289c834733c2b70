"""Which objective a past could have kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.series import FloatArray
from detector.slo.counts import Counts
from detector.slo.suggest import TARGETS, Reach, Suggestion, suggested
from tests.profiles import HEAVY

STEP_S, DAY, WEEK = 3600.0, 24, 168


def counts(bad: FloatArray, total: FloatArray) -> Counts:
    """Of hours."""
    return Counts(end=1e9, step_s=STEP_S, bad=bad, total=total)


def steady(share: float, *, days: int = 28, requests: float = 36_000.0) -> Counts:
    """So many requests an hour, of which a share fails."""
    total = np.full(days * DAY, requests)
    return counts(share * total, total)


def reach(found: Suggestion, target: float) -> Reach:
    """What was said of one."""
    return next(one for one in found.reaches if one.target == target)


@pytest.mark.parametrize(
    ("share", "target"),
    [(0.08, 0.9), (0.0099, 0.99), (0.003, 0.995), (0.0008, 0.999), (0.00015, 0.9998)],
)
def test_the_strictest_that_was_kept_is_suggested(share: float, target: float) -> None:
    """Each week was as the others."""
    found = suggested(steady(share))
    assert found.best is not None
    assert (found.best.target, found.best.kept, found.why) == (target, 1.0, "")
    assert found.days == 28.0
    assert found.bad == pytest.approx(share * found.total)


def test_one_bad_afternoon_is_in_a_quarter_of_the_weeks_and_counts() -> None:
    """A target that the one incident of the month broke was kept by luck else."""
    bad, total = np.full(28 * DAY, 3.6), np.full(28 * DAY, 36_000.0)
    bad[200:204] = 3_600
    found = suggested(counts(bad, total))
    assert found.best is not None
    assert found.best.target == 0.995
    assert 0.5 < reach(found, 0.9995).kept < 0.95
    assert reach(found, 0.9998).pages >= 1


def test_alerts_of_a_target_are_counted_as_they_would_have_begun() -> None:
    """Two incidents page twice, however long they last."""
    bad, total = np.zeros(28 * DAY), np.full(28 * DAY, 36_000.0)
    for hour in (200, 500):
        bad[hour : hour + 5] = 18_000
    strict = reach(suggested(counts(bad, total)), 0.999)
    assert strict.pages == 2
    assert strict.tickets >= strict.pages
    assert reach(suggested(steady(0.0001)), 0.999).pages == 0


def test_a_target_whose_budget_chance_spends_is_not_suggested() -> None:
    """A hundred requests an hour cannot promise five nines, though none failed."""
    found = suggested(steady(0.0, requests=100.0))
    assert found.best is not None
    assert found.best.target == 0.999
    assert reach(found, 0.9999).kept == 1.0
    assert not reach(found, 0.9999).is_kept


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (steady(0.0, days=9), "not enough history: needs 14 days of counts, has 9.0"),
        (steady(0.0, requests=0.0), "there were no requests"),
        (
            steady(0.0, requests=0.5),
            "too few requests: even 90% would allow 8.4 failures a week",
        ),
        (steady(0.3), "even 90% was kept in only 0% of the weeks"),
    ],
    ids=["young", "silent", "rare", "broken"],
)
def test_where_nothing_can_be_promised_it_says_why(history: Counts, why: str) -> None:
    """Never a confident line."""
    found = suggested(history)
    assert found.best is None
    assert found.why.startswith(why)


def test_gaps_are_not_days_without_failures() -> None:
    """A month of which ten days were counted is ten days."""
    total = np.full(28 * DAY, np.nan)
    total[: 10 * DAY] = 36_000.0
    found = suggested(counts(0.001 * total, total))
    assert found.best is None
    assert found.why.startswith("not enough history")


def test_a_week_that_was_hardly_counted_is_no_week_that_kept_it() -> None:
    """Only weeks of which at least half is known speak."""
    whole = steady(0.0008)
    bad, total = whole.bad.copy(), whole.total.copy()
    bad[9 * DAY : 17 * DAY] = total[9 * DAY : 17 * DAY] = np.nan
    found = suggested(counts(bad, total))
    assert found.best is not None
    assert found.best.target == 0.999
    assert found.days == 20.0


@HEAVY
@given(
    shares=st.lists(st.floats(0.0, 0.2), min_size=28, max_size=28),
    requests=st.floats(10.0, 1e6),
)
def test_a_stricter_target_is_never_kept_more_often(shares: list[float], requests: float) -> None:
    """And never allows more failures."""
    total = np.full(28 * DAY, requests)
    found = suggested(counts(np.repeat(shares, DAY) * total, total))
    kept = [one.kept for one in found.reaches]
    allowed = [one.allowed for one in found.reaches]
    assert [one.target for one in found.reaches] == list(TARGETS)
    assert kept == sorted(kept, reverse=True)
    assert allowed == sorted(allowed, reverse=True)
    assert found.best is None or found.best.is_kept


@HEAVY
@given(shares=st.lists(st.floats(0.0, 0.2), min_size=28, max_size=28), times=st.integers(2, 9))
def test_more_traffic_of_the_same_kind_breaks_nothing(shares: list[float], times: int) -> None:
    """What is kept is a share; only the floor of the budget is a count."""
    total = np.full(28 * DAY, 10_000.0)
    bad = np.floor(np.repeat(shares, DAY) * total)
    once, often = suggested(counts(bad, total)), suggested(counts(times * bad, times * total))
    assert [one.kept for one in once.reaches] == [one.kept for one in often.reaches]
