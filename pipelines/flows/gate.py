"""The gate: the one function that HTTP, command line, demo and benches ask for a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from detector.errors import InputError, NotFoundError, SourceError
from detector.gate.attempt import (
    Action,
    Attempt,
    AuditEntry,
    Closing,
    Identity,
    Latch,
    ModeChange,
    Override,
    Weight,
    begins_anew,
    identity_of,
    stage_at,
    standing_mode,
    standing_override,
)
from detector.gate.judgement import Judgement
from detector.gate.policy import Mode, Policy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.record import (
    Chunk,
    Filter,
    Page,
    PolicyVersion,
    Pruned,
    StoredVerdict,
    chunk_of,
)
from detector.gate.request import VerdictRequest
from detector.gate.ruling import Circumstances, first_step, rule, verdict_id
from detector.gate.verdict import Outcome, Verdict
from detector.gate.version import ENGINE
from detector.ports import Clock, MetricCatalog, MetricSource, Stores
from detector.selector import parse_selector
from pipelines.flows.evidence import Evidence, pack_evidence, unpack_evidence
from pipelines.flows.locate import Discover, Located, Locator
from pipelines.flows.playback import judged, playback
from pipelines.flows.revisions import Revisions
from pipelines.flows.turns import Budget, Recent, Turns
from pipelines.flows.watch import SessionFactory, Watch, watch_of

__all__ = ["Gate", "GateSettings", "Rollout"]

_AHEAD_S = 60.0
_STORED_EVERY_S = 60.0
# The same question after a lost answer; below 10 s, Flagger's shortest interval, or the next tick
# would raise the weight once more with nothing judged.
_FIRST_STEP_AGAIN_S = 8.0
_IDLE_S = 3600.0
# A day of an attempt that is read at once costs seconds of CPU; nobody bakes for a week unasked.
_REACH_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Bounds of the gate: seconds of one question, attempts kept warm in memory."""

    bound_s: float = 8.0
    warm_attempts: int = 256
    policies: Mapping[str, Policy] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """An attempt with what was decided when; verdicts are newest first, one page of them.

    `deadline`: that of the page's first verdict, unix seconds.
    """

    attempt: Attempt
    page: Page
    overrides: tuple[Override, ...]
    deadline: float | None = None


@dataclass(slots=True)
class _Asked:
    """One question on its way."""

    request: VerdictRequest
    now: float
    deadline: float | None
    budget: Budget
    problem: Reason | None = None
    notes: tuple[str, ...] = ()


class Gate:
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
        self.stores = stores
        self.settings = settings or GateSettings()
        self._source, self._clock, self._sessions = source, clock, session_factory
        self._locator = Locator(source, catalog, discover)
        self._turns = Turns()
        self._watches: Recent[Watch] = Recent(self.settings.warm_attempts)
        self._given: Recent[tuple[object, str, float]] = Recent(4 * self.settings.warm_attempts)
        self._revisions = Revisions(stores.revisions)

    # -- the question ---------------------------------------------------------------------------

    def judge(self, request: VerdictRequest) -> Verdict:
        """The verdict that is due now, or was due at `as_of`.

        Raises `InputError` (a field cannot be used), `NotFoundError` (unknown policy) and
        `StoreError`; never for a source that fails or has no data: that is `inconclusive`.
        """
        now = self._clock()
        asked = _Asked(request, now, _deadline(request), Budget(self.settings.bound_s))
        _check_times(request, now)
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
        if verdict.outcome is not Outcome.INCONCLUSIVE or not _is_unseen(verdict):
            return verdict
        now, given = self._clock(), attempt.first_step_at
        if given is not None and now - given > _FIRST_STEP_AGAIN_S:
            return verdict
        if given is None:
            self.stores.attempts.save(replace(attempt, first_step_at=now), durable=True)
        return first_step(verdict)

    def _judge_now(self, asked: _Asked, identity: Identity, policy: Policy) -> Verdict:
        attempt = self._attempt(asked, identity, policy)
        watched = self._watch(asked, attempt)
        if watched is None:
            return self._answer(asked, attempt, None)
        attempt, watch = self._read(asked, *watched)
        renewed = self._renewed(attempt, watch, asked)
        if renewed is not None:
            return self._judge_renewed(asked, attempt, renewed, policy)
        return self._answer(asked, attempt, watch)

    def _judge_renewed(self, asked: _Asked, old: Attempt, since: float, policy: Policy) -> Verdict:
        """A new canary came after the latched one was gone: a new attempt, from its first pod."""
        attempt = replace(
            self._begin(asked, old.identity, policy),
            label=old.label,
            not_before=since - 1e-3,
            weights=old.weights[-1:],
        )
        self.stores.attempts.save(attempt)
        watched = self._watch(asked, attempt)
        if watched is None:
            return self._answer(asked, attempt, None)
        return self._answer(asked, *self._read(asked, *watched))

    # -- the attempt ----------------------------------------------------------------------------

    def _attempt(self, asked: _Asked, identity: Identity, policy: Policy) -> Attempt:
        """The attempt that the question is about, with the weight it tells."""
        request, now = asked.request, asked.now
        stored = self.stores.attempts.newest(identity, asked_until=float("inf"))
        attempt = stored
        if attempt is None or begins_anew(attempt, request) or _is_forgotten(attempt, now):
            attempt = self._begin(asked, identity, policy)
        told = attempt.weights[-1].weight if attempt.weights else None
        if request.weight is not None and request.weight != told:
            weight = Weight(at=now, weight=request.weight)
            attempt = replace(attempt, weights=(*attempt.weights, weight))
        if attempt.revision is None and request.revision is not None:
            attempt = replace(attempt, revision=request.revision)
        if attempt is not stored:
            self.stores.attempts.save(attempt)
        return attempt

    def _begin(self, asked: _Asked, identity: Identity, policy: Policy) -> Attempt:
        request, now = asked.request, asked.now
        return Attempt(
            id=verdict_id(identity.key, now, f"attempt {request.attempt}"),
            identity=identity,
            label=request.attempt,
            revision=request.revision,
            policy=policy,
            engine=ENGINE,
            asked_at=now,
            last_asked=now,
        )

    def _renewed(self, attempt: Attempt, watch: Watch, asked: _Asked) -> float | None:
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

    # -- the samples ----------------------------------------------------------------------------

    def _watch(self, asked: _Asked, attempt: Attempt) -> tuple[Attempt, Watch] | None:
        """The running state of an attempt; None while its canary has no series."""
        if attempt.plan is None:
            located = self._locate(asked, attempt, asked.now)
            if located is None or located.start is None:
                return None
            _check_deadline(asked.deadline, located.start)
            attempt = replace(
                attempt,
                plan=located.plan,
                started_at=located.start,
                interval=located.interval,
            )
            self.stores.attempts.save(attempt)
        _check_deadline(asked.deadline, attempt.started_at)
        watch = self._watches.get(attempt.id)
        if watch is None or watch.head != attempt.head:
            watch = watch_of(attempt, self._sessions)
            watch.play(self._chain(attempt, asked))
            self._watches.put(attempt.id, watch)
        return attempt, watch

    def _chain(self, attempt: Attempt, asked: _Asked) -> Sequence[Chunk]:
        """The stored samples; where they are gone the source is read again."""
        try:
            return self.stores.points.chain(attempt.head)
        except NotFoundError:
            asked.notes = (*asked.notes, "Stored samples were lost; the source was read again.")
            return ()

    def _locate(self, asked: _Asked, attempt: Attempt, end: float) -> Located | None:
        """Plan and start, or None with the problem told."""
        scale = attempt.policy.time_scale
        _check_reach(asked.request, end, _REACH_S * scale)
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

    def _read(self, asked: _Asked, attempt: Attempt, watch: Watch) -> tuple[Attempt, Watch]:
        """Read what is new; store it before it counts for anything."""
        try:
            weight = attempt.weights[-1].weight if attempt.weights else None
            events = watch.tell(asked.now, weight)
            if watch.is_due(asked.now):
                more, error = watch.read(self._source, asked.now, asked.budget.left_s)
                events = (*events, *more)
                if error is not None:
                    asked.problem = Reason(error.code, str(error))
            if events:
                chunk = chunk_of(attempt.id, watch.head, watch.record(events))
                self.stores.points.append(chunk, at=asked.now)
                watch.head = chunk.hash
        except BaseException:
            self._watches.drop(attempt.id)
            raise
        attempt = replace(attempt, head=watch.head, read_to=watch.clock)
        return self._revisions.look(attempt, watch.presence, asked.now), watch

    # -- the answer -----------------------------------------------------------------------------

    def _answer(self, asked: _Asked, attempt: Attempt, watch: Watch | None) -> Verdict:
        """Judge, rule, keep."""
        attempt = self._close(asked, attempt, watch)
        seen = self._circumstances(asked, attempt, watch, asked.now)
        judgement = self._judgement(attempt, seen, watch)
        latched = _latched(attempt, judgement, watch, asked.now)
        is_new_latch = latched.latch is not attempt.latch
        attempt = replace(
            latched,
            last_asked=asked.now,
            evaluated_to=judgement.evaluated_to or latched.evaluated_to,
        )
        self.stores.attempts.save(attempt, durable=is_new_latch)
        every = _STORED_EVERY_S * attempt.policy.time_scale
        return self._keep(rule(attempt, judgement, seen), seen, asked.now, every)

    def _close(self, asked: _Asked, attempt: Attempt, watch: Watch | None) -> Attempt:
        """Fix from which samples the answer at the deadline is made."""
        deadline, closing = asked.deadline, attempt.closing
        if watch is None or deadline is None or asked.now < deadline:
            return attempt
        if closing is not None and closing.deadline == deadline:
            return attempt
        doubt = asked.problem or watch.partial
        return replace(attempt, closing=Closing(deadline=deadline, head=watch.head, doubt=doubt))

    def _judgement(self, attempt: Attempt, seen: Circumstances, watch: Watch | None) -> Judgement:
        return judged(attempt, seen, watch, lambda head, until: self._played(attempt, head, until))

    def _played(self, attempt: Attempt, head: str, until: float) -> Watch:
        """A watch that stands at the deadline; with nothing heard where the samples are gone."""
        try:
            chunks = self.stores.points.chain(head)
        except NotFoundError:
            chunks = ()
        return playback(attempt, chunks, self._sessions, until=until)

    def _circumstances(
        self, asked: _Asked, attempt: Attempt, watch: Watch | None, as_of: float
    ) -> Circumstances:
        closing, deadline = attempt.closing, asked.deadline
        closed = closing is not None and deadline == closing.deadline and as_of >= deadline
        doubt = closing.doubt if closed and closing is not None else None
        partial = watch.partial if watch is not None else None
        return Circumstances(
            id=verdict_id(attempt.id, as_of, asked.request.stage),
            as_of=as_of,
            stage=stage_at(asked.request.stage, as_of, deadline, attempt.policy),
            deadline=deadline,
            mode=self._mode(attempt, as_of),
            started_at=attempt.started_at,
            revision=attempt.revision,
            head=watch.head if watch is not None else "",
            closing_head=closing.head if closed and closing is not None else None,
            override=standing_override(self.stores.overrides.of(attempt.id), as_of),
            latch=_due_latch(attempt, watch, as_of),
            problem=doubt if closed else asked.problem,
            partial=None if closed else partial,
            rollback=attempt.rollback,
            notes=asked.notes,
        )

    def _mode(self, attempt: Attempt, at: float) -> Mode:
        identity = attempt.identity
        glass = standing_mode(self.stores.modes.of(identity.tenant), identity.service, at)
        return attempt.policy.mode if glass is None or glass.mode is None else glass.mode

    def _keep(self, verdict: Verdict, seen: Circumstances, now: float, every: float) -> Verdict:
        """Store an answer that changed, or once a minute; one that repeats carries that id."""
        print_, last = _fingerprint(verdict), self._given.get(verdict.attempt)
        if last is not None and last[0] == print_ and 0 <= now - last[2] < every:
            return replace(verdict, id=last[1])
        self.stores.verdicts.save(StoredVerdict(verdict=verdict, seen=seen), at=now)
        self._given.put(verdict.attempt, (print_, verdict.id, now))
        return verdict

    # -- the past -------------------------------------------------------------------------------

    def _judge_past(
        self, asked: _Asked, identity: Identity, policy: Policy, as_of: float
    ) -> Verdict:
        """The answer that was due at `as_of`; nothing is written."""
        attempt = self._attempt_at(asked, identity, as_of)
        if attempt is None:
            attempt = self._begin(replace_now(asked, as_of), identity, policy)
        if attempt.plan is None:
            located = self._locate(asked, attempt, as_of)
            if located is not None and located.start is not None:
                attempt = replace(
                    attempt,
                    plan=located.plan,
                    started_at=located.start,
                    interval=located.interval,
                )
        _check_deadline(asked.deadline, attempt.started_at)
        watch = None if attempt.plan is None else self._watch_at(asked, attempt, as_of)
        deadline = asked.deadline
        closing = attempt.closing
        if deadline is not None and as_of >= deadline and watch is not None:
            if closing is None or closing.deadline != deadline:
                closing = Closing(deadline=deadline, head=watch.head)
            attempt = replace(attempt, closing=closing)
        seen = self._circumstances(asked, attempt, watch, as_of)
        judgement = judged(
            attempt, seen, watch, lambda _, until: self._watch_at(asked, attempt, until)
        )
        return rule(attempt, judgement, seen)

    def _attempt_at(self, asked: _Asked, identity: Identity, as_of: float) -> Attempt | None:
        """The stored attempt that ran at a moment."""
        attempt = self.stores.attempts.newest(identity, asked_until=as_of)
        if attempt is None:
            attempt = self.stores.attempts.newest(identity, asked_until=float("inf"))
            if attempt is None or attempt.started_at is None or attempt.started_at > as_of:
                return None
        return None if begins_anew(attempt, asked.request) else attempt

    def _watch_at(self, asked: _Asked, attempt: Attempt, until: float) -> Watch:
        """What was known at a moment: from the tape, and beyond it from the source."""
        watch = playback(attempt, self._chain(attempt, asked), self._sessions, until=until)
        if watch.clock < until:
            _, error = watch.read(self._source, until, asked.budget.left_s)
            if error is not None:
                asked.problem = Reason(error.code, str(error))
            watch.head = watch.head or "transient"
        return watch

    # -- records --------------------------------------------------------------------------------

    def verdict(self, id: str) -> Verdict:
        """A stored verdict; `NotFoundError`."""
        return self.stores.verdicts.get(id).verdict

    def list(self, wanted: Filter) -> Page:
        """Stored verdicts, newest first."""
        return self.stores.verdicts.list(wanted)

    def rollout(self, id: str, *, after: str | None = None, limit: int = 200) -> Rollout:
        """An attempt and its timeline; `NotFoundError`."""
        attempt = self.stores.attempts.get(id)
        page = self.stores.verdicts.list(Filter(attempt=id, after=after, limit=limit))
        newest = self.stores.verdicts.get(page.verdicts[0].id) if page.verdicts else None
        return Rollout(
            attempt=attempt,
            page=page,
            overrides=tuple(self.stores.overrides.of(id)),
            deadline=None if newest is None else newest.seen.deadline,
        )

    def replay(self, id: str) -> Verdict:
        """The same answer, computed again from the stored samples."""
        stored = self.stores.verdicts.get(id)
        attempt = self.stores.attempts.get(stored.verdict.attempt)
        return self._replayed(self._evidence(attempt, stored))

    def export(self, id: str) -> bytes:
        """One file with all that the answer was made from."""
        stored = self.stores.verdicts.get(id)
        return pack_evidence(
            self._evidence(self.stores.attempts.get(stored.verdict.attempt), stored)
        )

    def replay_file(self, file: bytes) -> Verdict:
        """The answer of an evidence file, computed again; `InputError` for any other file."""
        return self._replayed(unpack_evidence(file))

    def _evidence(self, attempt: Attempt, stored: StoredVerdict) -> Evidence:
        head = stored.seen.head
        chunks = tuple(self.stores.points.chain(head)) if head else ()
        return Evidence(attempt=attempt, stored=stored, chunks=chunks)

    def _replayed(self, evidence: Evidence) -> Verdict:
        attempt, seen = evidence.attempt, evidence.stored.seen
        watch = None
        if seen.head:
            watch = playback(attempt, evidence.chunks, self._sessions)
        judgement = judged(
            attempt,
            seen,
            watch,
            lambda head, until: playback(
                attempt, evidence.up_to(head), self._sessions, until=until
            ),
        )
        return rule(attempt, judgement, seen)

    # -- people ---------------------------------------------------------------------------------

    def override(
        self, attempt: str, *, outcome: Outcome, person: str, reason: str, for_s: float
    ) -> Override:
        """A person decides for an attempt, for a while; audited."""
        _check_person(person, reason, for_s)
        self.stores.attempts.get(attempt)
        now = self._clock()
        made = Override(
            attempt=attempt,
            outcome=outcome,
            person=person,
            reason=reason,
            at=now,
            until=now + for_s,
        )
        self.stores.overrides.add(made)
        self._audit(now, person, Action.OVERRIDE, f"{attempt} {outcome} for {for_s:g} s", reason)
        return made

    def set_mode(
        self,
        mode: Mode | None,
        *,
        person: str,
        reason: str,
        for_s: float,
        service: str | None = None,
        tenant: str = "default",
    ) -> ModeChange:
        """Break-glass: a mode for all or one service, for a while; None ends it. Audited."""
        _check_person(person, reason, for_s)
        now = self._clock()
        change = ModeChange(
            tenant=tenant,
            service=service,
            mode=mode,
            person=person,
            reason=reason,
            at=now,
            until=now + for_s,
        )
        self.stores.modes.add(change)
        what = f"{mode or 'policy'} for {service or 'all'} for {for_s:g} s"
        self._audit(now, person, Action.MODE, what, reason)
        return change

    def modes(self, tenant: str = "default") -> tuple[ModeChange, ...]:
        """The break-glass modes in force, that of all services first."""
        now, changes = self._clock(), self.stores.modes.of(tenant)
        scopes = sorted({c.service or "" for c in changes})
        found = (_in_force(changes, scope or None, now) for scope in scopes)
        return tuple(c for c in found if c is not None)

    def policy(self, policy: str | Policy) -> Policy:
        """A policy by name, or as it was given; `NotFoundError` names the known ones."""
        if isinstance(policy, Policy):
            return policy
        try:
            return self.stores.policies.get(policy)
        except NotFoundError:
            pass
        if policy in self.settings.policies:
            return self.settings.policies[policy]
        if policy == "default":
            return Policy()
        known = ", ".join(sorted({"default", *self.settings.policies, *self._saved()}))
        raise NotFoundError(f"no policy {policy!r}; there are {known}")

    def _saved(self) -> Sequence[str]:
        return [v.policy.name for v in self.stores.policies.all()]

    def policies(self) -> tuple[PolicyVersion, ...]:
        """All policies by name; those of the configuration have version 0."""
        built_in = {"default": Policy(), **self.settings.policies}
        found = {
            name: PolicyVersion(policy=policy, version=0, at=0.0, person="configuration")
            for name, policy in built_in.items()
        }
        found |= {v.policy.name: v for v in self.stores.policies.all()}
        return tuple(found[name] for name in sorted(found))

    def save_policy(self, policy: Policy, *, person: str, reason: str = "") -> int:
        """Save a named policy and return its version; attempts under way keep theirs."""
        now = self._clock()
        version = self.stores.policies.save(policy, at=now, person=person)
        self._audit(now, person, Action.POLICY, f"{policy.digest} version {version}", reason)
        return version

    def audit(self, *, limit: int = 100, before: float | None = None) -> Sequence[AuditEntry]:
        """What people did, newest first."""
        return self.stores.audit.entries(limit=limit, before=before)

    def prune(self) -> Pruned:
        """Delete what is past its retention."""
        return self.stores.retention.prune(self._clock())

    def _audit(self, at: float, person: str, action: Action, subject: str, reason: str) -> None:
        entry = AuditEntry(at=at, person=person, action=action, subject=subject, reason=reason)
        self.stores.audit.write(entry)


def replace_now(asked: _Asked, now: float) -> _Asked:
    """The question as if it had been asked then."""
    return replace(asked, now=now)


def _deadline(request: VerdictRequest) -> float | None:
    return None if request.deadline is None else request.deadline.timestamp()


def _check_times(request: VerdictRequest, now: float) -> None:
    if request.as_of is not None and request.as_of.timestamp() > now + _AHEAD_S:
        raise InputError(
            f"as_of {request.as_of.isoformat()} is more than {_AHEAD_S:g} s ahead of the clock"
            " here: leave it out to ask about now",
            field="as_of",
            semantic=True,
        )
    if request.started_at is not None:
        started = request.started_at.timestamp()
        if started > now + _AHEAD_S:
            raise InputError(
                f"started_at {request.started_at.isoformat()} lies ahead of the clock here",
                field="started_at",
                semantic=True,
            )
        _check_deadline(_deadline(request), started)


def _check_reach(request: VerdictRequest, now: float, reach_s: float) -> None:
    """An attempt cannot begin so long ago that reading it would take longer than anybody waits."""
    if request.started_at is not None and now - request.started_at.timestamp() > reach_s:
        raise InputError(
            f"started_at {request.started_at.isoformat()} is more than {reach_s / 86_400:g} days"
            " back: give the begin of this canary, or leave it out",
            field="started_at",
            semantic=True,
        )


def _is_forgotten(attempt: Attempt, now: float) -> bool:
    """Whether nobody has asked for so long that it would have to be read anew; a fail stays."""
    return attempt.latch is None and now - attempt.last_asked > _REACH_S * attempt.policy.time_scale


def _check_deadline(deadline: float | None, start: float | None) -> None:
    if deadline is not None and start is not None and deadline <= start:
        raise InputError(
            f"deadline is not after the attempt's start: {start - deadline:g} s before it",
            field="deadline",
            semantic=True,
        )


def _check_person(person: str, reason: str, for_s: float) -> None:
    if not person.strip():
        raise InputError("say who decides", field="person", semantic=True)
    if not reason.strip():
        raise InputError("say why: it is written to the audit log", field="reason", semantic=True)
    if not 0 < for_s <= _DECISION_MAX_S:
        raise InputError("a decision stands for up to 30 days", field="for", semantic=True)


_DECISION_MAX_S = 30 * 86_400.0


def _latched(attempt: Attempt, judgement: Judgement, watch: Watch | None, now: float) -> Attempt:
    """The attempt with its first fail."""
    first = judgement.first_fail
    if attempt.latch is not None or first is None or judgement.outcome is not Outcome.FAIL:
        return attempt
    latch = Latch(
        at=first.at,
        found_at=now,
        signal=first.signal,
        reason=judgement.reason,
        pods=watch.presence.alive(now) if watch is not None else (),
    )
    return replace(attempt, latch=latch)


def _due_latch(attempt: Attempt, watch: Watch | None, as_of: float) -> Latch | None:
    """The stored latch, where it was known or due at `as_of`."""
    latch = attempt.latch
    if latch is None:
        return None
    due = latch.found_at if watch is None else min(latch.found_at, latch.at + watch.judge.settle)
    return latch if due <= as_of else None


def _fingerprint(verdict: Verdict) -> object:
    return (
        verdict.outcome,
        verdict.answer,
        verdict.final,
        verdict.stage,
        verdict.reason.code,
        verdict.mode,
        tuple((s.name, s.outcome) for s in verdict.signals),
    )


def _is_unseen(verdict: Verdict) -> bool:
    """Whether no request of the canary has been counted."""
    counted = sum(s.samples.canary for s in verdict.signals)
    asked = (ReasonCode.NO_CANARY_DATA, ReasonCode.COLLECTING, ReasonCode.LOW_TRAFFIC)
    return verdict.reason.code in asked and counted == 0


def _in_force(changes: Sequence[ModeChange], service: str | None, now: float) -> ModeChange | None:
    own = [c for c in changes if c.service == service]
    return standing_mode(own, service or "", now)
