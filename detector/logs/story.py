"""What is told of logs: new lines of a service that gather into a story, and anomalies of lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from detector.logs.lines import Level
from detector.stream.anomaly import (
    Anomaly,
    AnomalyKind,
    AnomalyState,
    Contribution,
    Ending,
    Happened,
    Happening,
    LineNote,
    Severity,
    Side,
    Subject,
)
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.excursion import EXCESS_MAX

__all__ = ["Noted", "Story", "Telling", "named", "series_of"]

# Templates that are kept of an anomaly; `members` counts all.
_KEPT = 50
# An open anomaly is told anew when its templates or its lines have grown so much.
_GROWN_MEMBERS, _GROWN_LINES = 1.25, 4.0


def series_of(subject: Subject, level: str, template: str) -> SeriesInfo:
    """What a template of a service is as a series."""
    labels = {
        "__name__": "serinus_log_lines",
        "cluster": subject.cluster,
        "level": level.lower(),
        "namespace": subject.namespace,
        "service": subject.service,
        "template": template,
    }
    told = tuple((label, value) for label, value in labels.items() if value)
    return SeriesInfo(labels=told, kind=SeriesKind.DELTA)


def named(anomaly: Anomaly) -> dict[int, SeriesInfo]:
    """What the numbers of an anomaly's contributions stood for when it was told."""
    pairs = zip(anomaly.contributions, anomaly.lines, strict=True)
    return {
        one.series: series_of(anomaly.subject, line.level, line.template) for one, line in pairs
    }


@dataclass(slots=True, kw_only=True)
class Story:
    """New templates of a service that came shortly after each other.

    `lines` are how many came of them by level, `is_learned` whether it may be told, `is_counted`
    whether it tells how usual such stories are, `is_told` whether it was told.
    """

    start: int
    newest: int
    is_deploy: bool
    is_learned: bool
    is_counted: bool
    is_told: bool = False
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=lambda: [0] * len(Level))


@dataclass(slots=True, kw_only=True)
class Noted:
    """A template of an anomaly: when its lines came, or when they were missed."""

    note: LineNote
    level: int
    start: int
    last: int
    surprise: float
    is_over: bool = False


@dataclass(slots=True, kw_only=True)
class Telling:
    """An anomaly of lines that is open, or rests.

    `again` is when what opened it last began, after it had closed.
    """

    id: str
    kind: AnomalyKind
    subject: Subject
    service: int
    start: int
    newest: int
    again: int | None = None
    is_deploy: bool = False
    severity: Severity = Severity.LOW
    members: int = 0
    told_members: int = 0
    told_lines: int = 0
    noted: dict[int, Noted] = field(default_factory=dict)

    def join(self, row: int, noted: Noted) -> bool:
        """One more template; whether it is kept."""
        if row in self.noted:
            noted.start = self.noted[row].start
        elif len(self.noted) >= _KEPT:
            self.members += 1
            return False
        else:
            self.members += 1
        self.noted[row] = noted
        self.newest = max(self.newest, noted.last)
        return True

    def came(self, row: int, count: int, at: int) -> None:
        """Lines came of one of its templates."""
        held = self.noted[row]
        held.note = replace(held.note, count=held.note.count + count)
        held.last, self.newest = max(held.last, at), max(self.newest, at)

    def has_grown(self) -> bool:
        """Whether it is worth telling again."""
        lines = sum(one.note.count for one in self.noted.values())
        is_more = self.members >= self.told_members * _GROWN_MEMBERS
        is_more &= self.members > self.told_members
        is_more |= lines >= max(self.told_lines, 1) * _GROWN_LINES
        if is_more:
            self.told_members, self.told_lines = self.members, lines
        return is_more

    def happened(
        self, kind: Happening, at: int, *, tenant: str, live: int, ending: Ending | None = None
    ) -> Happened:
        """The event, with the anomaly as it is."""
        lines = sum(one.note.count for one in self.noted.values())
        self.told_members, self.told_lines = self.members, lines
        ranked = sorted(
            self.noted.items(), key=lambda one: (-one[1].level, -one[1].note.count, one[0])
        )
        is_new = self.kind is AnomalyKind.LOG_NOVELTY
        anomaly = Anomaly(
            id=self.id,
            tenant=tenant,
            subject=self.subject,
            side=Side.ABOVE if is_new else Side.BELOW,
            severity=self.severity,
            state=AnomalyState.OPEN if ending is None else AnomalyState.CLOSED,
            ending=ending,
            start=self.start,
            end=None if ending is None else self.newest,
            members=self.members,
            live=max(live, self.members),
            contributions=tuple(self._contribution(row, one, ending) for row, one in ranked),
            kind=self.kind,
            lines=tuple(one.note for _, one in ranked),
            again=self.again,
        )
        return Happened(kind=kind, at=at, anomaly=anomaly)

    def _contribution(self, row: int, one: Noted, ending: Ending | None) -> Contribution:
        """Of what is new none was expected; of what is missing one line each time."""
        is_new = self.kind is AnomalyKind.LOG_NOVELTY
        expected = 0.0 if is_new else 1.0
        return Contribution(
            series=row,
            start=one.start,
            peak_at=one.last,
            end=one.last if ending is not None or one.is_over else None,
            value=float(one.note.count) if is_new else 0.0,
            expected=expected,
            low=expected,
            high=expected,
            surprise=one.surprise,
            excess=EXCESS_MAX,
        )
