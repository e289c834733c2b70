"""What a bound of memory or of time cost, by name."""

from __future__ import annotations

from enum import Enum

__all__ = ["Lost"]


class Lost(Enum):
    """Why spans or traces are not where they could be; what could be counted of them, is."""

    DUPLICATES = "duplicates"
    OTHER_OPERATION = "other_operation"
    NO_SERIES = "no_series"
    NO_EDGE = "no_edge"
    NO_GROUP = "no_group"
    LONE_CALLER = "lone_caller"
    LONE_CALLEE = "lone_callee"
    WAITING_FULL = "waiting_full"
    CROWDED = "crowded"
    SEEN_FULL = "seen_full"
    TRACE_TOO_LONG = "trace_too_long"
    TRACE_GONE = "trace_gone"
    CYCLE = "cycle"
    MISSING_PARENT = "missing_parent"
    NAMES_FULL = "names_full"
