"""Reports, kept in memory."""

from __future__ import annotations

from dataclasses import replace

from detector.errors import NotFoundError
from detector.gate.record import FAIL_DAYS
from detector.reports.kept import BACKGROUND, BACKGROUND_DAYS, KeptReport, ReportFilter, ReportPage
from models.baseline.calendar import DAY_MS
from pipelines.stores.cursors import cursor_at, read_cursor

__all__ = ["MemoryReports"]


class MemoryReports:
    """`ReportStore`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], KeptReport] = {}

    def add(self, report: KeptReport) -> bool:
        """Keep one; what was kept before stays."""
        key = (report.tenant, report.id)
        return self.rows.setdefault(key, report) is report

    def get(self, tenant: str, id: str) -> KeptReport:
        """By id; `NotFoundError`."""
        if (tenant, id) not in self.rows:
            raise NotFoundError(f"there is no report {id!r}")
        return self.rows[tenant, id]

    def list(self, wanted: ReportFilter) -> ReportPage:
        """Newest first, one page."""
        found = [one for one in list(self.rows.values()) if _is_wanted(one, wanted)]
        found.sort(key=lambda one: (one.at, one.id), reverse=True)
        page, is_more = found[: wanted.limit], len(found) > wanted.limit
        return ReportPage(
            reports=tuple(replace(one, body=b"") for one in page),
            next=cursor_at(page[-1].at, page[-1].id) if is_more else None,
        )

    def prune(self, before: int) -> None:
        """Forget those of before unix milliseconds; of the background those of 300 days later."""
        sooner = before + DAY_MS * (FAIL_DAYS - BACKGROUND_DAYS)
        for key, one in list(self.rows.items()):
            if one.at < (sooner if one.name == BACKGROUND else before):
                del self.rows[key]


def _is_wanted(one: KeptReport, wanted: ReportFilter) -> bool:
    return (
        one.tenant == wanted.tenant
        and wanted.name in {None, one.name}
        and wanted.scope in {None, one.scope}
        and not (wanted.for_people and one.name == BACKGROUND)
        and (wanted.after is None or (one.at, one.id) < read_cursor(wanted.after))
    )
