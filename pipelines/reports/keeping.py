"""Reports that are kept, and those of before against which a new one is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.capacity.report import Report, of_json, to_json
from detector.errors import InputError
from detector.reports.kept import KeptReport, ReportFilter, ReportStore
from models.baseline.calendar import DAY_MS

__all__ = ["BY_HAND", "Archive", "id_at"]

# What a report is called that a person asked for.
BY_HAND = "report"
# Earlier reports are looked at that are about so many days old.
_AGES_D = (7, 14, 30, 60, 90)
_PAGE, _PAGES = 200, 20
# What the background assesses is about all.
_EVERYTHING = "everything"


def id_at(at: int, name: str = "") -> str:
    """The id of the report of a moment (unix ms), as people type it: who asked for it, and when.

    >>> id_at(1_795_590_000_000, "weekly"), id_at(1_795_590_000_000)
    ('weekly-20261125-070000', 'report-20261125-070000')
    """
    told = datetime.fromtimestamp(at / 1000, UTC)
    return f"{name or BY_HAND}-{told:%Y%m%d-%H%M%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The reports of a tenant; every method raises `StoreError`."""

    store: ReportStore
    tenant: str = "default"

    def keep(self, report: Report, *, title: str, name: str = "") -> KeptReport | None:
        """The report as it is kept; None where one of its id was there before."""
        kept = KeptReport(
            id=id_at(report.made_at, name),
            tenant=self.tenant,
            name=name,
            at=report.made_at,
            horizon_s=report.horizon_s,
            scope=report.scope,
            title=title,
            body=to_json(report),
        )
        return kept if self.store.add(kept) else None

    def opened(self, id: str) -> Report:
        """Its content; `NotFoundError`, `InputError` for one of another version of serinus."""
        return of_json(self.store.get(self.tenant, id).body)

    def past(self, at: int, scope: str) -> Sequence[Report]:
        """Some of before unix ms that were about this or about all, the oldest first."""
        picked: dict[str, KeptReport] = {}
        every = [one for one in self._about() if one.scope in {scope, _EVERYTHING}]
        for days in _AGES_D:
            old = next((one for one in every if one.at <= at - days * DAY_MS), None)
            if old is not None:
                picked[old.id] = old
        return list(self._read(sorted(picked.values(), key=lambda one: one.at)))

    def _read(self, picked: Sequence[KeptReport]) -> Iterator[Report]:
        for one in picked:
            try:
                yield self.opened(one.id)
            except InputError:
                # Of another version: what it said cannot be held against what came.
                continue

    def _about(self) -> Iterator[KeptReport]:
        """Newest first, without content."""
        wanted = ReportFilter(tenant=self.tenant, limit=_PAGE)
        for _ in range(_PAGES):
            page = self.store.list(wanted)
            yield from page.reports
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)
