"""Windows in which excursions are expected: planned maintenance, and what comes back each week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from detector.stream.anomaly import Subject

__all__ = ["Window", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of unix milliseconds, `start` in it and `end` not; with `every_s` it comes back.

    `service`, `namespace` and `metric` are patterns with `*` and `?`. What leaves its range in a
    window opens no anomaly; what is still out of it when the window is over does, from then on.
    """

    name: str
    start: int
    end: int
    every_s: int = 0
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
        since = at - self.start
        if self.every_s and since >= 0:
            since %= self.every_s * 1000
        is_within = 0 <= since < self.end - self.start
        return is_within and self._is_about(subject)

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
