"""How objectives stand: what is unknown is never fine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.series import Query
from detector.slo.burn import PAIRS, Burning
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Counted, Objective
from detector.slo.standing import LONGEST_S, course_of, standing_of
from detector.slo.window import Rolling

STEP, DAY = 300.0, 288
WEEK = 7 * DAY
OBJECTIVE = Objective(
    name="availability",
    service="checkout",
    target=0.999,
    window=Rolling(seconds=WEEK * STEP, text="7d"),
    indicator=Counted(total=Query("all_total"), part=Query("bad_total"), part_is_good=False),
)


def counts(share: float = 0.0002, lately: float | None = None, silent: int = 0) -> Counts:
    """A week of ten requests a second, of which a share fails; another one in the last hour."""
    total = np.full(WEEK, 10 * STEP)
    bad = share * total
    if lately is not None:
        bad[-12:] = lately * total[-12:]
    bad[WEEK - silent :] = total[WEEK - silent :] = np.nan
    return Counts(end=WEEK * STEP, step_s=STEP, bad=bad, total=total)


def test_a_calm_objective() -> None:
    """A fifth of its budget is spent, at a fifth of the pace that lasts."""
    found = standing_of(OBJECTIVE, counts(), 0.0)
    assert (found.burning, found.flaw, found.counted_to) == (Burning.QUIET, None, WEEK * STEP)
    assert found.budget.left == pytest.approx(0.8)
    assert [one.pair for one in found.paces] == list(PAIRS)
    assert [one.long for one in found.paces] == [pytest.approx(0.2)] * 3
    assert [one.short for one in found.paces] == [pytest.approx(0.2)] * 3


def test_an_outage_of_an_hour() -> None:
    """Fifty times too fast in the hour, and less over days."""
    found = standing_of(OBJECTIVE, counts(lately=0.05), 0.0)
    assert found.burning is Burning.PAGE
    hour, six, days = (one.long or 0.0 for one in found.paces)
    assert hour == pytest.approx(50.0)
    assert hour > six > days > 0.2
    assert found.gone is not None


def test_a_source_that_fell_silent_is_not_quiet() -> None:
    """Windows of days would say so for hours."""
    found = standing_of(OBJECTIVE, counts(silent=2), 0.0)
    assert (found.burning, found.flaw) == (Burning.UNKNOWN, Flaw.STALE_DATA)
    assert found.counted_to == (WEEK - 2) * STEP


def test_a_sample_that_is_late_is_no_silence() -> None:
    """One bin may be missing."""
    found = standing_of(OBJECTIVE, counts(silent=1), 0.0)
    assert (found.burning, found.flaw) == (Burning.QUIET, None)


@pytest.mark.parametrize("flaw", [Flaw.NO_DATA, Flaw.SOURCE_FAILED, Flaw.GOOD_ABOVE_TOTAL])
def test_what_cannot_be_counted_is_unknown(flaw: Flaw) -> None:
    """And says why."""
    found = standing_of(OBJECTIVE, flaw, 0.0)
    assert (found.burning, found.flaw, found.budget.left) == (Burning.UNKNOWN, flaw, None)
    assert {(one.long, one.short) for one in found.paces} == {(None, None)}


def test_without_requests_nothing_burns_and_nothing_is_fine() -> None:
    """Counters that stand still for a week."""
    nothing = np.zeros(WEEK)
    found = standing_of(
        OBJECTIVE, Counts(end=WEEK * STEP, step_s=STEP, bad=nothing, total=nothing), 0.0
    )
    assert (found.burning, found.flaw) == (Burning.UNKNOWN, Flaw.NO_EVENTS)
    assert found.budget.left is None


def test_burns_look_back_further_than_a_budget_of_a_day() -> None:
    """The budget is of the last day, the longest window is of three."""
    found = standing_of(OBJECTIVE, counts(lately=0.05), (WEEK - DAY) * STEP)
    assert found.budget.total == pytest.approx(DAY * 10 * STEP)
    over = found.paces[-1]
    assert over.pair.long_s == LONGEST_S
    assert over.long == pytest.approx((864 * 0.2 + 12 * 49.8) / 864, rel=1e-3)


@settings(max_examples=25)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 40))
def test_more_failures_never_stand_better(share: float, lately: float, silent: int) -> None:
    """Neither in what is left nor in how fast it burns."""
    less, more = (
        standing_of(OBJECTIVE, counts(min(one), max(one), silent=silent), 0.0)
        for one in ((share / 2, lately / 2), (share, lately))
    )
    assert (less.budget.left or 0.0) >= (more.budget.left or 0.0) - 1e-9
    assert all(
        (a.long or 0.0) <= (b.long or 0.0) + 1e-9
        for a, b in zip(less.paces, more.paces, strict=True)
    )
    if silent > 1:
        assert Burning.UNKNOWN is less.burning is more.burning


def test_what_is_usual_is_of_what_was_counted() -> None:
    """A gap is no night."""
    course = course_of(counts(silent=DAY), 0.001)
    assert course.usual == pytest.approx(10.0)
