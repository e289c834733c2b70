"""The moment at which a pass is asked for: everything that the rules of passing look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.gate.design import Design, Standing
from detector.gate.frame import Arm
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.state import State
from detector.gate.window import Window
from detector.series import FloatArray
from detector.signals.plan import Plan

__all__ = ["Moment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the rules look at; times are unix seconds, spans that a rule names engine seconds.

    `missing`: required signals that have no track. `burst`: the signal whose evidence would do for
    a fail, had it lasted.
    """

    plan: Plan
    policy: Policy
    stage: Stage
    as_of: float
    evaluated_to: float
    started_at: float
    exposure_since: float
    window: Window
    states: Mapping[str, State]
    missing: tuple[str, ...]
    incompatible: bool
    burst: str | None
    standing: Standing = field(default_factory=Standing)

    @property
    def is_alone(self) -> bool:
        """Whether no control serves beside the canary now."""
        return self.standing.design is not Design.CONCURRENT

    @property
    def scale(self) -> float:
        """Real seconds of one engine second."""
        return self.policy.time_scale

    @property
    def uncleared(self) -> list[State]:
        """Signals that a pass waits for: their harm is not yet known to be below the limit."""
        needed = self.policy.pass_needs
        if needed is not None and needed.holds({n for n, s in self.states.items() if s.cleared}):
            return []
        return [s for s in self.states.values() if s.required and not s.cleared]

    def last(self, values: FloatArray, seconds: float) -> FloatArray:
        """The last `seconds` (engine) of an array that has time first."""
        return values[-max(2, round(seconds / self.window.step_s)) :]

    def counted(self, arm: Arm, name: str, seconds: float) -> tuple[float, float] | None:
        """Exposure and events of a signal in the last `seconds`; None where it is not counted."""
        counts = arm.counts.get(name)
        if counts is None:
            return None
        return (
            float(self.last(counts.n.T, seconds).sum()),
            float(self.last(counts.x.T, seconds).sum()),
        )
