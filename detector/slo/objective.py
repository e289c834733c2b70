"""A service level objective: which share of requests is to be good, over which window."""

from __future__ import annotations

from dataclasses import dataclass

from detector.series import Query
from detector.slo.window import Calendar, Rolling

__all__ = ["BurnCondition", "Counted", "Objective", "OfSignal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """An indicator of counters: all events, and those that are good, or else those that are bad."""

    total: Query
    part: Query
    part_is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSignal:
    """An indicator that discovery binds: the signal of this name of the objective's service.

    Of a latency a request is good where it took `below` seconds at most.
    """

    signal: str
    namespace: str = ""
    below: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnCondition:
    """Alert when the budget burns `threshold` times too fast over a window, and goes on so."""

    name: str
    severity: str
    threshold: float
    lookback_s: float
    after_s: float
    inclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is promised of a service; `target` is a share, at least 0 and below 1.

    `conditions`: burn-rate conditions of its own; without any the usual ones hold.
    """

    name: str
    service: str
    target: float
    window: Rolling | Calendar
    indicator: Counted | OfSignal
    conditions: tuple[BurnCondition, ...] = ()

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target
