"""Stored answers: looked up, listed, computed again, and taken elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from detector.gate.attempt import Attempt
from detector.gate.decision import Override
from detector.gate.naming import named
from detector.gate.record import Filter, Page, StoredVerdict
from detector.gate.ruling import rule
from detector.gate.verdict import Verdict
from detector.ports import Stores
from pipelines.flows.evidence import Evidence, pack_evidence, unpack_evidence
from pipelines.flows.playback import judged, playback
from pipelines.flows.watch import SessionFactory, Watch

__all__ = ["Records", "Rollout", "replayed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """An attempt with what was decided when; verdicts are newest first, one page of them.

    `deadline`: that of the page's first verdict, unix seconds.
    """

    attempt: Attempt
    page: Page
    overrides: tuple[Override, ...]
    deadline: float | None = None


class Records:
    """What was answered, from the stores alone."""

    def __init__(self, stores: Stores, sessions: SessionFactory) -> None:
        self._stores, self._sessions = stores, sessions

    def verdict(self, id: str) -> Verdict:
        """A stored verdict; `NotFoundError`."""
        return self._stores.verdicts.get(id).verdict

    def list(self, wanted: Filter) -> Page:
        """Stored verdicts, newest first."""
        return self._stores.verdicts.list(wanted)

    def rollout(self, id: str, *, after: str | None = None, limit: int = 200) -> Rollout:
        """An attempt and its timeline; `NotFoundError`."""
        attempt = self._stores.attempts.get(id)
        page = self._stores.verdicts.list(Filter(attempt=id, after=after, limit=limit))
        newest = self._stores.verdicts.get(page.verdicts[0].id) if page.verdicts else None
        return Rollout(
            attempt=attempt,
            page=page,
            overrides=tuple(self._stores.overrides.of(id)),
            deadline=None if newest is None else newest.seen.deadline,
        )

    def replay(self, id: str) -> Verdict:
        """The same answer, computed again from the stored samples."""
        stored = self._stores.verdicts.get(id)
        attempt = self._stores.attempts.get(stored.verdict.attempt)
        return self.replayed(self._evidence(attempt, stored))

    def export(self, id: str) -> bytes:
        """One file with all that the answer was made from."""
        stored = self._stores.verdicts.get(id)
        return pack_evidence(
            self._evidence(self._stores.attempts.get(stored.verdict.attempt), stored)
        )

    def replay_file(self, file: bytes) -> Verdict:
        """The answer of an evidence file, computed again; `InputError` for any other file."""
        return self.replayed(unpack_evidence(file))

    def _evidence(self, attempt: Attempt, stored: StoredVerdict) -> Evidence:
        head = stored.seen.head
        chunks = tuple(self._stores.points.chain(head)) if head else ()
        return Evidence(attempt=attempt, stored=stored, chunks=chunks)

    def replayed(self, evidence: Evidence) -> Verdict:
        """The answer of this evidence, computed again."""
        return replayed(evidence, self._sessions)


def replayed(evidence: Evidence, sessions: SessionFactory) -> Verdict:
    """The answer of this evidence, computed again."""
    attempt, seen = evidence.attempt, evidence.stored.seen
    watch = playback(attempt, evidence.chunks, sessions) if seen.head else None

    def then(head: str, until: float) -> Watch:
        return playback(attempt, evidence.up_to(head), sessions, until=until)

    return rule(attempt, named(judged(attempt, seen, watch, then), seen.wordings), seen)
