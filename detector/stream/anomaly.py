"""An anomaly: one signal of one service out of its expected range for one span of time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from detector.stream.traced import TraceNote

__all__ = [
    "Anomaly",
    "AnomalyKind",
    "AnomalyState",
    "Contribution",
    "Ending",
    "Happened",
    "Happening",
    "Judged",
    "LineNote",
    "MetricNote",
    "Severity",
    "Side",
    "Subject",
    "anomaly_id",
]


class Side(StrEnum):
    """On which side of its expected range a value lies."""

    ABOVE = "above"
    BELOW = "below"


class Severity(StrEnum):
    """How far beyond its range, and in how many of its series, a signal was at its worst."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class AnomalyState(StrEnum):
    """Whether it still lasts."""

    OPEN = "open"
    CLOSED = "closed"


class AnomalyKind(StrEnum):
    """What is odd: a value of a metric, all metrics of a service together, lines.

    Of lines those that nobody wrote before, or that nobody writes any more.
    """

    METRIC = "metric"
    SERVICE = "service"
    LOG_NOVELTY = "log_novelty"
    LOG_SILENCE = "log_silence"


class Ending(StrEnum):
    """Why an anomaly was closed."""

    CALM = "calm"
    SILENT = "silent"
    FEEDBACK = "feedback"


class Judged(StrEnum):
    """What a person said of an anomaly."""

    NORMAL = "normal"
    REAL = "real"


class Happening(StrEnum):
    """What an event tells of its anomaly."""

    OPENED = "opened"
    GREW = "grew"
    REOPENED = "reopened"
    CLOSED = "closed"
    TRACED = "traced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an anomaly is about: a metric's family of one service, empty words for unknown ones."""

    service: str
    namespace: str
    cluster: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One series of an anomaly at its worst; times in unix milliseconds, values in its own unit.

    Of counters `value` and its range are per second. `excess` is how many widths of the expected
    range the value lies outside of it; by chance a series is so odd 10 ** -`surprise` times a week.
    `end` is the last abnormal sample, None while it lasts.
    """

    series: int
    start: int
    peak_at: int
    end: int | None
    value: float
    expected: float
    low: float
    high: float
    surprise: float
    excess: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNote:
    """A template that an anomaly is about; all of it fit to be shown.

    `title` names it in a few words, `text` is the template, `line` the first of its lines. `count`
    is how many lines came of it, `every_s` how far apart they usually are, 0 where that is unknown.
    `before` is the level that it had until then, where only its level is new. `traces` are some of
    those that its lines were written in, in hexadecimal.
    """

    template: str
    level: str
    title: str
    text: str
    line: str
    count: int
    every_s: float = 0.0
    before: str = ""
    traces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricNote:
    """A metric of a service that is odd as a whole, and its share in that; shares add up to 1."""

    metric: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One excursion of one subject; its contributions, the worst first.

    `members` is how many series took part, of `live` that the subject has; the contributions of
    some dozens are kept. `start` and `end` are unix milliseconds of the first and the last abnormal
    sample; `again` is that of the first since it was last opened again, None if it never was. Of
    those about lines `lines` are the templates, in the order of the contributions; of those about a
    service so are `metrics`, and each contribution is one of them. `traces` are of requests at its
    time, where the service has spans.
    """

    id: str
    tenant: str
    subject: Subject
    side: Side
    severity: Severity
    state: AnomalyState
    ending: Ending | None
    start: int
    end: int | None
    members: int
    live: int
    contributions: tuple[Contribution, ...]
    kind: AnomalyKind = AnomalyKind.METRIC
    lines: tuple[LineNote, ...] = ()
    metrics: tuple[MetricNote, ...] = ()
    traces: tuple[TraceNote, ...] = ()
    again: int | None = None

    @property
    def peak(self) -> Contribution:
        """The contribution that is furthest outside of its range."""
        return self.contributions[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event: what happened to an anomaly, and the anomaly as it is then."""

    kind: Happening
    at: int
    anomaly: Anomaly


def anomaly_id(tenant: str, subject: Subject, side: Side, start: int, series: int) -> str:
    """The same for the same first abnormal sample, however often it is computed."""
    parts = (
        tenant, subject.cluster, subject.namespace, subject.service, subject.metric,
        side.value, str(start), str(series),
    )  # fmt: skip
    return "an_" + sha256("\0".join(parts).encode()).hexdigest()[:20]
