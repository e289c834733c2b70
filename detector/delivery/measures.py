"""The four measures of software delivery over a time, each with what it was counted of.

Nicole Forsgren, Jez Humble and Gene Kim, Accelerate, 2018; the bands are the levels of the
Accelerate State of DevOps Report of 2023, whose authors warn of comparing teams by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from detector.delivery.deployments import Deployment

__all__ = ["BOUNDS", "DEFINITIONS", "Band", "Measure", "Measures", "measured", "weekly"]

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
_HOUR_MS = 3_600_000


class Band(StrEnum):
    """How a measure compares with those that the report asked."""

    ELITE = "elite"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


# Where one band ends and the next begins: deployments a day (several, daily to weekly, weekly to
# monthly, less), milliseconds, and a share, of which the report has 5, 10, 15 and 64 per cent and
# a rate is of the nearest.
BOUNDS: Mapping[str, tuple[float, float, float]] = {
    "frequency": (1.0, 1 / 7, 1 / 30),
    "lead_time": (DAY_MS, WEEK_MS, 30 * DAY_MS),
    "failure_rate": (0.075, 0.125, 0.395),
    "restore_time": (_HOUR_MS, DAY_MS, WEEK_MS),
}
DEFINITIONS = {
    "frequency": (
        "Deployments to production a day. One counts when it ended, or began where nobody told"
        " its end; a rollback is none."
    ),
    "lead_time": (
        "Median time from the first merge of a version to its deployment, of deployments whose"
        " merge was told."
    ),
    "failure_rate": (
        "Share of deployments that failed, were rolled back within a day, or that an incident"
        " comes of: as people said, else as is likelier than not."
    ),
    "restore_time": (
        "Median time from the begin of what a failed deployment broke to its end: of its"
        " incidents, else until it was rolled back or the next deployment went well."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number with what it was counted of, and its band; None where there is nothing to count."""

    value: float | None
    count: int
    band: Band | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Of deployments in [since, until), unix milliseconds; times in milliseconds."""

    since: int
    until: int
    deployments: tuple[Deployment, ...]
    frequency: Measure
    lead_time: Measure
    failure_rate: Measure
    restore_time: Measure


def measured(deployments: Iterable[Deployment], since: int, until: int) -> Measures:
    """The measures of those that were deployed in a time; `ValueError` where it has no length."""
    if until <= since:
        raise ValueError("a time ends after it begins")
    own = tuple(one for one in deployments if since <= one.at < until)
    days = (until - since) / DAY_MS
    leads = [one.lead_ms for one in own if one.lead_ms is not None]
    failed = [one for one in own if one.has_failed]
    spans = [m.end - m.began for one in failed for m in one.mended if m.end is not None]
    rate = len(failed) / len(own) if own else None
    often = len(own) / days if own else None
    return Measures(
        since=since,
        until=until,
        deployments=own,
        frequency=Measure(value=often, count=len(own), band=_often(often)),
        lead_time=_median(leads, BOUNDS["lead_time"]),
        failure_rate=Measure(value=rate, count=len(own), band=_failing(rate)),
        restore_time=_median(spans, BOUNDS["restore_time"]),
    )


def weekly(deployments: Sequence[Deployment], since: int, until: int) -> tuple[Measures, ...]:
    """The same week by week, the last one as long as it is."""
    starts = range(since, until, WEEK_MS)
    return tuple(measured(deployments, at, min(until, at + WEEK_MS)) for at in starts)


def _median(values: Sequence[int], bounds: tuple[float, float, float]) -> Measure:
    if not values:
        return Measure(value=None, count=0, band=None)
    middle = float(median(max(0, value) for value in values))
    return Measure(value=middle, count=len(values), band=_below(middle, bounds))


def _below(value: float, bounds: Sequence[float]) -> Band:
    for band, bound in zip(Band, bounds, strict=False):
        if value < bound:
            return band
    return Band.LOW


def _often(a_day: float | None) -> Band | None:
    """The more the better."""
    if a_day is None:
        return None
    return _below(-a_day, [-bound for bound in BOUNDS["frequency"]])


def _failing(rate: float | None) -> Band | None:
    return None if rate is None else _below(rate, BOUNDS["failure_rate"])
