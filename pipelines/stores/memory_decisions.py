"""What people decided, and which revisions served, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from detector.errors import NotFoundError
from detector.gate.attempt import Revision
from detector.gate.decision import AuditEntry, ModeChange, Override
from detector.gate.policy import Policy
from detector.gate.record import PolicyVersion

__all__ = ["MemoryAudit", "MemoryModes", "MemoryOverrides", "MemoryPolicies", "MemoryRevisions"]


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
