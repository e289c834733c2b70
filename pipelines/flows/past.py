"""The past: the verdict that was due at an earlier moment; nothing of it is written."""

from __future__ import annotations

from dataclasses import replace

from detector.gate.attempt import Attempt, Closing, Identity, begins_anew
from detector.gate.naming import named
from detector.gate.policy import Policy
from detector.gate.promotion import promoted
from detector.gate.ruling import rule
from detector.gate.verdict import Verdict
from detector.logs.ports import TemplateTexts
from detector.ports import Stores
from pipelines.flows.asked import Asked, check_deadline
from pipelines.flows.circumstances import circumstances_of
from pipelines.flows.following import Following
from pipelines.flows.playback import judged
from pipelines.flows.runway import Runway
from pipelines.flows.thrift import Thrift
from pipelines.flows.wordings import wordings_of

__all__ = ["Past"]


class Past:
    """Judges as it would have been judged then, from what is stored and what the source keeps."""

    def __init__(
        self,
        stores: Stores,
        following: Following,
        texts: TemplateTexts | None = None,
        thrift: Thrift | None = None,
        runway: Runway | None = None,
    ) -> None:
        self._stores, self._following, self._texts = stores, following, texts
        self._thrift, self._runway = thrift or Thrift(), runway or Runway()

    def judge(self, asked: Asked, identity: Identity, policy: Policy, as_of: float) -> Verdict:
        """The answer that was due at `as_of`."""
        attempt = self._attempt(asked, identity, as_of)
        if attempt is None:
            attempt = self._following.begin(replace(asked, now=as_of), identity, policy)
        attempt = self._located(asked, attempt, as_of)
        check_deadline(asked.deadline, attempt.started_at)
        asked.spent = self._thrift.spent(asked, attempt.policy, as_of)
        watch = None
        if attempt.plan is not None:
            watch = self._following.watch_at(asked, attempt, as_of)
            attempt = _closed(attempt, watch.head, asked, as_of)
        seen = circumstances_of(self._stores, asked, attempt, watch, as_of)
        judgement = judged(
            attempt, seen, watch, lambda _, until: self._following.watch_at(asked, attempt, until)
        )
        wordings = wordings_of(judgement, attempt, self._texts)
        seen = replace(
            seen, wordings=wordings, exhausting=self._runway.short(attempt, judgement, seen)
        )
        return rule(attempt, named(judgement, wordings), seen)

    def _located(self, asked: Asked, attempt: Attempt, as_of: float) -> Attempt:
        """With the plan of that moment, where none was stored and a canary was there."""
        if attempt.plan is not None:
            return attempt
        located = self._following.locate(asked, attempt, as_of)
        if located is None or located.start is None:
            return attempt
        return replace(
            attempt,
            plan=promoted(located.plan, attempt.aa),
            started_at=located.start,
            interval=located.interval,
        )

    def _attempt(self, asked: Asked, identity: Identity, as_of: float) -> Attempt | None:
        """The stored attempt that ran at a moment."""
        attempt = self._stores.attempts.newest(identity, asked_until=as_of)
        if attempt is None:
            attempt = self._stores.attempts.newest(identity, asked_until=float("inf"))
            if attempt is None or attempt.started_at is None or attempt.started_at > as_of:
                return None
        return None if begins_anew(attempt, asked.request) else attempt


def _closed(attempt: Attempt, head: str, asked: Asked, as_of: float) -> Attempt:
    """From its deadline on an attempt has ended; with what was known at `as_of`, if not before."""
    deadline = asked.deadline
    if deadline is None or as_of < deadline:
        return attempt
    if attempt.closing is not None and attempt.closing.deadline == deadline:
        return attempt
    return replace(attempt, closing=Closing(deadline=deadline, head=head, spent=asked.spent))
