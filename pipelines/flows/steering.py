"""What one attempt knows of its canary's weight: sent with a question, else read from a gauge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detector.gate.attempt import Weight
from detector.gate.steering import read_weights, words
from detector.series import Answer, Query
from pipelines.flows.tape import Event, Told

__all__ = ["Steering", "read_of"]


@dataclass(slots=True, kw_only=True)
class Steering:
    """The newest weight, and whether the gauge is still asked for the next.

    `gauge` is the plan's, `start` that of the attempt. Once a weight was sent nothing is read.
    """

    gauge: Query | None
    start: float
    scale: float
    newest: Weight | None = None
    is_sent: bool = False

    @property
    def weight(self) -> float | None:
        """The newest weight in per cent."""
        return None if self.newest is None else self.newest.weight

    @property
    def queries(self) -> tuple[Query, ...]:
        """What to read beside the judge's own readings: one gauge at most."""
        return () if self.gauge is None or self.is_sent else (self.gauge,)

    def take(self, event: Told) -> None:
        """Hear what the judge was told."""
        self.newest = Weight(at=event.at, weight=event.weight, is_read=event.is_read)
        self.is_sent = self.is_sent or not event.is_read

    def news(self, answer: Answer, *, since: float, until: float) -> tuple[Told, ...]:
        """What the gauge shows that is new up to `until`; it was read up to `since` before."""
        newest = self.start if self.newest is None else self.newest.at
        found = read_weights(
            answer,
            self.weight,
            since=max(self.start, since, newest),
            until=until,
            time_scale=self.scale,
        )
        return tuple(Told(at=one.at, weight=one.weight, is_read=True) for one in found)

    def notes(self) -> tuple[str, ...]:
        """Where the weight came from, if it was not sent."""
        if self.gauge is None or self.newest is None or not self.newest.is_read:
            return ()
        return (words(self.gauge, self.newest),)


def read_of(events: Iterable[Event]) -> tuple[Weight, ...]:
    """The weights among events that were read from a gauge."""
    return tuple(
        Weight(at=event.at, weight=event.weight, is_read=True)
        for event in events
        if isinstance(event, Told) and event.is_read
    )
