"""What is known of error budgets when a question is asked, within the time that it has."""

from __future__ import annotations

from dataclasses import dataclass

from detector.errors import SourceError
from detector.gate.policy import Policy
from detector.slo.policy import Spent
from detector.slo.ports import Budgets
from pipelines.flows.asked import Asked

__all__ = ["Thrift"]

# Of a question's seconds: the samples of the canary come first.
_AT_MOST_S = 3.0


@dataclass(frozen=True, slots=True)
class Thrift:
    """Reads budgets for a policy that looks at them; without `budgets` none does."""

    budgets: Budgets | None = None

    def spent(self, asked: Asked, policy: Policy, as_of: float) -> tuple[Spent, ...]:
        """The budgets of the service that is asked about, as of a moment."""
        if self.budgets is None or policy.budget is None:
            return ()
        try:
            timeout_s = min(_AT_MOST_S, asked.budget.left_s())
        except SourceError:
            timeout_s = 0.0
        service, name = asked.request.service, policy.budget.slo
        return tuple(self.budgets.of(service, name, as_of=as_of, timeout_s=timeout_s))
