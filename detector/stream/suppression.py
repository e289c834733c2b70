"""Windows in which excursions are expected: planned maintenance, and what comes back each week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from detector.stream.anomaly import Subject
from models.baseline.calendar import Calendar, instant_of, local_of

__all__ = ["Window", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of unix milliseconds, `start` in it and `end` not; with `every_s` it comes back.

    It comes back by the clock on the wall of `calendar`: at the same time of day in summer and in
    winter, and lasts as long as the first time. Where clocks skip that time it begins as late
    after the skipped stretch began as it would have; of a time that comes twice it is the first
    (both as RFC 5545, 3.3.5). `service`, `namespace` and `metric` are patterns with `*` and `?`.
    What leaves its range in a window opens no anomaly; what is still out of it when the window is
    over does, from then on.
    """

    name: str
    start: int
    end: int
    every_s: int = 0
    calendar: Calendar = field(default_factory=Calendar)
    service: str = "*"
    namespace: str = "*"
    metric: str = "*"
    reason: str = ""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"the window {self.name!r} ends before it starts")
        if self.every_s and self.every_s * 1000 < self.end - self.start:
            raise ValueError(f"the window {self.name!r} comes back before it ends")

    def covers(self, subject: Subject, at: int) -> bool:
        """Whether an excursion of the subject at a moment is expected."""
        return self._is_within(at) and self._is_about(subject)

    def _is_within(self, at: int) -> bool:
        lasts = self.end - self.start
        if not self.every_s or at < self.start:
            return 0 <= at - self.start < lasts
        first, every = local_of(self.start, self.calendar), self.every_s * 1000
        number = (local_of(at, self.calendar) - first) // every
        # The clock on the wall may have gone back or forward since the window began.
        beside = (number + near for near in (-1, 0, 1) if number + near >= 0)
        begun = (instant_of(first + one * every, self.calendar) for one in beside)
        return any(0 <= at - start < lasts for start in begun)

    def _is_about(self, subject: Subject) -> bool:
        asked = (
            (subject.service, self.service),
            (subject.namespace, self.namespace),
            (subject.metric, self.metric),
        )
        return all(fnmatchcase(name, pattern) for name, pattern in asked)


def planned(windows: Sequence[Window], subject: Subject, at: int) -> Window | None:
    """The first window that covers a moment of a subject."""
    return next((window for window in windows if window.covers(subject, at)), None)
