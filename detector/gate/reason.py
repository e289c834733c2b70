"""Why a verdict is what it is: one closed enumeration of codes, with words for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["SIGNAL_NAMES", "Reason", "ReasonCode", "up"]


class ReasonCode(StrEnum):
    """Codes that are not about one signal, in the order in which they are given (gate.md 7)."""

    OVERRIDDEN = "overridden"
    ROLLBACK = "rollback"
    FIRST_STEP = "first_step"
    SOURCE_UNAVAILABLE = "source_unavailable"
    QUERY_REJECTED = "query_rejected"
    STALE_DATA = "stale_data"
    NO_CANARY_DATA = "no_canary_data"
    NO_CONTROL_DATA = "no_control_data"
    SIGNAL_MISSING = "signal_missing"
    INCOMPATIBLE_HISTOGRAMS = "incompatible_histograms"
    SHARED_INCIDENT = "shared_incident"
    BUDGET_BURNING = "budget_burning"
    SCAN_LIMIT = "scan_limit"
    SCAN_MISSING = "scan_missing"
    CAPACITY_SHORT = "capacity_short"
    CAPACITY_UNKNOWN = "capacity_unknown"
    CONTROL_EXHAUSTED = "control_exhausted"
    BURST = "burst"
    SUSPICIOUS = "suspicious"
    WARMING_UP = "warming_up"
    PARTIAL_DATA = "partial_data"
    COLLECTING = "collecting"
    LOAD_NOT_COMPARABLE = "load_not_comparable"
    NEEDS_PODS = "needs_pods"
    LOW_TRAFFIC = "low_traffic"
    DEADLINE_REACHED = "deadline_reached"
    HEALTHY = "healthy"


SIGNAL_NAMES = (
    "error_rate",
    "latency",
    "tail95",
    "tail99",
    "restarts",
    "log_templates",
    "cpu_per_request",
    "memory_growth",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A code of the closed list (or `<signal>_up`) and one sentence."""

    code: str
    text: str


def up(signal: str) -> str:
    """Code of a fail because `signal` rose."""
    return f"{signal}_up"
