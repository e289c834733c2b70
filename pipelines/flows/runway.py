"""What promotion would exhaust, by the capacity that was assessed when a question is asked."""

from __future__ import annotations

from dataclasses import dataclass

from detector.capacity.ports import Outlooks
from detector.gate.attempt import Attempt
from detector.gate.exhausting import exhaustion_of
from detector.gate.judgement import Judgement
from detector.gate.policy import RollbackRule
from detector.gate.reason import Reason
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances
from detector.gate.verdict import Outcome

__all__ = ["Runway"]


@dataclass(frozen=True, slots=True)
class Runway:
    """Looks at capacity for a policy that asks for it; without `outlooks` nothing is known."""

    outlooks: Outlooks | None = None

    def short(self, attempt: Attempt, judgement: Judgement, seen: Circumstances) -> Reason | None:
        """Why a final pass is held; `StoreError`. A way back to what was stable is open."""
        rule, identity = attempt.policy.capacity, attempt.identity
        is_way_back = attempt.rollback is not None and attempt.policy.rollback is RollbackRule.PASS
        is_final = judgement.outcome is Outcome.PASS and seen.stage is Stage.FINAL
        if rule is None or not is_final or is_way_back:
            return None
        closing = attempt.closing
        as_of = seen.as_of if seen.closing_head is None or closing is None else closing.deadline
        report = None if self.outlooks is None else self.outlooks.at(as_of)
        return exhaustion_of(
            rule,
            report,
            judgement,
            services=frozenset({identity.service, identity.rollout or identity.service}),
            namespace=identity.namespace or "",
            as_of=as_of,
        )
