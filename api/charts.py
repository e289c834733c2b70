"""What a rollout's page draws: one chart per signal, values per bin on each side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Chart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Canary against control over time (unix seconds); NaN where nothing was counted."""

    signal: str
    unit: str
    times: Sequence[float]
    canary: Sequence[float]
    control: Sequence[float]
