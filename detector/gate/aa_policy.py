"""What a self-check, or what was learned, changes in how strictly rollouts are judged."""

from __future__ import annotations

import math
from dataclasses import replace

from detector.gate.aa import AaResult
from detector.gate.policy import Policy

__all__ = ["checked"]


def checked(policy: Policy, aa: AaResult | None) -> Policy:
    """The policy by which the engine judges: what a fail needs is raised, and never lowered.

    Evidence that is needed is one over shares of `alpha`, so that raising it is lowering `alpha`.
    Placebos and what people called wrong tell of the same noise: the more demanding of both counts.
    """
    raised = max(0.0 if aa is None else aa.log_raised, math.log(max(policy.needs, 1.0)))
    return policy if raised == 0 else replace(policy, alpha=policy.alpha * math.exp(-raised))
