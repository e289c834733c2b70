"""Reports as they are composed: kept ones for who asks, and those that are made by a schedule."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from api.capacity import capacity_reader
from api.pool import Pool
from api.reports.gist import gist_of
from api.reports.picture import picture_of
from api.reports.words import Wall
from api.settings import Settings
from detector.capacity.report import Report
from detector.errors import ConfigError, NotFoundError, SerinusError
from detector.gate.telling import Notice, Route
from detector.ports import Clock, Stores
from detector.reports.kept import ReportStore
from pipelines.capacity.ranges import PrometheusRanges, open_ranges
from pipelines.capacity.reading import Names
from pipelines.flows.looping import Loop
from pipelines.reports.chromium import PRINT_S
from pipelines.reports.keeping import Archive
from pipelines.reports.making import Making
from pipelines.reports.scheduled import Schedule, Scheduled, Told
from pipelines.zones import calendar_of

__all__ = [
    "Reporting",
    "Scheduling",
    "open_scheduling",
    "pictured",
    "reporting_of",
    "told_of",
    "wall_of",
]

_LOOK_S = 30.0
_PRINTS_WAITING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Reports that are kept, with the clock by which people read them.

    `browser` prints PDF, Chromium if not told, in `printer`, which is no room of the gate's: it
    takes seconds of a core, and one page at a time.
    """

    store: ReportStore
    wall: Wall
    browser: str | None = None
    printer: Pool = field(
        default_factory=lambda: Pool(concurrent=1, queued=_PRINTS_WAITING, bound_s=PRINT_S)
    )

    def archive(self, tenant: str) -> Archive:
        """Those of a tenant."""
        return Archive(store=self.store, tenant=tenant)


def reporting_of(reporting: Reporting | None) -> Reporting:
    """Where nothing is kept there are no reports."""
    if reporting is None:
        raise NotFoundError("This serinus keeps no reports.")
    return reporting


def wall_of(settings: Settings) -> Wall:
    """The clock of `reports.zone`, else of the stream."""
    zone = settings.reports.zone or settings.stream.zone
    return Wall(calendar=calendar_of(zone), zone=zone or "UTC")


def told_of(report: Report, wall: Wall) -> Told:
    """A report as a message tells it."""
    first, *lines = gist_of(report, wall)
    return Told(title=f"Capacity of {report.scope}: {first}", lines=tuple(lines))


def pictured(
    reporting: Reporting, others: Callable[[Notice], bytes] | None
) -> Callable[[Notice], bytes]:
    """The picture of a notice: of a report what runs out when, of others as they have it."""

    def charts(notice: Notice) -> bytes:
        if not notice.report:
            return b"" if others is None else others(notice)
        try:
            report = reporting.archive(notice.tenant).opened(notice.report)
            return picture_of(report, reporting.wall)
        except (SerinusError, ValueError, ArithmeticError, OSError) as error:
            log = structlog.get_logger("serinus.notify")
            log.info("told without a chart", report=notice.report, error=str(error))
            return b""

    return charts


@dataclass(slots=True)
class Scheduling:
    """What makes reports in the background."""

    scheduled: Scheduled
    loop: Loop
    ranges: PrometheusRanges

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        registry.register(_Failures(self.scheduled))
        self.loop.start()

    def close(self) -> None:
        """End, once what is under way is done."""
        self.loop.close()
        self.ranges.close()


def open_scheduling(
    settings: Settings,
    names: Names,
    stores: Stores,
    *,
    routes: Sequence[Route] = (),
    clock: Clock = time.time,
) -> Scheduling | None:
    """What the settings ask for, not begun; None where they ask for nothing.

    `ConfigError` for a notifier that there is not, and for a source that knows no PromQL.
    """
    schedules = settings.reports.native(settings.stream.zone)
    if not schedules:
        return None
    _check(schedules, routes)
    ranges, wall = open_ranges(settings.source.native()), wall_of(settings)
    archive = Archive(store=stores.reports)
    # Each reads its own again and again, of which only the newest.
    reads = {
        one.name: capacity_reader(
            settings,
            names,
            stores.changes,
            ranges,
            services=one.order.services,
            team=one.order.team,
        )
        for one in schedules
    }

    def makes(schedule: Schedule) -> Making:
        return Making(
            reads=reads[schedule.name],
            read_s=settings.capacity.read_s,
            prices=settings.capacity.prices.native(),
            past=lambda at: archive.past(at, schedule.order.scope),
        )

    scheduled = Scheduled(
        schedules=schedules,
        makes=makes,
        archive=archive,
        outbox=stores.outbox,
        routes=routes,
        clock=clock,
        told=lambda report: told_of(report, wall),
    )
    return Scheduling(scheduled, Loop("reports", scheduled.look, every_s=_LOOK_S), ranges)


def _check(schedules: Sequence[Schedule], routes: Sequence[Route]) -> None:
    """A notifier that is misspelt would never be told."""
    known = {route.name for route in routes}
    for schedule in schedules:
        for name in schedule.to:
            if name not in known:
                there = ", ".join(sorted(known)) or "none"
                raise ConfigError(
                    f"reports.scheduled.{schedule.name}.to: there is no notifier {name!r} in"
                    f" notify.to; there are: {there}"
                )


@dataclass(slots=True, eq=False)
class _Failures(Collector):
    """Reports that could not be made when they were due."""

    scheduled: Scheduled

    def collect(self) -> Sequence[Metric]:
        """The family."""
        words = "Tries to make a scheduled report that failed."
        return [
            CounterMetricFamily("serinus_report_failures", words, value=self.scheduled.failures)
        ]
