"""Who is told of what runs out: once for each time that it comes nearer."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.alarming import Level, level_of, nearing
from detector.capacity.assessed import Assessment, Curve, Exhaustion
from detector.capacity.report import Report
from detector.capacity.resource import Identity, Kind

DAY = 86_400_000
AS_OF = 1_790_000_000_000
NAMES = ("data", "logs", "heap")
days = st.none() | st.floats(0.0, 90.0)


def assessment(name: str, in_days: float | None, *, since: int | None = None) -> Assessment:
    """A disk that runs out in so many days; None is beyond the horizon."""
    at = None if in_days is None else AS_OF + round(in_days * DAY)
    return Assessment(
        identity=Identity(name=name, kind=Kind.DISK, unit="bytes", service="db"),
        as_of=AS_OF,
        horizon_s=90 * 86_400,
        usage=Curve(start_ms=0, step_s=86_400, values=(1.0,)),
        exhaustion=Exhaustion(chance=0.5, p10=at, p50=at, p90=at, since=since),
    )


def report(*assessments: Assessment) -> Report:
    """Of these."""
    return Report(made_at=AS_OF, horizon_s=90 * 86_400, scope="", assessments=assessments)


def told(found: Report, before: Report | None = None) -> list[tuple[str, Level]]:
    """What is news."""
    return [(one.assessment.identity.name, one.level) for one in nearing(found, before, days=14)]


def test_what_is_far_is_no_news() -> None:
    """A month is no reason to disturb anybody."""
    assert told(report(assessment("data", 30), assessment("logs", None))) == []


def test_the_first_report_tells_all_that_is_near() -> None:
    """Nobody was told before."""
    found = report(assessment("data", 10), assessment("logs", 2), assessment("heap", 60))
    assert told(found) == [("data", Level.NEAR), ("logs", Level.SOON)]


def test_what_was_told_is_told_again_only_when_it_is_nearer() -> None:
    """Every six hours the same line would be no line."""
    before = report(assessment("data", 10))
    assert told(report(assessment("data", 8)), before) == []
    assert told(report(assessment("data", 2)), before) == [("data", Level.SOON)]
    reached = report(assessment("data", 0, since=AS_OF))
    assert told(reached, before) == [("data", Level.REACHED)]
    assert nearing(reached, before, days=14)[0].title == "is used up"


def test_a_date_that_moves_by_days_has_one_name() -> None:
    """What is told twice under one name is kept once."""
    (first,) = nearing(report(assessment("data", 5)), None, days=14)
    (again,) = nearing(report(assessment("data", 7)), None, days=14)
    assert first.month == again.month == "2026-09"
    assert first.title == "runs out about 26 September 2026"


def test_what_has_no_date_is_far() -> None:
    """No forecast, no alarm."""
    bare = replace(assessment("data", 1), exhaustion=None, problem="not enough history")
    assert level_of(bare, 14) is Level.FAR


@given(days, days)
def test_an_earlier_date_is_never_further(one: float | None, other: float | None) -> None:
    """The order of levels is that of dates."""
    early, late = sorted((one, other), key=lambda at: float("inf") if at is None else at)
    ranks = [level_of(assessment("data", at), 14).rank for at in (early, late)]
    assert ranks[0] >= ranks[1]


@given(st.lists(days, min_size=3, max_size=3), st.lists(days, min_size=3, max_size=3))
def test_only_what_came_nearer_is_told(was: list[float | None], now: list[float | None]) -> None:
    """Whatever the dates were before."""
    before = report(*map(assessment, NAMES, was))
    found = report(*map(assessment, NAMES, now))
    expected = [
        name
        for name, old, new in zip(NAMES, before.assessments, found.assessments, strict=True)
        if level_of(new, 14).rank > level_of(old, 14).rank
    ]
    assert [name for name, _ in told(found, before)] == expected
    assert told(found, found) == []
