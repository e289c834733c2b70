"""The gate: the one function that HTTP, command line, demo and benches ask for a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from detector.capacity.ports import Outlooks
from detector.errors import ConflictError
from detector.gate.attempt import Attempt, Identity, identity_of
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.gate.ruling import first_step
from detector.gate.several import worst
from detector.gate.telling import Route
from detector.gate.verdict import Outcome, Verdict
from detector.logs.ports import TemplateTexts
from detector.ports import Baselines, Clock, MetricCatalog, MetricSource, Stores
from detector.selector import parse_side
from detector.slo.ports import Budgets
from pipelines.flows.answering import Answering
from pipelines.flows.asked import Asked, check_times
from pipelines.flows.following import Following
from pipelines.flows.locate import Discover, Locator
from pipelines.flows.past import Past
from pipelines.flows.people import People
from pipelines.flows.records import Records
from pipelines.flows.runway import Runway
from pipelines.flows.scans import Scans
from pipelines.flows.thrift import Thrift
from pipelines.flows.turns import Budget, Turns
from pipelines.flows.watch import SessionFactory, Watch

__all__ = ["Gate", "GateSettings"]

T = TypeVar("T")

# The same question after a lost answer; below 10 s, Flagger's shortest interval, or the next tick
# would raise the weight once more with nothing judged.
_FIRST_STEP_AGAIN_S = 8.0
# Writes of other replicas in one question's time; each time one of them gets through, and a first
# question writes three times.
_TRIES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Bounds of the gate: seconds of one question, attempts kept warm in memory.

    `routes`: who is told of which answers. `texts`: what kinds of log lines say.
    `budgets`: what is left of error budgets. `outlooks`: capacity as it was assessed.
    """

    bound_s: float = 8.0
    warm_attempts: int = 256
    policies: Mapping[str, Policy] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    texts: TemplateTexts | None = None
    budgets: Budgets | None = None
    outlooks: Outlooks | None = None


class Gate:
    """Judges rollouts; safe for threads. All its state beyond caches is in the stores.

    `records`: what was answered. `people`: what they decide, and the policies. `scans`: what
    scanners told of revisions.
    """

    def __init__(
        self,
        *,
        source: MetricSource,
        catalog: MetricCatalog,
        stores: Stores,
        clock: Clock,
        discover: Discover,
        session_factory: SessionFactory,
        settings: GateSettings | None = None,
        baselines: Baselines | None = None,
    ) -> None:
        self.settings = settings or GateSettings()
        self.stores, self._clock = stores, clock
        self.records = Records(stores, session_factory)
        self.people = People(stores, clock, self.settings.policies)
        self.scans = Scans(stores.scans, clock)
        warm, locator = self.settings.warm_attempts, Locator(source, catalog, discover)
        self._thrift = Thrift(self.settings.budgets)
        self._following = Following(
            stores, source, locator, session_factory, warm, baselines, self._thrift
        )
        runway, texts = Runway(self.settings.outlooks), self.settings.texts
        self._answering = Answering(
            stores, session_factory, warm, self.settings.routes, texts, runway
        )
        self._past = Past(stores, self._following, texts, self._thrift, runway)
        self._turns = Turns()

    def judge(self, request: VerdictRequest) -> Verdict:
        """The verdict that is due now, or was due at `as_of`.

        Raises `InputError` (a field cannot be used), `NotFoundError` (unknown policy) and
        `StoreError`; never for a source that fails or has no data: that is `inconclusive`.
        """
        if request.clusters:
            return self._in_each_cluster(request)
        now, budget = self._clock(), Budget(self.settings.bound_s)
        asked = Asked(request, now, budget)
        check_times(asked)
        parse_side(request.control or "", field="control")
        identity, policy = identity_of(request), self.people.policy(request.policy)
        if request.as_of is not None and request.as_of.timestamp() < now:
            return self._past.judge(asked, identity, policy, request.as_of.timestamp())
        with self._turns.of(identity.key, timeout_s=self.settings.bound_s):
            return self._again_if_raced(
                lambda: self._judge_now(Asked(request, self._clock(), budget), identity, policy)
            )

    def _in_each_cluster(self, request: VerdictRequest) -> Verdict:
        """The worst verdict of an attempt in each cluster; together they have one alpha."""
        policy = self.people.policy(request.policy)
        shared = replace(policy, alpha=policy.alpha / len(request.clusters))
        each = [
            replace(request, cluster=cluster, clusters=(), policy=shared)
            for cluster in request.clusters
        ]
        return worst([(one.cluster or "", self.judge(one)) for one in each])

    def _again_if_raced(self, step: Callable[[], T]) -> T:
        """Anew from what is stored by then, where another process wrote the attempt meanwhile."""
        for _ in range(_TRIES - 1):
            try:
                return step()
            except ConflictError:
                continue
        return step()

    def first_step(self, request: VerdictRequest) -> Verdict:
        """As `judge`, but says yes, once per attempt, while no canary traffic could be seen."""
        verdict = self.judge(request)
        if verdict.outcome is not Outcome.INCONCLUSIVE or not verdict.is_unseen:
            return verdict
        is_first = self._again_if_raced(lambda: self._takes_first_step(verdict.attempt))
        return first_step(verdict) if is_first else verdict

    def _takes_first_step(self, id: str) -> bool:
        """Whether the one yes is still to be given, or was so just now."""
        now, attempt = self._clock(), self.stores.attempts.get(id)
        if attempt.first_step_at is not None:
            return now - attempt.first_step_at <= _FIRST_STEP_AGAIN_S
        self.stores.attempts.save(replace(attempt, first_step_at=now), durable=True)
        return True

    def _judge_now(self, asked: Asked, identity: Identity, policy: Policy) -> Verdict:
        attempt = self._following.attempt(asked, identity, policy)
        attempt, watch = self._followed(asked, attempt)
        since = None if watch is None else self._following.renewed(attempt, watch, asked)
        if since is not None:
            successor = self._following.successor(asked, attempt, since, policy)
            attempt, watch = self._followed(asked, successor)
        asked.spent = self._thrift.spent(asked, attempt.policy, asked.now)
        return self._answering.answer(asked, attempt, watch)

    def _followed(self, asked: Asked, attempt: Attempt) -> tuple[Attempt, Watch | None]:
        """The attempt with all that is new of it; no watch while its canary has no series."""
        watched = self._following.watch(asked, attempt)
        return (attempt, None) if watched is None else self._following.read(asked, *watched)
