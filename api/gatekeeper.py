"""What the doors need of the gate: `pipelines.flows.gate.Gate` in life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.gate.decision import AuditEntry, ModeChange, Override
from detector.gate.policy import Mode, Policy
from detector.gate.record import Filter, Page, PolicyVersion
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome, Verdict
from pipelines.flows.gate import Rollout

__all__ = ["Gatekeeper"]


class Gatekeeper(Protocol):
    """Judges, remembers and lets people decide; safe for threads."""

    def judge(self, request: VerdictRequest) -> Verdict:
        """The verdict that is due; `InputError`, `NotFoundError`, `StoreError`."""
        ...

    def first_step(self, request: VerdictRequest) -> Verdict:
        """As `judge`, but yes once per attempt while no canary traffic could be seen."""
        ...

    def verdict(self, id: str) -> Verdict:
        """A stored verdict; `NotFoundError`."""
        ...

    def list(self, wanted: Filter) -> Page:
        """Stored verdicts, newest first."""
        ...

    def rollout(self, id: str, *, after: str | None = None, limit: int = 200) -> Rollout:
        """An attempt with its timeline; `NotFoundError`."""
        ...

    def export(self, id: str) -> bytes:
        """The evidence file of a verdict."""
        ...

    def override(
        self, attempt: str, *, outcome: Outcome, person: str, reason: str, for_s: float
    ) -> Override:
        """A person decides for an attempt."""
        ...

    def set_mode(
        self,
        mode: Mode | None,
        *,
        person: str,
        reason: str,
        for_s: float,
        service: str | None = None,
        tenant: str = "default",
    ) -> ModeChange:
        """Break-glass; None ends it."""
        ...

    def modes(self, tenant: str = "default") -> tuple[ModeChange, ...]:
        """The break-glass modes in force."""
        ...

    def policies(self) -> tuple[PolicyVersion, ...]:
        """The newest version of each policy."""
        ...

    def policy(self, policy: str | Policy) -> Policy:
        """A policy by name; `NotFoundError`."""
        ...

    def save_policy(self, policy: Policy, *, person: str, reason: str = "") -> int:
        """Save a named policy and return its version."""
        ...

    def audit(self, *, limit: int = 100, before: float | None = None) -> Sequence[AuditEntry]:
        """What people did, newest first."""
        ...
