"""What a controller asks: one rollout, one moment, one policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from detector.gate.policy import Policy

__all__ = ["Stage", "VerdictRequest"]


class Stage(StrEnum):
    """What is asked: `step`, may we go on?  `final`, may it become the new stable?."""

    STEP = "step"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRequest:
    """One question to the gate; times are aware UTC, `weight` is per cent of traffic.

    `clusters`: the same rollout in each of them, an attempt each, and the worst answer counts.
    """

    service: str
    canary: str
    control: str | None = None
    namespace: str | None = None
    cluster: str | None = None
    rollout: str | None = None
    revision: str | None = None
    attempt: str | None = None
    started_at: datetime | None = None
    deadline: datetime | None = None
    as_of: datetime | None = None
    weight: float | None = None
    stage: Stage = Stage.STEP
    policy: str | Policy = "default"
    tenant: str = "default"
    clusters: tuple[str, ...] = ()
