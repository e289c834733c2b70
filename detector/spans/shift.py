"""How much longer or shorter a canary's requests take in an operation, and whose are compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from detector.spans.names import Operation

__all__ = ["Arms", "Measure", "TimeShift"]


class Measure(Enum):
    """Which time is compared."""

    PATH = "path"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Whose requests are compared: of a service some versions with some others, over a time.

    `since` and `until`: unix milliseconds, when requests began.
    """

    service: str
    canary: frozenset[str]
    control: frozenset[str]
    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShift:
    """How much longer the canary's requests to `entry` spend in `operation`, seconds a request.

    `low` and `high` bound the difference at 95 %. `is_certain`: it is not 0 either where it is
    taken into account that many operations are looked at. `is_total`: the request as a whole.
    """

    entry: Operation
    operation: Operation
    canary: float
    control: float
    value: float
    low: float
    high: float
    is_certain: bool
    is_total: bool
    canary_traces: int
    control_traces: int
