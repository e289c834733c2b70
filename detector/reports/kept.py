"""Reports that were made and are kept: what they are about, and their content as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "BACKGROUND",
    "BACKGROUND_DAYS",
    "MOST_BYTES",
    "KeptReport",
    "ReportFilter",
    "ReportPage",
    "ReportStore",
]

# Of the content: a fleet's report has a few kilobytes for each resource.
MOST_BYTES = 2**28
# What those are called that are made every few hours for whoever asks. They go sooner: none older
# than 90 days is held against what came, and a year of them is gigabytes.
BACKGROUND, BACKGROUND_DAYS = "capacity", 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """One report. `at`: the moment for which it was made, unix milliseconds.

    `name` is the schedule that asked for it, empty where a person did; `title` its first words,
    `scope` whose resources it is about. `body` is the report as JSON, empty in lists. ValueError
    where that is more than is kept.
    """

    id: str
    tenant: str
    name: str
    at: int
    horizon_s: int
    scope: str
    title: str
    body: bytes = b""

    def __post_init__(self) -> None:
        if len(self.body) > MOST_BYTES:
            raise ValueError(f"a report of {len(self.body):,} bytes is too large to be kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter:
    """Which reports, newest first; `after` is the `next` of the page before.

    `for_people`: without those of the background, which nobody asked for.
    """

    tenant: str
    name: str | None = None
    scope: str | None = None
    for_people: bool = False
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Reports of one page, without their content; `next` is None on the last."""

    reports: tuple[KeptReport, ...]
    next: str | None


class ReportStore(Protocol):
    """Reports by tenant; every method raises `StoreError`."""

    def add(self, report: KeptReport) -> bool:
        """Keep one durably; False where one of that id was kept before, which stays as it was."""
        ...

    def get(self, tenant: str, id: str) -> KeptReport:
        """By id, with its content; `NotFoundError`."""
        ...

    def list(self, wanted: ReportFilter) -> ReportPage:
        """Those that are wanted, newest first."""
        ...
