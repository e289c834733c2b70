"""An attempt: one canary of one service from its first question to its last answer.

What tells two attempts apart, when a new one begins, and the records that outlive a restart.
Times are unix seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from detector.gate.aa import AaResult, Scope
from detector.gate.policy import Policy
from detector.gate.reason import Reason
from detector.gate.request import Stage, VerdictRequest
from detector.selector import parse_side
from detector.signals.plan import Plan
from detector.slo.policy import Spent

__all__ = [
    "Attempt",
    "Closing",
    "Identity",
    "Latch",
    "Revision",
    "Weight",
    "begins_anew",
    "identity_of",
    "stage_at",
    "weights_until",
]

_MOVED_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a request is about; `canary` is the selector in one spelling, order left out."""

    tenant: str
    cluster: str | None
    namespace: str | None
    service: str
    rollout: str | None
    canary: str

    @property
    def key(self) -> str:
        """A short name of the identity, the same in every process."""
        parts = (self.tenant, self.cluster, self.namespace, self.service, self.rollout, self.canary)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def scope(self) -> Scope:
        """The service, whichever its rollout."""
        return Scope(
            tenant=self.tenant,
            cluster=self.cluster,
            namespace=self.namespace,
            service=self.service,
        )


def identity_of(request: VerdictRequest) -> Identity:
    """The identity of a request; `InputError` where its canary selector does not parse."""
    return Identity(
        tenant=request.tenant,
        cluster=request.cluster,
        namespace=request.namespace,
        service=request.service,
        rollout=request.rollout,
        canary=_spelled(request.canary),
    )


@lru_cache(maxsize=256)
def _spelled(canary: str) -> str:
    """The same matchers in one spelling; every poll of an attempt has the same text."""
    matchers = parse_side(canary, field="canary")
    return ",".join(sorted({f"{m.label}{m.op.value}{m.value!r}" for m in matchers}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The canary's share of the traffic in per cent, known since `at`.

    `is_read`: from the controller's own gauge; else whoever asked told it.
    """

    at: float
    weight: float
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """The first fail of an attempt: the boundary `at`, known since `found_at`.

    `pods`: the canary's pods that were alive then.
    """

    at: float
    found_at: float
    signal: str
    reason: Reason
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """From which samples (the chain up to `head`) the answer at `deadline` was made.

    `doubt`: why those samples could not be trusted to be whole. `spent`: the error budgets then.
    """

    deadline: float
    head: str
    doubt: Reason | None = None
    spent: tuple[Spent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as it is stored.

    `policy` and `engine` are those that it began with. `started_at`, `interval` and `plan` are
    None until the canary's first series is seen, and never move after. `head` names the newest
    chunk of samples, `read_to` is how far the source was read. `not_before`: its canary's first
    sample is looked for after this. `aa` is the service's self-check as it stood when it began.
    `follows` is the id of the attempt of the same identity before it, so that two that begin at
    once are told apart. `version` counts how often it was stored: 0 is not stored yet.
    """

    id: str
    identity: Identity
    label: str | None
    revision: str | None
    policy: Policy
    engine: str
    asked_at: float
    last_asked: float
    started_at: float | None = None
    interval: float | None = None
    plan: Plan | None = None
    weights: tuple[Weight, ...] = ()
    latch: Latch | None = None
    closing: Closing | None = None
    evaluated_to: float | None = None
    head: str = ""
    read_to: float | None = None
    rollback: str | None = None
    first_step_at: float | None = None
    not_before: float = 0.0
    aa: AaResult | None = None
    follows: str = ""
    version: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision that served as control: `key` is its hash, digest or version."""

    tenant: str
    cluster: str | None
    namespace: str | None
    service: str
    key: str
    since: float
    until: float


def begins_anew(attempt: Attempt, request: VerdictRequest) -> bool:
    """Whether the request alone says that it is about another attempt of the same identity."""
    if request.attempt is not None and request.attempt != attempt.label:
        return True
    if None not in (request.revision, attempt.revision) and request.revision != attempt.revision:
        return True
    if request.started_at is None or attempt.started_at is None:
        return False
    return abs(request.started_at.timestamp() - attempt.started_at) > _MOVED_S


def stage_at(asked: Stage, as_of: float, deadline: float | None, policy: Policy) -> Stage:
    """The stage that counts: `final` from the deadline minus one step on."""
    if deadline is not None and as_of >= deadline - policy.min_step_s * policy.time_scale:
        return Stage.FINAL
    return asked


def weights_until(weights: Sequence[Weight], at: float) -> float | None:
    """The weight in force at `at`, None before the first."""
    told = [w.weight for w in weights if w.at <= at]
    return told[-1] if told else None
