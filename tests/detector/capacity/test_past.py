"""What past reports said, against what came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.capacity.assess import Assessment, assess
from detector.capacity.assessed import Accuracy, Exhaustion
from detector.capacity.days import days_of
from detector.capacity.past import accuracy
from detector.capacity.report import Report
from detector.capacity.resource import Limit, Resource
from detector.capacity.whatif import parse
from models.baseline.calendar import DAY_MS
from tests.detector.capacity.worlds import NOW, disk, hours

HORIZON_S = 60 * 86_400


def said(resource: Resource, days_ago: int, *what_if: str) -> Report:
    """The report of that day."""
    at = NOW - days_ago * DAY_MS
    found = assess(
        resource, horizon_s=HORIZON_S, as_of=at, what_if=[parse(one, now=at) for one in what_if]
    )
    return Report(made_at=at, horizon_s=HORIZON_S, scope="all", assessments=(found,))


def judged(resource: Resource, *past: Report) -> Accuracy | None:
    """Now."""
    days = days_of(resource.usage, resource.kind, NOW)
    return accuracy(past, resource.key, days, resource.kind, NOW)


GROWN = disk(limit=150.0, days=90, first=70.0)


def test_dates_that_came_are_held_against_those_that_were_said() -> None:
    """It passed 150 ten days ago, as was said two months and three weeks ago."""
    found = judged(GROWN, said(GROWN, 60), said(GROWN, 20))
    assert found is not None
    assert (found.reports, found.dates, found.within) == (2, 2, 2)
    assert found.date_error_days == pytest.approx(0, abs=2)
    assert found.error is not None
    assert found.error < 0.05
    assert found.inside is not None
    assert 0.5 < found.inside <= 1.0


def test_the_last_report_is_told_in_a_sentence() -> None:
    """With what was said, what came, and how far off it was."""
    found = judged(GROWN, said(GROWN, 60), said(GROWN, 20))
    assert found is not None
    assert found.sentence.startswith("On 11 October 2026 we said that the limit is reached: ")
    assert "; it was on 2" in found.sentence
    assert " than said. Usage was " in found.sentence


def test_a_report_of_this_week_is_not_judged_yet() -> None:
    """Nor one of another resource, nor one that asked what if."""
    other = replace(GROWN, name="other")
    assert judged(GROWN, said(GROWN, 6)) is None
    assert judged(GROWN, said(other, 30)) is None
    assert judged(GROWN, said(GROWN, 30, "traffic +40%")) is None
    assert judged(GROWN) is None


def test_a_date_that_has_not_come_yet_is_left_open() -> None:
    """It is no miss."""
    large = replace(GROWN, limit=Limit.of(185.0))
    found = judged(large, said(large, 30))
    assert found is not None
    assert (found.reports, found.dates, found.date_error_days) == (1, 0, None)
    assert "and it was not, as yet" in found.sentence


def test_a_date_that_went_by_without_is_a_miss() -> None:
    """The P90 is over, and the limit was not reached."""
    stopped = GROWN.usage.values.copy()
    stopped[62 * 24 :] = stopped[62 * 24]
    calm = replace(GROWN, usage=hours(stopped))
    found = judged(calm, said(calm, 30))
    assert found is not None
    assert (found.dates, found.within) == (1, 0)
    assert "; and it was not." in found.sentence
    assert found.inside is not None
    assert found.inside < 0.5


def test_a_limit_is_judged_as_it_was_then() -> None:
    """It was raised since, because we said so."""
    report = said(GROWN, 20)
    raised = replace(GROWN, limit=Limit(steps=((0, 150.0), (NOW - 15 * DAY_MS, 400.0))))
    found = judged(raised, report)
    assert found is not None
    assert (found.dates, found.within) == (1, 1)


def test_what_was_never_dated_is_judged_by_its_usage() -> None:
    """A resource without a limit, and one that was full already."""
    bare = replace(GROWN, limit=None)
    found = judged(bare, said(bare, 30))
    assert found is not None
    assert (found.dates, found.error is not None) == (0, True)
    assert found.sentence.startswith("On 1 October 2026 no date was said.")
    full = replace(GROWN, limit=Limit.of(80.0))
    over = judged(full, said(full, 30))
    assert over is not None
    assert over.dates == 0


def test_nothing_said_for_the_horizon_holds_if_nothing_came() -> None:
    """And only once the horizon is over."""
    idle = replace(disk(limit=400.0, days=90, first=70.0))
    report = said(idle, 61)
    found = judged(idle, report)
    assert found is not None
    assert (found.dates, found.within) == (1, 1)
    assert judged(idle, said(idle, 50)) == replace(
        judged(idle, said(idle, 50)) or found, dates=0, within=0
    )


def with_dates(one: Assessment, p10: float, p50: float, p90: float) -> Report:
    """The same that said other days from then."""
    dates = (int(one.as_of + days * DAY_MS) for days in (p10, p50, p90))
    p10_ms, p50_ms, p90_ms = dates
    found = replace(one, exhaustion=Exhaustion(chance=1.0, p10=p10_ms, p50=p50_ms, p90=p90_ms))
    return Report(made_at=one.as_of, horizon_s=HORIZON_S, scope="all", assessments=(found,))


@pytest.mark.parametrize(
    ("dates", "within", "error"),
    [((15, 20, 25), 1, 0.0), ((1, 5, 9), 0, 15.0), ((30, 35, 40), 0, 15.0), ((10, 16, 21), 1, 4.0)],
)
def test_what_was_said_too_early_or_too_late_is_counted(
    dates: tuple[float, float, float], within: int, error: float
) -> None:
    """It came twenty days after the report."""
    one = said(GROWN, 30).assessments[0]
    found = judged(GROWN, with_dates(one, *dates))
    assert found is not None
    assert (found.dates, found.within) == (1, within)
    assert found.date_error_days == pytest.approx(error, abs=1.5)


def test_gaps_since_then_are_no_errors() -> None:
    """What was not measured is not judged."""
    values = GROWN.usage.values.copy()
    report = said(GROWN, 30)
    values[-20 * 24 : -15 * 24] = np.nan
    found = judged(replace(GROWN, usage=hours(values)), report)
    assert found is not None
    assert found.error is not None
    assert found.error < 0.1
