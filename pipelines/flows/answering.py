"""Answering for an attempt: circumstances, deadline and latch around what its judge says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detector.errors import NotFoundError
from detector.gate.attempt import Attempt, Closing, Latch
from detector.gate.judgement import Judgement
from detector.gate.naming import named
from detector.gate.record import Chunk, Kept, StoredVerdict
from detector.gate.ruling import Circumstances, rule
from detector.gate.telling import Route, addressed, call_of
from detector.gate.verdict import Outcome, Verdict
from detector.logs.ports import TemplateTexts
from detector.ports import Stores
from pipelines.flows.asked import Asked
from pipelines.flows.circumstances import circumstances_of
from pipelines.flows.playback import judged, playback
from pipelines.flows.runway import Runway
from pipelines.flows.turns import Recent
from pipelines.flows.watch import SessionFactory, Watch
from pipelines.flows.wordings import wordings_of

__all__ = ["Answering"]

_STORED_EVERY_S = 60.0


class Answering:
    """Judges, rules, and keeps what comes of it, with what is to be told by `routes`.

    Remembers what it said last of `warm` attempts. `texts` tells what log lines say,
    `runway` what promotion would exhaust.
    """

    def __init__(
        self,
        stores: Stores,
        sessions: SessionFactory,
        warm: int,
        routes: Sequence[Route] = (),
        texts: TemplateTexts | None = None,
        runway: Runway | None = None,
    ) -> None:
        self._stores, self._sessions, self._routes = stores, sessions, routes
        self._texts, self._runway = texts, runway or Runway()
        # By attempt: what its last stored answer said, that answer's id, and when it was given.
        self._given: Recent[tuple[object, str, float]] = Recent(4 * warm)

    def answer(self, asked: Asked, attempt: Attempt, watch: Watch | None) -> Verdict:
        """The verdict on what was read; kept, with the samples that it was made from."""
        attempt = _closed(asked, attempt, watch)
        seen = circumstances_of(self._stores, asked, attempt, watch, asked.now)
        judgement = self._judgement(asked, attempt, seen, watch)
        wordings = wordings_of(judgement, attempt, self._texts)
        judgement = named(judgement, wordings)
        short = self._runway.short(attempt, judgement, seen)
        seen = replace(seen, wordings=wordings, exhausting=short)
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
        call = None if stored is None else call_of(verdict, attempt)
        kept = Kept(
            attempt=attempt,
            at=asked.now,
            chunk=asked.chunk,
            verdict=stored,
            posts=addressed(call, self._routes),
            durable=is_new_latch,
        )
        self._stores.answers.keep(kept)
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
                return (*self._stores.points.chain(unstored.prev), unstored)
            return tuple(self._stores.points.chain(head))
        except NotFoundError:
            return ()


def _closed(asked: Asked, attempt: Attempt, watch: Watch | None) -> Attempt:
    """Fix from which samples the answer at the deadline is made."""
    deadline, closing = asked.deadline, attempt.closing
    if watch is None or deadline is None or asked.now < deadline:
        return attempt
    if closing is not None and closing.deadline == deadline:
        return attempt
    doubt = asked.problem or watch.partial
    closing = Closing(deadline=deadline, head=watch.head, doubt=doubt, spent=asked.spent)
    return replace(attempt, closing=closing)


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
