"""Attempts with their verdicts and samples, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from detector.errors import ConflictError, NotFoundError
from detector.gate.attempt import Attempt, Identity
from detector.gate.record import PASS_DAYS, Chunk, Filter, Page, StoredVerdict

__all__ = ["MemoryAttempts", "MemoryPoints", "MemoryVerdicts"]


class MemoryAttempts:
    """`AttemptStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Attempt] = {}
        self._followed: dict[tuple[Identity, str], str] = {}
        self._lock = threading.Lock()

    def save(self, attempt: Attempt, *, durable: bool = False) -> Attempt:
        """Insert, or replace the version that was read."""
        del durable
        with self._lock:
            old, place = self.rows.get(attempt.id), (attempt.identity, attempt.follows)
            is_newest = attempt.version == (0 if old is None else old.version)
            if not is_newest or self._followed.get(place, attempt.id) != attempt.id:
                raise ConflictError(f"attempt {attempt.id} was written by another meanwhile")
            kept = replace(attempt, version=attempt.version + 1)
            self.rows[attempt.id] = kept
            self._followed[place] = attempt.id
            return kept

    def forget(self, id: str) -> None:
        """Delete one."""
        with self._lock:
            gone = self.rows.pop(id)
            del self._followed[gone.identity, gone.follows]

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

    def __init__(self, attempts: MemoryAttempts) -> None:
        self.rows: dict[str, StoredVerdict] = {}
        self.written: dict[str, float] = {}
        self._attempts = attempts

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
        attempt = self._attempts.rows.get(verdict.attempt)
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

    def since(self, head: str, known: str, *, most: int) -> Sequence[Chunk] | None:
        """Step by step."""
        chunks: list[Chunk] = []
        while head and head != known and head in self.rows and len(chunks) < most:
            chunks.append(self.rows[head])
            head = chunks[-1].prev
        return chunks[::-1] if head == known else None
