"""Reports that are due by a schedule: made, kept, and told to those who want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from detector.capacity.report import Report
from detector.errors import InputError, NotFoundError, SourceError
from detector.gate.telling import Notice, NoticeKind, Post, Route, addressed
from detector.ports import Clock, Outbox
from detector.reports.moments import Moment
from pipelines.reports.keeping import Archive, id_at
from pipelines.reports.making import Order

__all__ = ["Makes", "Schedule", "Scheduled", "Told"]

# A report that could not be made is tried again after so long, and given up a day after it was due.
_AGAIN_S, _LATE_S = 900.0, 86_400.0


class Makes(Protocol):
    """What makes reports."""

    def made(self, order: Order, as_of: float) -> Report:
        """As it was due at a moment, unix seconds; `SourceError`, `InputError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One report again and again. `to`: notifiers by name; empty is all who want reports."""

    name: str
    moment: Moment
    order: Order
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report as a message tells it: a headline, and lines beneath."""

    title: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class Scheduled:
    """Makes what is due, once; several replicas may: the first that keeps one tells of it.

    `told` gives the words of a report. `failures` counts those that could not be made; of one
    thread.
    """

    schedules: Sequence[Schedule]
    makes: Callable[[Schedule], Makes]
    archive: Archive
    outbox: Outbox
    routes: Sequence[Route]
    clock: Clock
    told: Callable[[Report], Told]
    failures: int = 0
    _done: dict[str, float] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)

    def look(self) -> bool:
        """Make the next one that is due; `StoreError`. True where there may be more at once."""
        now = self.clock()
        for schedule in self.schedules:
            at = schedule.moment.before(now)
            if self._is_due(schedule, at, now):
                self._make(schedule, at, now)
                return True
        return False

    def _is_due(self, schedule: Schedule, at: float, now: float) -> bool:
        """What is a day late is left for the next moment, so is the past of a new schedule."""
        if now - at > _LATE_S or self._done.get(schedule.name) == at:
            return False
        return now >= self._not_before.get(schedule.name, at)

    def _make(self, schedule: Schedule, at: float, now: float) -> None:
        """Make, keep and tell; what is kept already is told: who kept it may have died since."""
        id, log = id_at(round(1000 * at), schedule.name), structlog.get_logger("serinus.reports")
        try:
            report = self._kept(id) or self.makes(schedule).made(schedule.order, at)
        except (SourceError, InputError) as error:
            self.failures += 1
            self._not_before[schedule.name] = now + _AGAIN_S
            log.warning("a report could not be made", report=id, error=str(error))
            return
        told = self.told(report)
        self.archive.keep(report, title=told.title, name=schedule.name)
        self.outbox.put(self._posts(schedule, told, id, now))
        self._done[schedule.name] = at
        log.info("a report was made", report=id)

    def _kept(self, id: str) -> Report | None:
        """What another replica, or this process before it was started anew, made of it."""
        try:
            return self.archive.opened(id)
        except NotFoundError:
            return None

    def _posts(self, schedule: Schedule, told: Told, id: str, now: float) -> Sequence[Post]:
        notice = Notice(
            id=f"report:{id}",
            kind=NoticeKind.REPORT,
            at=now,
            tenant=self.archive.tenant,
            title=told.title,
            text="\n".join(told.lines),
            report=id,
        )
        routes = [one for one in self.routes if not schedule.to or one.name in schedule.to]
        return addressed(notice, routes)
