"""Pages of the capacity that was last assessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detector.capacity.assessed import Assessment
from detector.capacity.report import Report
from detector.capacity.resource import Kind
from detector.errors import InputError
from models.baseline.calendar import DAY_MS
from pipelines.capacity.keeping import KeptCapacity

__all__ = ["CapacityFilter", "CapacityPage", "is_wanted", "page_of"]

_CURSOR = re.compile(r"(\d{1,14})\.(\d{1,7})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityFilter:
    """Which resources; None is any. `within_days`: that run out by then, by their P50."""

    service: str | None = None
    team: str | None = None
    namespace: str | None = None
    kind: Kind | None = None
    within_days: int | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPage:
    """Assessments of one page of a report, None before the first; `next` is None on the last."""

    report: Report | None
    assessments: tuple[Assessment, ...] = ()
    next: str | None = None


def page_of(kept: KeptCapacity, wanted: CapacityFilter) -> CapacityPage:
    """A page of the newest report; a later page is of the report that its cursor came from.

    `InputError` (field `cursor`) for a cursor that is none, `StoreError`.
    """
    made_at, start = (None, 0) if wanted.after is None else _read(wanted.after)
    report = kept.last() if made_at is None else kept.at(made_at)
    if report is None:
        return CapacityPage(report=None)
    found = [one for one in report.assessments if is_wanted(one, wanted)]
    end = start + wanted.limit
    following = f"{report.made_at}.{end}" if len(found) > end else None
    return CapacityPage(report=report, assessments=tuple(found[start:end]), next=following)


def is_wanted(one: Assessment, wanted: CapacityFilter) -> bool:
    """Whether a resource is among those."""
    about = one.identity
    return (
        wanted.service in {None, about.service}
        and wanted.team in {None, about.team}
        and wanted.namespace in {None, about.namespace}
        and wanted.kind in {None, about.kind}
        and (wanted.within_days is None or _is_within(one, wanted.within_days))
    )


def _is_within(one: Assessment, days: int) -> bool:
    found = one.exhaustion
    if found is None:
        return False
    is_reached = found.since is not None
    return is_reached or (found.p50 is not None and found.p50 <= one.as_of + days * DAY_MS)


def _read(cursor: str) -> tuple[int, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InputError("is no cursor that was given out", field="cursor")
    return int(found[1]), int(found[2])
