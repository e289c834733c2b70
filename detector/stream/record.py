"""Anomalies as they are kept and looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.stream.anomaly import Anomaly, Judged, Severity
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Tuning

__all__ = ["AnomalyFilter", "AnomalyPage", "KeptAnomaly", "KeptFeedback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFeedback:
    """What a person said, at unix milliseconds."""

    at: int
    judged: Judged
    person: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnomaly:
    """An anomaly with the series it contains, what was said of it, and what that changed.

    `series` and `tunings` by the id of a series; a series without feedback has no tuning. `part` is
    who found it: `local`, or a partition of a topic.
    """

    anomaly: Anomaly
    series: Mapping[int, SeriesInfo]
    feedback: tuple[KeptFeedback, ...] = ()
    tunings: Mapping[int, Tuning]
    part: str = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyFilter:
    """Which anomalies: those that lasted at some time in [since, until), newest start first.

    Times are unix milliseconds; `severity` is the least that is wanted; `after` is the `next` of
    the page before.
    """

    tenant: str
    service: str | None = None
    metric: str | None = None
    severity: Severity = Severity.LOW
    is_open: bool | None = None
    since: int | None = None
    until: int | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyPage:
    """Anomalies of one page; `next` is None on the last."""

    anomalies: tuple[KeptAnomaly, ...]
    next: str | None
