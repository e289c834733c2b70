"""Stores that keep everything in memory: for tests, benches and replays of a file."""

from __future__ import annotations

from detector.gate.record import FAIL_DAYS, PASS_DAYS, Kept, Pruned
from detector.gate.verdict import Outcome
from detector.ports import Stores
from pipelines.stores.memory_aa import MemoryAa
from pipelines.stores.memory_attempts import MemoryAttempts, MemoryPoints, MemoryVerdicts
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.memory_decisions import (
    MemoryAudit,
    MemoryModes,
    MemoryOverrides,
    MemoryPolicies,
    MemoryRevisions,
)
from pipelines.stores.memory_learned import MemoryLearned
from pipelines.stores.memory_outbox import MemoryOutbox
from pipelines.stores.memory_reports import MemoryReports
from pipelines.stores.memory_scans import MemoryScans
from pipelines.stores.memory_versions import MemoryVersions

__all__ = ["DAY_S", "memory_stores"]

DAY_S = 86_400.0


def memory_stores() -> Stores:
    """A fresh set of stores; nothing outlives the process."""
    attempts, points = MemoryAttempts(), MemoryPoints()
    verdicts, outbox, changes = MemoryVerdicts(attempts), MemoryOutbox(), MemoryChanges()
    scans, reports, versions = MemoryScans(), MemoryReports(), MemoryVersions()
    return Stores(
        attempts=attempts,
        verdicts=verdicts,
        points=points,
        answers=MemoryAnswers(attempts, verdicts, points, outbox),
        policies=MemoryPolicies(),
        overrides=MemoryOverrides(),
        modes=MemoryModes(),
        revisions=MemoryRevisions(),
        aa=MemoryAa(),
        outbox=outbox,
        audit=MemoryAudit(),
        changes=changes,
        learned=MemoryLearned(),
        scans=scans,
        reports=reports,
        versions=versions,
        retention=MemoryRetention(
            attempts, verdicts, points, outbox, versions, (changes, scans, reports)
        ),
    )


class MemoryAnswers:
    """`AnswerStore`."""

    def __init__(
        self,
        attempts: MemoryAttempts,
        verdicts: MemoryVerdicts,
        points: MemoryPoints,
        outbox: MemoryOutbox,
    ) -> None:
        self._attempts, self._verdicts, self._points = attempts, verdicts, points
        self._outbox = outbox

    def keep(self, kept: Kept) -> None:
        """Each where it belongs."""
        self._attempts.save(kept.attempt, durable=kept.durable)
        if kept.chunk is not None:
            self._points.append(kept.chunk, at=kept.at)
        if kept.verdict is not None:
            self._verdicts.save(kept.verdict, at=kept.at)
        self._outbox.put(kept.posts)


class MemoryRetention:
    """`Retention`."""

    def __init__(
        self,
        attempts: MemoryAttempts,
        verdicts: MemoryVerdicts,
        points: MemoryPoints,
        outbox: MemoryOutbox,
        versions: MemoryVersions,
        others: tuple[MemoryChanges, MemoryScans, MemoryReports],
    ) -> None:
        self._attempts, self._verdicts, self._points = attempts, verdicts, points
        self._outbox, self._versions, self._others = outbox, versions, others

    def prune(self, now: float) -> Pruned:
        """Delete what is past its time; samples go with their attempt's last question."""
        old, older = now - PASS_DAYS * DAY_S, now - FAIL_DAYS * DAY_S
        verdicts = self._prune_verdicts(old, older)
        past = {
            a.id
            for a in self._attempts.rows.values()
            if a.last_asked < (older if a.latch is not None else old)
        }
        chunks = self._prune_chunks(past)
        self._outbox.prune(old)
        self._versions.prune(round(1000 * old))
        for other in self._others:
            other.prune(round(1000 * older))
        kept = {s.verdict.attempt for s in self._verdicts.rows.values()}
        for id in past - kept:
            self._attempts.forget(id)
        return Pruned(verdicts=verdicts, chunks=chunks, attempts=len(past - kept))

    def _prune_verdicts(self, old: float, older: float) -> int:
        rows, written = self._verdicts.rows, self._verdicts.written
        gone = [
            id
            for id, stored in rows.items()
            if written[id] < (older if stored.verdict.outcome is Outcome.FAIL else old)
        ]
        for id in gone:
            del rows[id], written[id]
        return len(gone)

    def _prune_chunks(self, past: set[str]) -> int:
        """Samples of these attempts, and of those that are gone."""
        rows, attempts = self._points.rows, self._attempts.rows
        gone = [c.hash for c in rows.values() if c.attempt in past or c.attempt not in attempts]
        for id in gone:
            del rows[id], self._points.written[id]
        return len(gone)
