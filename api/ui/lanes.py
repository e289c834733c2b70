"""When each service showed something, and when what was changed: one lane each, on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.ui.wording import day_clock
from detector.changes.change import Change
from detector.incidents.incident import Incident
from detector.incidents.words import change_words
from detector.logs.plain import plain
from detector.stream.words import clock_text

__all__ = ["Bar", "Lane", "Lanes", "lanes_of"]

_MOST = 16
# Of the width, before the first and after the last.
_MARGIN = 0.03
_LEAST_MS = 600_000
# A change of long ago would leave no room for the incident.
_BACK = 3.0
_THIN = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From `x` on, `width` wide, in per cent of the axis."""

    x: float
    width: float
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A service with its bars, or a change (`number` above 0) with one; `words` for who listens."""

    name: str
    words: str
    bars: tuple[Bar, ...]
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The lanes from `begin` to `end`, which are said in words; `more` services have none."""

    lanes: tuple[Lane, ...]
    begin: str
    end: str
    more: int


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: float
    end: float

    def bar(self, start: float, end: float, severity: str) -> Bar:
        """Cut to the axis, and never too thin to be seen."""
        low, high = (self._at(start), self._at(end))
        return Bar(x=round(low, 2), width=round(max(_THIN, high - low), 2), severity=severity)

    def _at(self, at: float) -> float:
        return min(100.0, max(0.0, 100 * (at - self.begin) / (self.end - self.begin)))


def lanes_of(incident: Incident, changes: Sequence[Change], *, now: float) -> Lanes:
    """The suspects first, then who showed it, the first one first."""
    axis = _axis(incident, changes, 1000 * now)
    services = incident.services
    lanes = [_of_change(number, one, axis) for number, one in enumerate(changes, 1)]
    lanes += [_of_service(incident, name, axis, 1000 * now) for name in services[:_MOST]]
    return Lanes(
        lanes=tuple(lanes),
        begin=day_clock(axis.begin / 1000, near=now),
        end=day_clock(axis.end / 1000, near=now),
        more=max(0, len(services) - _MOST),
    )


def _axis(incident: Incident, changes: Sequence[Change], now: float) -> _Axis:
    over = now if incident.resolved_at is None else float(incident.resolved_at)
    ends = max(over, float(incident.began + _LEAST_MS))
    earliest = incident.began - _BACK * (ends - incident.began)
    begins = min([float(incident.began), *(one.started_at for one in changes)])
    begins = max(begins, earliest)
    margin = _MARGIN * (ends - begins)
    return _Axis(begins - margin, ends + margin)


def _of_change(number: int, change: Change, axis: _Axis) -> Lane:
    ended = change.ended_at or change.started_at
    words = f"{change_words(change)} at {clock_text(change.started_at)}"
    if ended < axis.begin:
        return Lane(
            name=plain(change_words(change)), words=f"{words}, before", bars=(), number=number
        )
    bar = axis.bar(change.started_at, ended, "change")
    return Lane(name=plain(change_words(change)), words=plain(words), bars=(bar,), number=number)


def _of_service(incident: Incident, service: str, axis: _Axis, now: float) -> Lane:
    own = [one for one in incident.symptoms if one.service == service]
    last = float(incident.resolved_at or now)
    bars = tuple(axis.bar(one.start, one.end or last, one.severity.value) for one in own)
    many = f"{len(own)} anomalies" if len(own) != 1 else "1 anomaly"
    words = f"{service}: {many} since {clock_text(own[0].start)}"
    return Lane(name=plain(service), words=plain(words), bars=bars)
