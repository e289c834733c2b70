"""A policy: how strictly a service's rollouts are judged, and what the answer may do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from detector.capacity.rule import CapacityRule
from detector.gate.expression import Expression
from detector.scans.rule import ScanRule
from detector.slo.policy import BudgetPolicy

__all__ = ["Mode", "Policy", "RollbackRule", "SignalPolicy"]


class Mode(StrEnum):
    """What a controller is told: the answer under this mode."""

    SHADOW = "shadow"
    ADVISE = "advise"
    PAUSE = "pause"
    ENFORCE = "enforce"


class RollbackRule(StrEnum):
    """Whether a return to a known stable revision passes at once or is judged."""

    PASS = "pass"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPolicy:
    """Overrides of one signal; None keeps the pack's or the engine's default.

    `tolerate` and `limit` are relative increases (0.05 is 5 %); `tolerate_points` and
    `limit_points` are absolute differences of a ratio (0.001 is 0.1 percentage points).
    """

    tolerate: float | None = None
    limit: float | None = None
    tolerate_points: float | None = None
    limit_points: float | None = None
    weight: float | None = None
    required: bool | None = None
    judged: bool | None = None


class _Digested:
    """Room for a digest that is computed once: every answer names it."""

    __slots__ = ("_digest",)
    _digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(_Digested):
    """One named policy. Seconds are of the scrape clock at `time_scale` 1.

    `alpha`: chance that a healthy attempt ever fails. `slo`: share of good requests promised.
    `promises_slo`: the promise was written down, and judges what has neither control nor past;
    `latency_slo_s`: 95 % of its requests are promised within so many seconds.
    `pass_level`: confidence of the bound of harm. `fail_when`, `pass_needs`: which signals in which
    combination decide; None: any that is judged fails, all that are required are needed.
    `budget`: what is left of the service's error budgets holds a pass, or tightens all limits.
    `scans`: what scanners may have found in a revision that passes.
    `needs`: by what the evidence that a fail needs is multiplied at least, as was learned of the
    service; set when an attempt begins.
    `capacity`: within what time no resource of the service may run out for a final pass.
    `time_scale`: demo and tests only; 1/15 makes one second count as fifteen, in every time
    constant of the engine alike.
    """

    name: str = "default"
    mode: Mode = Mode.ENFORCE
    alpha: float = 0.005
    slo: float = 0.999
    promises_slo: bool = False
    latency_slo_s: float | None = None
    pass_level: float = 0.95
    min_step_s: float = 180.0
    min_total_s: float = 600.0
    history_s: float = 7200.0
    time_scale: float = 1.0
    rollback: RollbackRule = RollbackRule.PASS
    allow_control_exhausted: bool = False
    allow_cross_cluster: bool = False
    fail_when: Expression | None = None
    pass_needs: Expression | None = None
    budget: BudgetPolicy | None = None
    scans: ScanRule | None = None
    capacity: CapacityRule | None = None
    needs: float = 1.0
    signals: Mapping[str, SignalPolicy] = field(default_factory=dict)

    @property
    def limits(self) -> float:
        """By what both limits of every signal are multiplied."""
        return 1.0 if self.budget is None else self.budget.limits

    @property
    def digest(self) -> str:
        """`name@sha256:...` over every field, so that a stored verdict names what judged it.

        A field that came later counts where it was set: what a policy says without it is what it
        said before, and a verdict of then is replayed under the name that it had.
        """
        try:
            return self._digest
        except AttributeError:
            said = {k: v for k, v in asdict(self).items() if k in _FIRST or v != _UNSAID[k]}
            body = json.dumps(said, sort_keys=True, separators=(",", ":"))
            digest = f"{self.name}@sha256:{hashlib.sha256(body.encode()).hexdigest()[:16]}"
            object.__setattr__(self, "_digest", digest)
            return digest


# The fields of the first release are always a part of the digest.
_FIRST = frozenset(
    {
        "name",
        "mode",
        "alpha",
        "slo",
        "pass_level",
        "min_step_s",
        "min_total_s",
        "history_s",
        "time_scale",
        "rollback",
        "allow_control_exhausted",
        "allow_cross_cluster",
        "signals",
    }
)
_UNSAID = asdict(Policy())
