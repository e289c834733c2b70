"""The background: when it is due, what is kept, what happens where something is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from detector.capacity.prices import Prices
from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.whatif import parse
from detector.errors import SourceError, StoreError
from detector.gate.telling import Notice, NoticeKind, Route
from detector.reports.kept import KeptReport
from models.forecast.history import History
from pipelines.capacity.alerting import CapacityAlerts
from pipelines.capacity.keeping import KeptCapacity
from pipelines.capacity.reading import Read
from pipelines.capacity.refreshing import Refreshing
from pipelines.stores.memory import memory_stores
from pipelines.stores.memory_reports import MemoryReports

NOW = 1_790_000_000 // 86_400 * 86_400.0
HOUR, DAY = 3600.0, 86_400.0


def disk(name: str, *, full_in_days: float, at: float = NOW, days: int = 60) -> Resource:
    """A disk that fills by half a GiB a day until its limit of 100."""
    hours = np.arange(24 * days)
    values = 100 - full_in_days / 2 + (hours - hours[-1]) / 48
    start = round(1000 * (at - 3600 * len(hours)))
    usage = History(values=values, start_ms=start, floor=0.0)
    return Resource(
        name=name, kind=Kind.DISK, unit="GiB", service="db", usage=usage, limit=Limit.of(100)
    )


@dataclass(slots=True)
class Reads:
    """Gives what it is told to, or raises."""

    resources: Sequence[Resource]
    left_out: Sequence[LeftOut] = ()
    error: SourceError | None = None
    asked: list[float] = field(default_factory=list)

    def read(self, as_of: float, *, timeout_s: float) -> Read:
        """As it was told."""
        self.asked.append(as_of)
        if self.error is not None:
            raise self.error
        return Read(as_of=as_of, resources=tuple(self.resources), left_out=tuple(self.left_out))


@dataclass(slots=True)
class Clock:
    """Set by hand."""

    at: float = NOW

    def __call__(self) -> float:
        return self.at


def refreshing(reads: Reads, kept: KeptCapacity | None = None, **more: object) -> Refreshing:
    """Every six hours, for 90 days."""
    return Refreshing(
        reads=reads,
        kept=kept or KeptCapacity(MemoryReports()),
        horizon_s=90 * 86_400,
        every_s=6 * HOUR,
        read_s=60,
        clock=Clock(),
        **more,  # type: ignore[arg-type]
    )


def test_a_report_is_made_at_once_and_then_when_it_is_due() -> None:
    """Whoever starts serinus sees something soon, and the source is left alone then."""
    reads = Reads([disk("data", full_in_days=20)])
    one = refreshing(reads)
    for hours in (0, 1, 5.9, 6.1, 7):
        one.clock.at = NOW + HOUR * hours  # type: ignore[attr-defined]
        one.look()
    assert reads.asked == [NOW, NOW + HOUR * 6.1]
    last = one.kept.last()
    assert last is not None
    assert last.made_at == round(1000 * (NOW + HOUR * 6.1))
    assert last.assessments[0].identity.name == "data"


def test_a_restart_goes_on_with_what_was_kept() -> None:
    """Another process answers from the report of the first, and makes none before it is due."""
    store = MemoryReports()
    first = refreshing(Reads([disk("data", full_in_days=20)]), KeptCapacity(store))
    first.look()
    reads = Reads([])
    second = refreshing(reads, KeptCapacity(store))
    second.look()
    assert reads.asked == []
    assert second.kept.last() == first.kept.last()


def test_a_source_that_fails_is_asked_again_a_quarter_later() -> None:
    """And what was known stays, with the reason why it is not newer."""
    reads = Reads([disk("data", full_in_days=20)], error=SourceError("Prometheus is down"))
    one = refreshing(reads)
    one.look()
    assert (one.failures, one.problem, one.kept.last()) == (1, "Prometheus is down", None)
    one.clock.at = NOW + 600  # type: ignore[attr-defined]
    one.look()
    reads.error = None
    one.clock.at = NOW + 901  # type: ignore[attr-defined]
    one.look()
    assert reads.asked == [NOW, NOW + 901]
    assert (one.problem, one.kept.last() is not None) == ("", True)


def test_what_is_left_out_is_in_the_report() -> None:
    """By reading, and by assessing."""
    reads = Reads([disk("data", full_in_days=20)], [LeftOut(name="redis.memory", why="refused")])
    report = refreshing(reads).made(NOW)
    assert [(one.name, one.why) for one in report.left_out] == [("redis.memory", "refused")]
    many = [LeftOut(name=str(at), why="x") for at in range(500)]
    report = refreshing(Reads([], many)).made(NOW)
    assert len(report.left_out) == 201
    assert report.left_out[-1].name == "300 more"


def test_what_is_supposed_is_in_the_report() -> None:
    """A planned campaign is a part of every date."""
    reads = Reads([disk("data", full_in_days=60)])
    bare = refreshing(reads).made(NOW).assessments[0]
    supposed = refreshing(
        reads,
        supposed=lambda now: (parse("usage +50%", now=now),),
        prices=Prices(currency="EUR", a_month={Kind.DISK: 1.0}),
    ).made(NOW)
    assert supposed.what_if == ("usage +50%",)
    assert bare.exhaustion is not None
    found = supposed.assessments[0].exhaustion
    assert found is not None
    assert found.p50 is not None
    assert bare.exhaustion.p50 is None or found.p50 < bare.exhaustion.p50


def test_earlier_reports_are_compared_with_what_came() -> None:
    """Last month we said."""
    store = MemoryReports()
    for ago in (35, 14, 0):
        at = NOW - ago * DAY
        one = refreshing(Reads([disk("data", full_in_days=20 + ago, at=at)]), KeptCapacity(store))
        one.clock.at = at  # type: ignore[attr-defined]
        one.look()
    last = KeptCapacity(store).last()
    assert last is not None
    accuracy = last.assessments[0].accuracy
    assert accuracy is not None
    assert accuracy.reports == 2
    assert accuracy.inside is not None


def test_the_report_of_a_past_moment_is_found() -> None:
    """The gate is asked what it would have said then."""
    kept = KeptCapacity(MemoryReports())
    one = refreshing(Reads([disk("data", full_in_days=20)]), kept)
    for hours in (0, 7, 14):
        one.clock.at = NOW + HOUR * hours  # type: ignore[attr-defined]
        one.look()
    found = kept.at(round(1000 * (NOW + 8 * HOUR)))
    assert found is not None
    assert found.made_at == round(1000 * (NOW + 7 * HOUR))
    assert kept.at(round(1000 * (NOW - 1))) is None


def test_a_store_that_fails_is_told_to_the_loop() -> None:
    """Which waits for it, and says so once."""

    class Down(MemoryReports):
        def add(self, report: KeptReport) -> bool:
            raise StoreError("full")

    one = refreshing(Reads([]), KeptCapacity(Down()))
    with pytest.raises(StoreError):
        one.look()
    assert one.kept.last() is None


# -- alerts


def heard(days: float, before: float | None, route: Route) -> list[Notice]:
    """The notices of a disk that fills in so many days, and did so before."""
    outbox = memory_stores().outbox
    alerts = CapacityAlerts(outbox, [route], days=14)
    alerts.heard(_report(days), None if before is None else _report(before))
    alerts.heard(_report(days), None if before is None else _report(before))
    errands = outbox.claim(route.name, now=NOW + 60, lease_s=60, most=10)
    return [errand.notice for errand in errands]


def _report(days: float) -> Report:
    return refreshing(Reads([disk("data", full_in_days=days)])).made(NOW)


def test_people_are_told_of_what_runs_out_soon() -> None:
    """Once, with the date, and what to do."""
    route = Route(name="chat", services=("db",))
    (notice,) = heard(8, 80, route)
    assert (notice.kind, notice.service) == (NoticeKind.CAPACITY, "db")
    assert notice.title.startswith("Disk data of db runs out about ")
    assert "Raise the limit" in notice.text
    assert notice.id.startswith("capacity:")
    assert heard(7.5, 8, route) == []
    assert heard(80, None, route) == []


def test_others_hear_nothing_of_it() -> None:
    """A receiver has its services and its kinds."""
    assert heard(8, None, Route(name="chat", services=("web",))) == []
    assert heard(8, None, Route(name="chat", kinds=frozenset({NoticeKind.FAIL}))) == []
