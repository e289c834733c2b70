"""The gate: the one function that HTTP, command line, demo and benches ask for a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from detector.gate.attempt import Attempt, Closing, Identity, begins_anew, identity_of
from detector.gate.policy import Policy
from detector.gate.reason import Reason
from detector.gate.request import VerdictRequest
from detector.gate.ruling import first_step, rule
from detector.gate.steering import without_read
from detector.gate.verdict import Outcome, Verdict
from detector.ports import Clock, MetricCatalog, MetricSource, Stores
from detector.selector import parse_selector
from pipelines.flows.answering import Answering
from pipelines.flows.asked import Asked, check_deadline, check_times
from pipelines.flows.following import Following
from pipelines.flows.locate import Discover, Locator
from pipelines.flows.people import People
from pipelines.flows.playback import judged, playback
from pipelines.flows.records import Records, Rollout
from pipelines.flows.turns import Budget, Recent, Turns
from pipelines.flows.watch import SessionFactory, Watch

__all__ = ["Gate", "GateSettings", "Rollout"]

# The same question after a lost answer; below 10 s, Flagger's shortest interval, or the next tick
# would raise the weight once more with nothing judged.
_FIRST_STEP_AGAIN_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Bounds of the gate: seconds of one question, attempts kept warm in memory."""

    bound_s: float = 8.0
    warm_attempts: int = 256
    policies: Mapping[str, Policy] = field(default_factory=dict)


class Gate(Answering, Records, People):
    """Judges rollouts; safe for threads. All its state beyond caches is in the stores."""

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
    ) -> None:
        self.settings = settings or GateSettings()
        warm, locator = self.settings.warm_attempts, Locator(source, catalog, discover)
        Following.__init__(self, stores, source, locator, session_factory, warm)
        Records.__init__(self, stores, session_factory)
        People.__init__(self, stores, clock, self.settings.policies)
        self._turns = Turns()
        self._given = Recent(4 * warm)

    def judge(self, request: VerdictRequest) -> Verdict:
        """The verdict that is due now, or was due at `as_of`.

        Raises `InputError` (a field cannot be used), `NotFoundError` (unknown policy) and
        `StoreError`; never for a source that fails or has no data: that is `inconclusive`.
        """
        now = self._clock()
        asked = Asked(request, now, Budget(self.settings.bound_s))
        check_times(asked)
        parse_selector(request.control or "", field="control")
        identity, policy = identity_of(request), self.policy(request.policy)
        if request.as_of is not None and request.as_of.timestamp() < now:
            return self._judge_past(asked, identity, policy, request.as_of.timestamp())
        with self._turns.of(identity.key, timeout_s=self.settings.bound_s):
            return self._judge_now(asked, identity, policy)

    def first_step(self, request: VerdictRequest) -> Verdict:
        """As `judge`, but says yes, once per attempt, while no canary traffic could be seen."""
        verdict = self.judge(request)
        attempt = self.stores.attempts.get(verdict.attempt)
        if verdict.outcome is not Outcome.INCONCLUSIVE or not verdict.is_unseen:
            return verdict
        now, given = self._clock(), attempt.first_step_at
        if given is not None and now - given > _FIRST_STEP_AGAIN_S:
            return verdict
        if given is None:
            self.stores.attempts.save(replace(attempt, first_step_at=now), durable=True)
        return first_step(verdict)

    def _judge_now(self, asked: Asked, identity: Identity, policy: Policy) -> Verdict:
        attempt = self._attempt(asked, identity, policy)
        watched = self._watch(asked, attempt)
        if watched is None:
            return self._answer(asked, attempt, None)
        attempt, watch = self._read(asked, *watched)
        renewed = self._renewed(attempt, watch, asked)
        if renewed is not None:
            return self._judge_renewed(asked, attempt, renewed, policy)
        return self._answer(asked, attempt, watch)

    def _judge_renewed(self, asked: Asked, old: Attempt, since: float, policy: Policy) -> Verdict:
        """A new canary came after the latched one was gone: a new attempt, from its first pod."""
        # The old attempt's last samples go with it: no answer was made of them.
        asked.chunk = None
        attempt = replace(
            self._begin(asked, old.identity, policy),
            label=old.label,
            not_before=since - 1e-3,
            weights=without_read(old.weights)[-1:],
        )
        self.stores.attempts.save(attempt)
        watched = self._watch(asked, attempt)
        if watched is None:
            return self._answer(asked, attempt, None)
        return self._answer(asked, *self._read(asked, *watched))

    def _judge_past(
        self, asked: Asked, identity: Identity, policy: Policy, as_of: float
    ) -> Verdict:
        """The answer that was due at `as_of`; nothing is written."""
        attempt = self._attempt_at(asked, identity, as_of)
        if attempt is None:
            attempt = self._begin(replace(asked, now=as_of), identity, policy)
        attempt = self._located_at(asked, attempt, as_of)
        check_deadline(asked.deadline, attempt.started_at)
        watch = None if attempt.plan is None else self._watch_at(asked, attempt, as_of)
        if watch is not None:
            attempt = _closed_at(attempt, watch.head, asked.deadline, as_of)
        seen = self._circumstances(asked, attempt, watch, as_of)
        judgement = judged(
            attempt, seen, watch, lambda _, until: self._watch_at(asked, attempt, until)
        )
        return rule(attempt, judgement, seen)

    def _located_at(self, asked: Asked, attempt: Attempt, as_of: float) -> Attempt:
        """With the plan of that moment, where none was stored and a canary was there."""
        if attempt.plan is not None:
            return attempt
        located = self._locate(asked, attempt, as_of)
        if located is None or located.start is None:
            return attempt
        return replace(
            attempt, plan=located.plan, started_at=located.start, interval=located.interval
        )

    def _attempt_at(self, asked: Asked, identity: Identity, as_of: float) -> Attempt | None:
        """The stored attempt that ran at a moment."""
        attempt = self.stores.attempts.newest(identity, asked_until=as_of)
        if attempt is None:
            attempt = self.stores.attempts.newest(identity, asked_until=float("inf"))
            if attempt is None or attempt.started_at is None or attempt.started_at > as_of:
                return None
        return None if begins_anew(attempt, asked.request) else attempt

    def _watch_at(self, asked: Asked, attempt: Attempt, until: float) -> Watch:
        """What was known at a moment: from the tape, and beyond it from the source."""
        watch = playback(attempt, self._chain(attempt, asked), self._sessions, until=until)
        if watch.clock < until:
            _, error = watch.read(self._source, until, asked.budget.left_s)
            if error is not None:
                asked.problem = Reason(error.code, str(error))
            watch.head = watch.head or "transient"
        return watch


def _closed_at(attempt: Attempt, head: str, deadline: float | None, as_of: float) -> Attempt:
    """From its deadline on an attempt has ended; with what was known at `as_of`, if not before."""
    if deadline is None or as_of < deadline:
        return attempt
    if attempt.closing is not None and attempt.closing.deadline == deadline:
        return attempt
    return replace(attempt, closing=Closing(deadline=deadline, head=head))
