"""Stores that keep everything in memory: for tests, benches and replays of a file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from detector.errors import NotFoundError
from detector.gate.attempt import (
    Attempt,
    AuditEntry,
    Identity,
    ModeChange,
    Override,
    Revision,
)
from detector.gate.policy import Policy
from detector.gate.record import (
    FAIL_DAYS,
    PASS_DAYS,
    Chunk,
    Filter,
    Kept,
    Page,
    PolicyVersion,
    Pruned,
    StoredVerdict,
)
from detector.gate.verdict import Outcome
from detector.ports import Stores

__all__ = ["DAY_S", "memory_stores"]

DAY_S = 86_400.0


def memory_stores() -> Stores:
    """A fresh set of stores; nothing outlives the process."""
    attempts, verdicts, points = MemoryAttempts(), MemoryVerdicts(), MemoryPoints()
    verdicts.attempts = attempts
    return Stores(
        attempts=attempts,
        verdicts=verdicts,
        points=points,
        answers=MemoryAnswers(attempts, verdicts, points),
        policies=MemoryPolicies(),
        overrides=MemoryOverrides(),
        modes=MemoryModes(),
        revisions=MemoryRevisions(),
        audit=MemoryAudit(),
        retention=MemoryRetention(attempts, verdicts, points),
    )


class MemoryAttempts:
    """`AttemptStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Attempt] = {}

    def save(self, attempt: Attempt, *, durable: bool = False) -> None:
        """Insert or replace."""
        del durable
        self.rows[attempt.id] = attempt

    def get(self, id: str) -> Attempt:
        """By id."""
        if id not in self.rows:
            raise NotFoundError(f"no rollout {id!r}")
        return self.rows[id]

    def newest(self, identity: Identity, *, asked_until: float) -> Attempt | None:
        """The one first asked about last."""
        rows = list(self.rows.values())
        same = [a for a in rows if a.identity == identity and a.asked_at <= asked_until]
        return max(same, key=lambda a: (a.asked_at, a.id), default=None)


class MemoryVerdicts:
    """`VerdictStore`."""

    attempts: MemoryAttempts

    def __init__(self) -> None:
        self.rows: dict[str, StoredVerdict] = {}
        self.written: dict[str, float] = {}

    def save(self, stored: StoredVerdict, *, at: float) -> None:
        """Insert or replace."""
        self.rows[stored.verdict.id] = stored
        self.written[stored.verdict.id] = at

    def get(self, id: str) -> StoredVerdict:
        """By id."""
        if id not in self.rows:
            raise NotFoundError(f"no verdict {id!r}")
        return self.rows[id]

    def list(self, wanted: Filter) -> Page:
        """Newest first."""
        rows = list(self.rows.values())
        if wanted.newest_only:
            newest = {s.verdict.attempt: s for s in sorted(rows, key=lambda s: s.verdict.id)}
            rows = list(newest.values())
        found = sorted(
            (s.verdict for s in rows if self._is_wanted(s, wanted)),
            key=lambda v: v.id,
            reverse=True,
        )
        page = tuple(found[: wanted.limit])
        return Page(verdicts=page, next=page[-1].id if len(found) > len(page) else None)

    def _is_wanted(self, stored: StoredVerdict, wanted: Filter) -> bool:
        verdict, at = stored.verdict, stored.verdict.as_of.timestamp()
        attempt = self.attempts.rows.get(verdict.attempt)
        tenant = None if attempt is None else attempt.identity.tenant
        return (
            wanted.tenant in (None, tenant)
            and wanted.service in (None, verdict.service)
            and wanted.rollout in (None, verdict.rollout)
            and wanted.attempt in (None, verdict.attempt)
            and wanted.outcome in (None, verdict.outcome)
            and (wanted.since is None or at >= wanted.since)
            and (wanted.until is None or at < wanted.until)
            and (wanted.after is None or verdict.id < wanted.after)
        )


class MemoryPoints:
    """`PointStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Chunk] = {}
        self.written: dict[str, float] = {}

    def append(self, chunk: Chunk, *, at: float) -> None:
        """Keep one chunk."""
        self.rows.setdefault(chunk.hash, chunk)
        self.written.setdefault(chunk.hash, at)

    def chain(self, head: str) -> Sequence[Chunk]:
        """Oldest first."""
        chunks = []
        while head:
            if head not in self.rows:
                raise NotFoundError(f"samples {head[:12]} are gone: they are kept {PASS_DAYS} days")
            chunks.append(self.rows[head])
            head = self.rows[head].prev
        return chunks[::-1]


class MemoryAnswers:
    """`AnswerStore`."""

    def __init__(
        self, attempts: MemoryAttempts, verdicts: MemoryVerdicts, points: MemoryPoints
    ) -> None:
        self._attempts, self._verdicts, self._points = attempts, verdicts, points

    def keep(self, kept: Kept) -> None:
        """Each where it belongs."""
        if kept.chunk is not None:
            self._points.append(kept.chunk, at=kept.at)
        self._attempts.save(kept.attempt, durable=kept.durable)
        if kept.verdict is not None:
            self._verdicts.save(kept.verdict, at=kept.at)


class MemoryPolicies:
    """`PolicyStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, list[PolicyVersion]] = {}

    def save(self, policy: Policy, *, at: float, person: str) -> int:
        """Save a version."""
        versions = self.rows.setdefault(policy.name, [])
        if not versions or versions[-1].policy != policy:
            version = len(versions) + 1
            versions.append(PolicyVersion(policy=policy, version=version, at=at, person=person))
        return versions[-1].version

    def get(self, name: str) -> Policy:
        """The newest version."""
        if name not in self.rows:
            raise NotFoundError(f"no policy {name!r}")
        return self.rows[name][-1].policy

    def all(self) -> Sequence[PolicyVersion]:
        """The newest version of each."""
        return [self.rows[name][-1] for name in sorted(self.rows)]


class MemoryOverrides:
    """`OverrideStore`."""

    def __init__(self) -> None:
        self.rows: list[Override] = []

    def add(self, override: Override) -> None:
        """Keep one."""
        self.rows.append(override)

    def of(self, attempt: str) -> Sequence[Override]:
        """Oldest first."""
        return [o for o in self.rows if o.attempt == attempt]


class MemoryModes:
    """`ModeStore`."""

    def __init__(self) -> None:
        self.rows: list[ModeChange] = []

    def add(self, change: ModeChange) -> None:
        """Keep one."""
        self.rows.append(change)

    def of(self, tenant: str) -> Sequence[ModeChange]:
        """Oldest first."""
        return [c for c in self.rows if c.tenant == tenant]


class MemoryRevisions:
    """`RevisionStore`."""

    def __init__(self) -> None:
        self.rows: list[Revision] = []
        self._lock = threading.Lock()

    def saw(self, revisions: Sequence[Revision], *, apart_s: float) -> None:
        """Lengthen or add."""
        with self._lock:
            for seen in revisions:
                self._saw(seen, apart_s)

    def _saw(self, seen: Revision, apart_s: float) -> None:
        for index, row in enumerate(self.rows):
            near = row.since - apart_s <= seen.until and seen.since <= row.until + apart_s
            if _same(row, seen) and near:
                first, last = min(row.since, seen.since), max(row.until, seen.until)
                self.rows[index] = replace(row, since=first, until=last)
                return
        self.rows.append(seen)

    def known(self, like: Revision, *, since: float) -> Sequence[Revision]:
        """Spans that end after `since`."""
        return [r for r in self.rows if _same(r, like) and r.until > since and r.since < like.since]


def _same(one: Revision, other: Revision) -> bool:
    return replace(one, since=0.0, until=0.0) == replace(other, since=0.0, until=0.0)


class MemoryAudit:
    """`AuditLog`."""

    def __init__(self) -> None:
        self.rows: list[AuditEntry] = []

    def write(self, entry: AuditEntry) -> None:
        """Append."""
        self.rows.append(entry)

    def entries(self, *, limit: int, before: float | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        found = [e for e in self.rows if before is None or e.at < before]
        return found[::-1][:limit]


class MemoryRetention:
    """`Retention`."""

    def __init__(
        self, attempts: MemoryAttempts, verdicts: MemoryVerdicts, points: MemoryPoints
    ) -> None:
        self._attempts, self._verdicts, self._points = attempts, verdicts, points

    def prune(self, now: float) -> Pruned:
        """Delete what is past its time."""
        old, older = now - PASS_DAYS * DAY_S, now - FAIL_DAYS * DAY_S
        verdicts = [
            id
            for id, s in self._verdicts.rows.items()
            if self._verdicts.written[id] < (older if s.verdict.outcome is Outcome.FAIL else old)
        ]
        for id in verdicts:
            del self._verdicts.rows[id], self._verdicts.written[id]
        asked = {s.verdict.attempt for s in self._verdicts.rows.values()}
        failed = {a.id for a in self._attempts.rows.values() if a.latch is not None}
        attempts = [
            a.id
            for a in self._attempts.rows.values()
            if a.id not in asked and a.last_asked < (older if a.latch else old)
        ]
        chunks = [c.hash for c in self._points.rows.values() if self._is_old(c, failed, old, older)]
        for hash_ in chunks:
            del self._points.rows[hash_], self._points.written[hash_]
        for id in attempts:
            del self._attempts.rows[id]
        return Pruned(verdicts=len(verdicts), chunks=len(chunks), attempts=len(attempts))

    def _is_old(self, chunk: Chunk, failed: set[str], old: float, older: float) -> bool:
        """Samples go by attempt, all at once; those of a fail stay as long as the fail."""
        attempt = self._attempts.rows.get(chunk.attempt)
        if attempt is None:
            return True
        return attempt.last_asked < (older if attempt.id in failed else old)
