"""What would be judged of a service, in brief: for a list of many."""

from __future__ import annotations

from dataclasses import dataclass

from detector.discovery.survey import View
from detector.signals.plan import Missing, Plan

__all__ = ["Judged", "judged_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A service with the names of its signals: `required` for a pass, `judged`, or only `shown`."""

    service: str
    pods: int
    plan: Plan
    required: tuple[str, ...]
    judged: tuple[str, ...]
    shown: tuple[str, ...]
    missing: tuple[Missing, ...]

    @property
    def can_fail(self) -> bool:
        """Whether any signal could fail a rollout."""
        return bool(self.required or self.judged)

    @property
    def words(self) -> str:
        """The signals in a line; what is only shown stands in brackets."""
        shown = f" ({', '.join(self.shown)})" if self.shown else ""
        return (", ".join((*self.required, *self.judged)) + shown).strip() or "nothing"


def judged_of(view: View, plan: Plan) -> Judged:
    """The brief of a plan."""
    signals = [bound.signal for bound in plan.signals]
    return Judged(
        service=view.service,
        pods=view.pods,
        plan=plan,
        required=tuple(s.name for s in signals if s.judged and s.required),
        judged=tuple(s.name for s in signals if s.judged and not s.required),
        shown=tuple(s.name for s in signals if not s.judged),
        missing=plan.missing,
    )
