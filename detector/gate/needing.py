"""How much evidence a fail needs of a service, by the rollouts that people called wrongly failed.

What is needed is only ever raised, as the self-check does it: where more healthy rollouts failed
than the policy promises, beyond chance, the evidence that so few of them reach as it promises
becomes what is needed. A fail that nobody called wrong counts as right, and none may be lost by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.gate.aa import Scope
from detector.gate.policy import Policy
from models.binomial import at_least

__all__ = ["LearnedNeed", "Need", "Tried", "need_words", "needing", "needs_note", "needs_of"]

# One that failed may be bad luck, whatever it was promised.
_FEWEST, _CHANCE = 2, 0.05
# More would never be reached: what fails so clearly is no matter of thresholds.
_MOST = 1e6
# As much again as is needed to be below it.
_BEYOND = 1.01

Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedNeed:
    """By what evidence is multiplied that a fail of a service needs under a policy, 1 or more."""

    scope: Scope
    policy: str
    needs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A past rollout by its last verdict.

    `over` is the natural logarithm of its strongest evidence over what the policy asks for before
    anything is raised, `alpha` the share of healthy rollouts that the policy lets fail. `is_wrong`:
    a person called its fail wrong.
    """

    scope: Scope
    policy: str
    alpha: float
    over: float
    has_failed: bool
    is_wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What would change for a service under a policy, and the same past rollouts under both.

    `wrong` of `healthy` failed; by `after` `spared` of these would not have, and `lost` of the
    `right` fails neither.
    """

    scope: Scope
    policy: str
    before: float
    after: float
    healthy: int
    wrong: int
    spared: int
    right: int
    lost: int

    @property
    def is_better(self) -> bool:
        """Whether it spares healthy rollouts and loses no other fail."""
        return self.spared > 0 and self.lost == 0

    @property
    def learned(self) -> LearnedNeed:
        """As it is applied."""
        return LearnedNeed(scope=self.scope, policy=self.policy, needs=self.after)


def needs_of(tried: Iterable[Tried], in_force: Mapping[Key, float]) -> tuple[Need, ...]:
    """Of each service and policy under which more healthy rollouts fail than is promised."""
    groups: dict[Key, list[Tried]] = {}
    for one in tried:
        groups.setdefault((one.scope, one.policy), []).append(one)
    found = (_need(key, group, in_force.get(key, 1.0)) for key, group in groups.items())
    return tuple(sorted((one for one in found if one is not None), key=_order))


def _need(key: Key, tried: Sequence[Tried], before: float) -> Need | None:
    """None where as few failed as is promised, or nobody would be spared."""
    alpha = max(one.alpha for one in tried)
    wrong = [one.over for one in tried if one.is_wrong and one.over >= math.log(before)]
    right = [one.over for one in tried if one.has_failed and not one.is_wrong]
    healthy = len(wrong) + sum(not one.has_failed for one in tried)
    if len(wrong) < _FEWEST or _by_chance(len(wrong), healthy, alpha) > _CHANCE:
        return None
    highest = sorted(wrong, reverse=True)[math.floor(alpha * healthy)]
    after = float(f"{math.exp(highest) * _BEYOND:.4g}")
    if not before < after <= _MOST:
        return None
    return Need(
        scope=key[0],
        policy=key[1],
        before=before,
        after=after,
        healthy=healthy,
        wrong=len(wrong),
        spared=sum(over < math.log(after) for over in wrong),
        right=len(right),
        lost=sum(over < math.log(after) for over in right),
    )


def _by_chance(wrong: int, healthy: int, alpha: float) -> float:
    """Of a gate that keeps its promise."""
    return float(at_least(np.array(float(wrong)), np.array(float(healthy)), alpha))


def _order(one: Need) -> tuple[str, ...]:
    scope = one.scope
    return scope.tenant, scope.cluster or "", scope.namespace or "", scope.service, one.policy


def needing(policy: Policy, needs: float) -> Policy:
    """The policy that an attempt begins with: what was learned is fixed then, and never lowers."""
    return policy if needs <= 1.0 else replace(policy, needs=needs)


def needs_note(policy: Policy) -> tuple[str, ...]:
    """A sentence beside the verdict; none where nothing was learned."""
    if policy.needs <= 1.0:
        return ()
    said = f"A fail needs {policy.needs:.3g} times the evidence here"
    return (f"{said}: too many healthy rollouts of this service were called wrongly failed.",)


def need_words(need: Need) -> str:
    """What would change, and what that would have done."""
    where = "/".join(part for part in (need.scope.cluster, need.scope.namespace) if part)
    service = f"{where}/{need.scope.service}" if where else need.scope.service
    advice = "raise it" if need.is_better else "leave it"
    return (
        f"Fails of {service} under {need.policy}: {need.wrong} of {need.healthy} healthy rollouts"
        f" were called wrong, more than is promised; with {need.after:.3g} times the evidence in"
        f" place of {need.before:.3g} {need.spared} of these had not failed, and {need.lost} of"
        f" {need.right} other fails neither: {advice}"
    )
