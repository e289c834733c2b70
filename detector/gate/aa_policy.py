"""What a self-check changes in how strictly a service's rollouts are judged."""

from __future__ import annotations

import math
from dataclasses import replace

from detector.gate.aa import AaResult
from detector.gate.policy import Policy

__all__ = ["checked"]


def checked(policy: Policy, aa: AaResult | None) -> Policy:
    """The policy by which the engine judges: what a fail needs is raised, and never lowered.

    Evidence that is needed is one over shares of `alpha`, so that raising it is lowering `alpha`.
    """
    if aa is None or aa.log_raised == 0:
        return policy
    return replace(policy, alpha=policy.alpha * math.exp(-aa.log_raised))
