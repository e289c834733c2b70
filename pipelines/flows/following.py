"""Following an attempt: which one a question is about, and its samples from tape and source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from detector.changes.learned import needs_in_force
from detector.discovery.several import without_others
from detector.errors import NotFoundError, SourceError
from detector.gate.attempt import Attempt, Identity, Latch, Weight, begins_anew
from detector.gate.course import Streamed
from detector.gate.needing import needing
from detector.gate.policy import Policy
from detector.gate.promotion import promoted
from detector.gate.reason import Reason, ReasonCode
from detector.gate.record import Chunk, Filter, chunk_of
from detector.gate.ruling import verdict_id
from detector.gate.steering import with_read, without_read
from detector.gate.thrift import tightened
from detector.gate.verdict import Outcome
from detector.gate.version import ENGINE
from detector.ports import Baselines, MetricSource, Stores
from detector.series import Matcher
from detector.signals.plan import Plan
from pipelines.flows.asked import REACH_S, Asked, check_deadline, check_reach
from pipelines.flows.locate import Located, Locator
from pipelines.flows.playback import playback
from pipelines.flows.revisions import Revisions
from pipelines.flows.steering import read_of
from pipelines.flows.tape import Event
from pipelines.flows.thrift import Thrift
from pipelines.flows.turns import Recent
from pipelines.flows.watch import SessionFactory, Watch, watch_of

__all__ = ["Following"]

_IDLE_S = 3600.0
# Attempts that were asked about so lately are under way.
_BESIDE_S = 600.0
_OTHERS = 20
# Nobody asks so seldom while a canary waits; whoever does has the attempt played from its tape.
_UNLOADED_S = 900.0
_APART_S = 1e-3
# Reads of others that are heard one by one; beyond them the tape is played anew.
_CATCH_UP = 32


class Following:
    """Attempts under way; the newest `warm` of them are watched from memory."""

    def __init__(
        self,
        stores: Stores,
        source: MetricSource,
        locator: Locator,
        sessions: SessionFactory,
        warm: int,
        baselines: Baselines | None = None,
        thrift: Thrift | None = None,
    ) -> None:
        self._thrift = thrift or Thrift()
        self._stores, self._sessions, self._baselines = stores, sessions, baselines
        self._source, self._locator = source, locator
        self._watches: Recent[Watch] = Recent(warm, idle_s=_UNLOADED_S)
        self._revisions = Revisions(stores.revisions)

    # -- the attempt

    def attempt(self, asked: Asked, identity: Identity, policy: Policy) -> Attempt:
        """The attempt that the question is about, with the weight it tells."""
        request, now = asked.request, asked.now
        stored = self._stores.attempts.newest(identity, asked_until=float("inf"))
        attempt = stored
        if attempt is None or begins_anew(attempt, request) or _is_forgotten(attempt, now):
            attempt = self.begin(asked, identity, policy, after=stored)
        if request.weight is not None and request.weight != _sent(attempt):
            weight = Weight(at=now, weight=request.weight)
            attempt = replace(attempt, weights=(*attempt.weights, weight))
        if attempt.revision is None and request.revision is not None:
            attempt = replace(attempt, revision=request.revision)
        return attempt if attempt is stored else self._stores.attempts.save(attempt)

    def begin(
        self, asked: Asked, identity: Identity, policy: Policy, *, after: Attempt | None = None
    ) -> Attempt:
        """A new attempt, not yet kept; `after` is the newest of the identity."""
        request, now = asked.request, asked.now
        if after is not None:
            # Another's clock may be ahead of ours: the newest is still the one that began last.
            now = max(now, after.asked_at + _APART_S)
        return Attempt(
            id=verdict_id(identity.key, now, f"attempt {request.attempt}"),
            identity=identity,
            label=request.attempt,
            revision=request.revision,
            policy=self._fixed(asked, identity, policy),
            engine=ENGINE,
            asked_at=now,
            last_asked=now,
            aa=self._stores.aa.newest(identity.scope, until=now),
            follows="" if after is None else after.id,
        )

    def _fixed(self, asked: Asked, identity: Identity, policy: Policy) -> Policy:
        """The policy with what is fixed for the attempt: of budgets, and of what was learned."""
        learned = needs_in_force(self._stores.learned.of(identity.tenant))
        policy = needing(policy, learned.get((identity.scope, policy.name), 1.0))
        return tightened(policy, self._thrift.spent(asked, policy, asked.now))

    def successor(self, asked: Asked, old: Attempt, since: float, policy: Policy) -> Attempt:
        """The attempt of a canary that came after the latched one was gone, from its first pod."""
        # The old attempt's last samples go with it: no answer was made of them.
        asked.chunk = None
        attempt = replace(
            self.begin(asked, old.identity, policy, after=old),
            label=old.label,
            not_before=since - 1e-3,
            weights=without_read(old.weights)[-1:],
        )
        return self._stores.attempts.save(attempt)

    def renewed(self, attempt: Attempt, watch: Watch, asked: Asked) -> float | None:
        """When a new canary began after the latch, or after nobody had asked for an hour."""
        latch = attempt.latch
        idle = _IDLE_S * attempt.policy.time_scale
        if latch is None and asked.now - attempt.last_asked > idle:
            pods = watch.presence.alive(attempt.last_asked)
            latch = Latch(
                at=attempt.last_asked,
                found_at=attempt.last_asked,
                signal="",
                reason=Reason("", ""),
                pods=pods,
            )
        return None if latch is None else watch.presence.renewed(latch, asked.now)

    def _other_canaries(self, asked: Asked, attempt: Attempt) -> Iterator[tuple[Matcher, ...]]:
        """What selects the canaries of this service that are judged beside this one.

        One that passes is left where it is: it is as good as the control, and as soon as it is
        promoted it is the control.
        """
        own = attempt.identity
        since = asked.now - _BESIDE_S * attempt.policy.time_scale
        lately = Filter(
            tenant=own.tenant, service=own.service, since=since, newest_only=True, limit=_OTHERS
        )
        for verdict in self._stores.verdicts.list(lately).verdicts:
            if verdict.outcome is Outcome.PASS:
                continue
            other = self._stores.attempts.get(verdict.attempt)
            same = other.identity.scope == own.scope and other.identity.canary != own.canary
            if same and other.plan is not None:
                yield other.plan.canary

    # -- the samples

    def watch(self, asked: Asked, attempt: Attempt) -> tuple[Attempt, Watch] | None:
        """The running state of an attempt; None while its canary has no series."""
        if attempt.plan is None:
            located = self.locate(asked, attempt, asked.now)
            if located is None or located.start is None:
                return None
            check_deadline(asked.deadline, located.start)
            plan = without_others(located.plan, self._other_canaries(asked, attempt))
            planned = replace(
                attempt,
                plan=promoted(plan, attempt.aa),
                started_at=located.start,
                interval=located.interval,
            )
            attempt = self._stores.attempts.save(planned)
        check_deadline(asked.deadline, attempt.started_at)
        watch = self._watches.get(attempt.id)
        if watch is None or not self._caught_up(watch, attempt):
            watch = watch_of(attempt, self._sessions)
            watch.play(self._chain(attempt, asked))
            self._watches.put(attempt.id, watch)
        return attempt, watch

    def _caught_up(self, watch: Watch, attempt: Attempt) -> bool:
        """Whether a watch is where the attempt is, or got there by what another process read."""
        if watch.head == attempt.head:
            return True
        if not watch.head:
            return False
        missed = self._stores.points.since(attempt.head, watch.head, most=_CATCH_UP)
        if missed is None:
            return False
        watch.play(missed)
        return True

    def watch_at(self, asked: Asked, attempt: Attempt, until: float) -> Watch:
        """What was known at a moment: from the tape, and beyond it from the source."""
        watch = playback(attempt, self._chain(attempt, asked), self._sessions, until=until)
        if watch.clock < until:
            self._news(asked, watch, until)
            watch.head = watch.head or "transient"
        return watch

    def _chain(self, attempt: Attempt, asked: Asked) -> Sequence[Chunk]:
        """The stored samples; where they are gone the source is read again."""
        try:
            return self._stores.points.chain(attempt.head)
        except NotFoundError:
            asked.notes = (*asked.notes, "Stored samples were lost; the source was read again.")
            return ()

    def locate(self, asked: Asked, attempt: Attempt, end: float) -> Located | None:
        """Plan and start, or None with the problem told."""
        scale = attempt.policy.time_scale
        check_reach(asked.request, end, REACH_S * scale)
        try:
            located = self._locator.locate(
                replace(asked.request, policy=attempt.policy),
                scale,
                now=end,
                not_before=attempt.not_before,
                left_s=asked.budget.left_s,
            )
        except SourceError as error:
            asked.problem = Reason(error.code, str(error))
            return None
        if located.start is None:
            names = " ".join(located.plan.notes)
            text = f"No series of {located.plan.service} matches the canary {asked.request.canary}."
            asked.problem = Reason(ReasonCode.NO_CANARY_DATA, f"{text} {names}".strip())
        return located

    def read(self, asked: Asked, attempt: Attempt, watch: Watch) -> tuple[Attempt, Watch]:
        """Read what is new; it is stored with the answer, or the watch is played anew."""
        try:
            events = watch.tell(asked.now, _sent(attempt))
            if watch.is_due(asked.now):
                events = (*events, *self._news(asked, watch, asked.now))
            if events:
                asked.chunk = chunk_of(attempt.id, watch.head, watch.record(events))
                watch.head = asked.chunk.hash
        except BaseException:
            self._watches.drop(attempt.id)
            raise
        weights = with_read(attempt.weights, read_of(events))
        attempt = replace(attempt, head=watch.head, read_to=watch.clock, weights=weights)
        return self._revisions.look(attempt, watch.presence, asked.now), watch

    def _news(self, asked: Asked, watch: Watch, until: float) -> tuple[Event, ...]:
        """What is new up to a time, told to the judge; an error is the question's problem."""
        left_s = asked.budget.left_s
        events, error = watch.read(self._source, until, left_s)
        if error is None:
            catalog, told = self._locator.catalog, partial(self._told, asked.request.tenant, until)
            more, error = watch.recall(self._source, catalog, until, left_s, told)
            events = (*events, *more)
        if error is not None:
            asked.problem = Reason(error.code, str(error))
        return events

    def _told(self, tenant: str, until: float, plan: Plan) -> Streamed | None:
        if self._baselines is None:
            return None
        return self._baselines.told(tenant, plan, until=until)


def _sent(attempt: Attempt) -> float | None:
    """The newest weight that was sent; what was read stays with the watch."""
    sent = without_read(attempt.weights)
    return sent[-1].weight if sent else None


def _is_forgotten(attempt: Attempt, now: float) -> bool:
    """Whether nobody has asked for so long that it would have to be read anew; a fail stays."""
    return attempt.latch is None and now - attempt.last_asked > REACH_S * attempt.policy.time_scale
