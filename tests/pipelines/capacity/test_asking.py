"""Pages of what was assessed, what is kept of it, and signals as queries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import Assessment, Curve, Exhaustion
from detector.capacity.report import Report
from detector.capacity.resource import Identity, Kind
from detector.errors import InputError
from detector.series import Matcher, MatchOp, Query
from detector.slo.objective import Counted
from pipelines.capacity.asking import CapacityFilter, is_wanted, page_of
from pipelines.capacity.keeping import KeptCapacity, KeptOutlooks
from pipelines.capacity.signals import query_of
from pipelines.stores.memory_reports import MemoryReports

AT = 1_790_000_000_000
DAY_MS = 86_400_000


def assessment(number: int, *, days: float | None = None, kind: Kind = Kind.DISK) -> Assessment:
    """A disk of one of three services, that runs out in so many days."""
    at = None if days is None else AT + round(days * DAY_MS)
    return Assessment(
        identity=Identity(
            name=f"d{number}", kind=kind, unit="bytes", service=f"s{number % 3}", team="t"
        ),
        as_of=AT,
        horizon_s=90 * 86_400,
        usage=Curve(start_ms=0, step_s=86_400, values=()),
        exhaustion=None if at is None else Exhaustion(chance=0.5, p10=at, p50=at, p90=None),
    )


def report(count: int, made_at: int = AT) -> Report:
    """Of so many."""
    found = tuple(assessment(number) for number in range(count))
    return Report(made_at=made_at, horizon_s=90 * 86_400, scope="", assessments=found)


def kept(*reports: Report) -> KeptCapacity:
    """What keeps these."""
    held = KeptCapacity(MemoryReports())
    for one in reports:
        held.keep(one)
    return held


@given(st.integers(0, 40), st.integers(1, 13), st.sampled_from([None, "s1"]))
def test_pages_have_each_resource_once_and_in_order(
    count: int, limit: int, service: str | None
) -> None:
    """However small they are, and whatever is filtered."""
    held = kept(report(count))
    found: list[Assessment] = []
    wanted = CapacityFilter(limit=limit, service=service)
    while True:
        page = page_of(held, wanted)
        assert len(page.assessments) <= limit
        found += page.assessments
        if page.next is None:
            break
        wanted = replace(wanted, after=page.next)
    every = report(count).assessments
    assert found == [one for one in every if service in {None, one.identity.service}]


def test_a_page_is_of_the_report_that_the_one_before_was_of() -> None:
    """An assessment between two pages moves nothing from one to the other."""
    held = kept(report(4))
    first = page_of(held, CapacityFilter(limit=2))
    held.keep(report(1, made_at=AT + 1000))
    second = page_of(held, CapacityFilter(limit=2, after=first.next))
    assert [one.identity.name for one in second.assessments] == ["d2", "d3"]


@pytest.mark.parametrize("cursor", ["", "1", "a.b", "1.2.3", "9" * 40])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    """It was not given out here."""
    with pytest.raises(InputError, match="no cursor"):
        page_of(kept(), CapacityFilter(after=cursor))


def test_without_a_report_there_is_no_page() -> None:
    """And without its report, no later page."""
    assert page_of(kept(), CapacityFilter()).report is None
    assert page_of(kept(report(1)), CapacityFilter(after="5.0")).report is None


@pytest.mark.parametrize(
    ("days", "within", "found"), [(5, 7, True), (8, 7, False), (None, 7, False)]
)
def test_what_runs_out_by_then_is_wanted(days: float | None, within: int, found: bool) -> None:
    """By its P50; what has no date does not run out by then."""
    assert is_wanted(assessment(1, days=days), CapacityFilter(within_days=within)) is found


def test_another_replica_s_report_is_found_within_a_minute() -> None:
    """The gate asks the store once a minute, whoever assessed."""
    store, now = MemoryReports(), [0.0]
    outlooks = KeptOutlooks(KeptCapacity(store), monotonic=lambda: now[0])
    assert outlooks.at(AT / 1000) is None
    KeptCapacity(store).keep(report(1))
    found = outlooks.at(AT / 1000)
    assert found is not None
    KeptCapacity(store).keep(report(2, made_at=AT + 1000))
    assert outlooks.at(AT / 1000 + 5) == found
    now[0] = 61.0
    late = outlooks.at(AT / 1000 + 5)
    assert late is not None
    assert late.made_at == AT + 1000
    assert outlooks.at(AT / 1000) == found


def test_what_another_version_kept_is_made_anew() -> None:
    """Its report cannot be read: there is none, and no error."""
    store = MemoryReports()
    KeptCapacity(store).keep(report(1))
    (key,) = store.rows
    store.rows[key] = replace(store.rows[key], body=b'{"schema": 99}')
    assert KeptCapacity(store).last() is None
    assert list(KeptCapacity(store).past(AT + 30 * DAY_MS)) == []


def test_a_signal_is_a_query_over_the_whole_service() -> None:
    """As discovery selects it."""
    own = (Matcher("service", MatchOp.EQUAL, "web"),)
    bad = (*own, Matcher("code", MatchOp.MATCHES, "5.."))
    counted = Counted(total=Query("hits", own), part=Query("hits", bad), part_is_good=False)
    assert query_of(counted, "requests") == 'sum(rate(hits{service="web"}[5m]))'
    assert query_of(counted, "error_rate") == (
        '(sum(rate(hits{service="web",code=~"5.."}[5m])) or 0 * sum(rate(hits{service="web"}[5m])))'
        ' / sum(rate(hits{service="web"}[5m]))'
    )
