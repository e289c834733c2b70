"""What people decide over the statistics, for how long it stands, and the record of who did what.

Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.gate.policy import Mode
from detector.gate.verdict import Outcome

__all__ = [
    "Action",
    "AuditEntry",
    "ModeChange",
    "Override",
    "standing_mode",
    "standing_override",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's decision on one attempt; it stands while `at <= t < until`."""

    attempt: str
    outcome: Outcome
    person: str
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """Break-glass: a mode for one service, or for all (`service` None), until it expires.

    `mode` None ends what stands of the same scope.
    """

    tenant: str
    service: str | None
    mode: Mode | None
    person: str
    reason: str
    at: float
    until: float


class Action(StrEnum):
    """What people do to the gate, and to what it learns."""

    OVERRIDE = "override"
    MODE = "mode"
    POLICY = "policy"
    PRUNE = "prune"
    LEARN = "learn"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, when and why."""

    at: float
    person: str
    action: Action
    subject: str
    reason: str


def standing_override(overrides: Sequence[Override], at: float) -> Override | None:
    """The newest override that stands at `at`; a newer one replaces an older for good."""
    made = [o for o in overrides if o.at <= at]
    newest = max(reversed(made), key=lambda o: o.at, default=None)
    return newest if newest is not None and at < newest.until else None


def standing_mode(changes: Sequence[ModeChange], service: str, at: float) -> ModeChange | None:
    """The break-glass mode in force for a service at `at`: its own before that of all."""
    for scope in (service, None):
        made = [c for c in changes if c.service == scope and c.at <= at]
        newest = max(reversed(made), key=lambda c: c.at, default=None)
        if newest is not None and newest.mode is not None and at < newest.until:
            return newest
    return None
