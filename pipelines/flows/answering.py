"""Answering for an attempt: circumstances, deadline and latch around what its judge says."""

from __future__ import annotations

from dataclasses import replace

from detector.errors import NotFoundError
from detector.gate.attempt import Attempt, Closing, Latch, stage_at
from detector.gate.decision import standing_mode, standing_override
from detector.gate.judgement import Judgement
from detector.gate.policy import Mode
from detector.gate.record import Chunk, Kept, StoredVerdict
from detector.gate.ruling import Circumstances, rule, verdict_id
from detector.gate.verdict import Outcome, Verdict
from pipelines.flows.asked import Asked
from pipelines.flows.following import Following
from pipelines.flows.playback import judged, playback
from pipelines.flows.turns import Recent
from pipelines.flows.watch import Watch

__all__ = ["Answering"]

_STORED_EVERY_S = 60.0


class Answering(Following):
    """Judges, rules, and keeps what comes of it."""

    # By attempt: what its last stored answer said, that answer's id, and when it was given.
    _given: Recent[tuple[object, str, float]]

    def _answer(self, asked: Asked, attempt: Attempt, watch: Watch | None) -> Verdict:
        """Judge, rule, keep."""
        attempt = self._close(asked, attempt, watch)
        seen = self._circumstances(asked, attempt, watch, asked.now)
        judgement = self._judgement(asked, attempt, seen, watch)
        latched = _latched(attempt, judgement, watch, asked.now)
        is_new_latch = latched.latch is not attempt.latch
        attempt = replace(
            latched,
            last_asked=asked.now,
            evaluated_to=judgement.evaluated_to or latched.evaluated_to,
        )
        verdict = rule(attempt, judgement, seen)
        repeated = self._repeated(verdict, attempt, asked.now)
        stored = StoredVerdict(verdict=verdict, seen=seen) if repeated is None else None
        kept = Kept(
            attempt=attempt, at=asked.now, chunk=asked.chunk, verdict=stored, durable=is_new_latch
        )
        self.stores.answers.keep(kept)
        if repeated is not None:
            return replace(verdict, id=repeated)
        self._given.put(attempt.id, (_fingerprint(verdict), verdict.id, asked.now))
        return verdict

    def _repeated(self, verdict: Verdict, attempt: Attempt, now: float) -> str | None:
        """The id of the stored answer that says the same, for a minute."""
        last, every = self._given.get(attempt.id), _STORED_EVERY_S * attempt.policy.time_scale
        if last is None or last[0] != _fingerprint(verdict) or not 0 <= now - last[2] < every:
            return None
        return last[1]

    def _close(self, asked: Asked, attempt: Attempt, watch: Watch | None) -> Attempt:
        """Fix from which samples the answer at the deadline is made."""
        deadline, closing = asked.deadline, attempt.closing
        if watch is None or deadline is None or asked.now < deadline:
            return attempt
        if closing is not None and closing.deadline == deadline:
            return attempt
        doubt = asked.problem or watch.partial
        return replace(attempt, closing=Closing(deadline=deadline, head=watch.head, doubt=doubt))

    def _judgement(
        self, asked: Asked, attempt: Attempt, seen: Circumstances, watch: Watch | None
    ) -> Judgement:
        def then(head: str, until: float) -> Watch:
            """What stood at the deadline; nothing heard where the samples are gone."""
            chunks = self._stored_until(head, asked.chunk)
            return playback(attempt, chunks, self._sessions, until=until)

        return judged(attempt, seen, watch, then)

    def _stored_until(self, head: str, unstored: Chunk | None) -> tuple[Chunk, ...]:
        """The samples up to a chunk, be it the one that is stored with this answer."""
        try:
            if unstored is not None and unstored.hash == head:
                return (*self.stores.points.chain(unstored.prev), unstored)
            return tuple(self.stores.points.chain(head))
        except NotFoundError:
            return ()

    def _circumstances(
        self, asked: Asked, attempt: Attempt, watch: Watch | None, as_of: float
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
            notes=(*asked.notes, *(watch.steering.notes() if watch is not None else ())),
        )

    def _mode(self, attempt: Attempt, at: float) -> Mode:
        identity = attempt.identity
        glass = standing_mode(self.stores.modes.of(identity.tenant), identity.service, at)
        return attempt.policy.mode if glass is None or glass.mode is None else glass.mode


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
