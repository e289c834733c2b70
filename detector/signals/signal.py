"""A signal: one thing that can get worse, with what is tolerated and what absence means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Absent", "Direction", "Kind", "Shape", "Signal", "Unit"]


class Kind(StrEnum):
    """How a signal is measured."""

    RATIO = "ratio"
    LATENCY = "latency"
    RATE = "rate"
    GAUGE = "gauge"
    EVENTS = "events"


class Direction(StrEnum):
    """Which way harm points."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Absent(StrEnum):
    """What it means that the harmful series does not exist beside the exposure it belongs to."""

    ZERO = "zero"
    UNSURE = "unsure"
    FAIL = "fail"


class Unit(StrEnum):
    """What one series of a pack stands for."""

    POD = "pod"
    WORKLOAD = "workload"
    PROXY = "proxy"


class Shape(StrEnum):
    """How the samples of a metric are to be read."""

    COUNTER = "counter"
    BUCKETS = "buckets"
    GAUGE = "gauge"
    START_TIME = "start_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What is judged, before it is bound to a service.

    `tolerate`, `limit` are log ratios and None means the engine's default for the signal's row;
    `weight` is the share of alpha, None for the default; `judged` False means advisory (shown,
    its e-value is 1); `required` signals hold back `pass`. `grows`: of a gauge its growth is
    compared, not its level. `promoted`: an advisory one that the service's own placebos certify.
    """

    name: str
    kind: Kind
    direction: Direction = Direction.UP
    unit: str = "ratio"
    tolerate: float | None = None
    limit: float | None = None
    weight: float | None = None
    required: bool = False
    judged: bool = True
    absent: Absent = Absent.UNSURE
    grows: bool = False
    promoted: bool = False
