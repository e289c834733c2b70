"""Capacity as it was last assessed, kept over restarts: what doors and the gate answer from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from detector.capacity.report import Report, of_json, to_json
from detector.errors import InputError
from detector.reports.kept import BACKGROUND, KeptReport, ReportFilter, ReportStore
from models.baseline.calendar import DAY_MS

__all__ = ["NAME", "KeptCapacity", "KeptOutlooks"]

NAME = BACKGROUND
_PAGE, _PAGES = 200, 20
# Reports that are compared with what came: of about these days ago.
_AGES_D = (7, 14, 30, 60, 90)
_SCOPE = "everything"
_FRESH_S = 60.0


@dataclass(slots=True)
class KeptCapacity:
    """The reports of the background, by when they were made; safe for threads.

    Every method raises `StoreError`.
    """

    store: ReportStore
    tenant: str = "default"
    _last: Report | None = None
    _read: dict[str, Report] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, report: Report) -> None:
        """The newest from now on; replicas that made one for the same moment keep one of them."""
        body = to_json(report)
        title = report.summary[0] if report.summary else "Capacity"
        self.store.add(
            KeptReport(
                id=f"{NAME}-{report.made_at:013d}",
                tenant=self.tenant,
                name=NAME,
                at=report.made_at,
                horizon_s=report.horizon_s,
                scope=_SCOPE,
                title=title,
                body=body,
            )
        )
        with self._lock:
            self._last = report

    def last(self) -> Report | None:
        """The newest that this process knows of; looked up once after a start."""
        with self._lock:
            if self._last is not None:
                return self._last
        return self.renewed()

    def renewed(self) -> Report | None:
        """The newest of all replicas."""
        found = next(self._about(), None)
        if found is None:
            return None
        with self._lock:
            if self._last is not None and self._last.made_at >= found.at:
                return self._last
        report = self._opened(found)
        with self._lock:
            self._last = report or self._last
            return self._last

    def at(self, as_of: int) -> Report | None:
        """The newest that was there at unix ms."""
        last = self.last()
        if last is not None and last.made_at <= as_of:
            return last
        found = next((one for one in self._about() if one.at <= as_of), None)
        return None if found is None else self._opened(found)

    def past(self, as_of: int) -> Sequence[Report]:
        """Some earlier ones, the oldest first: a week old, two, a month and more."""
        every = list(self._about())
        picked: dict[str, KeptReport] = {}
        for days in _AGES_D:
            before = [one for one in every if one.at <= as_of - days * DAY_MS]
            if before:
                picked[before[0].id] = before[0]
        opened = (self._opened(one) for one in sorted(picked.values(), key=lambda one: one.at))
        return [one for one in opened if one is not None]

    def _about(self) -> Iterator[KeptReport]:
        """Newest first, without their content."""
        after = None
        for _ in range(_PAGES):
            page = self.store.list(
                ReportFilter(tenant=self.tenant, name=NAME, after=after, limit=_PAGE)
            )
            yield from page.reports
            if page.next is None:
                return
            after = page.next

    def _opened(self, about: KeptReport) -> Report | None:
        """Its content; None for one of another version of serinus, which is made anew."""
        with self._lock:
            if about.id in self._read:
                return self._read[about.id]
        try:
            report = of_json(self.store.get(self.tenant, about.id).body)
        except InputError:
            return None
        with self._lock:
            if len(self._read) >= 2 * len(_AGES_D):
                self._read.clear()
            self._read[about.id] = report
        return report


@dataclass(slots=True)
class KeptOutlooks:
    """`Outlooks` of what is kept, by this process or another replica; looked up once a minute."""

    kept: KeptCapacity
    monotonic: Callable[[], float] = monotonic
    _looked_at: float = float("-inf")

    def at(self, as_of: float) -> Report | None:
        """See `Outlooks`."""
        now = self.monotonic()
        if now - self._looked_at >= _FRESH_S:
            self.kept.renewed()
            self._looked_at = now
        return self.kept.at(round(1000 * as_of))
