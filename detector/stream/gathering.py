"""Excursions of one subject gather into one anomaly, however many of its series take part."""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.stream.anomaly import (
    Anomaly,
    AnomalyState,
    Contribution,
    Ending,
    Happened,
    Happening,
    Severity,
    Side,
    Subject,
    anomaly_id,
)
from detector.stream.excursion import Excursion

__all__ = ["Gathering", "gathered", "severity_of"]

# Widths of the expected range that a value is outside of it at its worst.
_MEDIUM, _HIGH = 1.0, 3.0
# So many of a subject's series, and at least this part of them, make it one step more severe.
_MANY, _MOST = 3, 0.5
# An open anomaly is told anew when its peak or its series have grown by this factor.
_GROWN, _STEP = 1.25, 0.1
# Contributions that are kept of an anomaly; `members` counts all.
KEPT = 50


@dataclass(slots=True, kw_only=True)
class Gathering:
    """An open anomaly; `over` are contributions that ended, `under_way` series that last.

    `members` counts the series that took part; `told` is the excess, `told_members` the number of
    series that were last told of. `again` is when it was last opened after it had closed.
    """

    id: str
    subject: Subject
    side: Side
    start: int
    severity: Severity = Severity.LOW
    told: float = 0.0
    members: int = 0
    told_members: int = 0
    end: int = 0
    again: int | None = None
    over: dict[int, Contribution] = field(default_factory=dict)
    under_way: dict[int, Excursion] = field(default_factory=dict)

    def join(self, series: int, excursion: Excursion) -> None:
        """One more series; one that took part before begins anew and is counted once."""
        if self.members and not self.under_way:
            self.again = excursion.start
        if series not in self.over and series not in self.under_way:
            self.members += 1
        self.under_way[series] = excursion
        self.start = min(self.start, excursion.start)

    def leave(self, series: int) -> None:
        """A series is calm again, or silent."""
        excursion = self.under_way.pop(series)
        self.end = max(self.end, excursion.last)
        before = self.over.get(series)
        made = excursion.contribution(end=excursion.last)
        if before is None and len(self.over) >= KEPT:
            least = min(self.over.values(), key=badness)
            made = max((least, made), key=badness)
            del self.over[least.series]
        self.over[made.series] = made if before is None else _joined(before, made)

    def grow(self, excess: float, live: int) -> bool:
        """Take what a series shows now; whether that is worth telling."""
        severity = severity_of(max(excess, self.told), self.members, live)
        has_grown = (
            severity.rank > self.severity.rank
            or excess >= self.told * _GROWN + _STEP
            or self.members >= self.told_members * _GROWN
        )
        if has_grown:
            self.severity = max(severity, self.severity, key=lambda one: one.rank)
            self.told = max(excess, self.told)
            self.told_members = self.members
        return has_grown

    def happened(
        self, kind: Happening, at: int, *, tenant: str, live: int, ending: Ending | None = None
    ) -> Happened:
        """The event, with the anomaly as it is."""
        return Happened(kind=kind, at=at, anomaly=self._anomaly(tenant, live, ending))

    def _anomaly(self, tenant: str, live: int, ending: Ending | None) -> Anomaly:
        lasting = {n: one.contribution() for n, one in self.under_way.items()}
        again = {n: _joined(self.over[n], one) for n, one in lasting.items() if n in self.over}
        every = self.over | lasting | again
        ranked = sorted(every.values(), key=badness, reverse=True)
        return Anomaly(
            id=self.id,
            tenant=tenant,
            subject=self.subject,
            side=self.side,
            severity=self.severity,
            state=AnomalyState.OPEN if ending is None else AnomalyState.CLOSED,
            ending=ending,
            start=self.start,
            end=None if ending is None else self.end,
            members=self.members,
            live=max(live, self.members),
            contributions=tuple(ranked[:KEPT]),
            again=self.again,
        )


def gathered(place: str, subject: Subject, series: int, excursion: Excursion) -> Gathering:
    """The anomaly that a series' excursion opens."""
    id = anomaly_id(place, subject, excursion.side, excursion.start, series)
    return Gathering(
        id=id, subject=subject, side=excursion.side, start=excursion.start, end=excursion.start
    )


def badness(one: Contribution) -> tuple[float, float, int]:
    """What contributions are ranked by; of equals the older series is first."""
    return one.excess, one.surprise, -one.series


def severity_of(excess: float, members: int, live: int) -> Severity:
    """How bad it is: by its furthest value, one step more where most of its series are out.

    >>> severity_of(0.4, 1, 20).value, severity_of(0.4, 12, 20).value, severity_of(5.0, 1, 1).value
    ('low', 'medium', 'high')
    """
    rank = int(excess >= _MEDIUM) + int(excess >= _HIGH)
    rank += int(members >= _MANY and members >= _MOST * live)
    return list(Severity)[min(rank, 2)]


def _joined(before: Contribution, after: Contribution) -> Contribution:
    """Two excursions of one series within an anomaly: from the first's start, at the worse peak."""
    worse = max((before, after), key=badness)
    return Contribution(
        series=before.series,
        start=before.start,
        end=after.end,
        peak_at=worse.peak_at,
        value=worse.value,
        expected=worse.expected,
        low=worse.low,
        high=worse.high,
        surprise=worse.surprise,
        excess=worse.excess,
    )
