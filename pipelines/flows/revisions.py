"""Revisions that served as control, and a canary that is one of them: a rollback."""

from __future__ import annotations

from dataclasses import replace

from detector.gate.attempt import Attempt, Revision
from detector.gate.presence import Pod, Presence
from detector.ports import RevisionStore

__all__ = ["Revisions"]

_STABLE_S = 3600.0
_REMEMBERED_S = 14 * 86_400.0
_APART_S = 3600.0
_LOOK_EVERY_S = 600.0


class Revisions:
    """Remembers controls and recognises canaries."""

    def __init__(self, store: RevisionStore) -> None:
        self._store = store
        self._looked: dict[str, float] = {}

    def look(self, attempt: Attempt, presence: Presence, now: float) -> Attempt:
        """Note the control's revisions; the attempt with the rollback it is, if it is one."""
        if now - self._looked.get(attempt.id, float("-inf")) >= _LOOK_EVERY_S:
            scale = attempt.policy.time_scale
            self._store.saw(_served(attempt, presence.control), apart_s=_APART_S * scale)
            self._looked[attempt.id] = now
            if len(self._looked) > 4096:
                self._looked.clear()
        if attempt.rollback is not None or attempt.started_at is None:
            return attempt
        return self._recognised(attempt, presence)

    def _recognised(self, attempt: Attempt, presence: Presence) -> Attempt:
        pods = presence.canary.values()
        keys = frozenset.intersection(*(p.keys for p in pods)) if pods else frozenset()
        start, scale = attempt.started_at or 0.0, attempt.policy.time_scale
        keys -= presence.control_keys(start)
        for key in sorted(keys):
            like = _revision(attempt, key, start, start)
            for known in self._store.known(like, since=start - _REMEMBERED_S):
                if min(known.until, start) - known.since >= _STABLE_S * scale:
                    return replace(attempt, rollback=key)
        return attempt


def _served(attempt: Attempt, pods: dict[str, Pod]) -> list[Revision]:
    spans: dict[str, tuple[float, float]] = {}
    for pod in pods.values():
        for key in pod.keys:
            first, last = spans.get(key, (pod.first, pod.last))
            spans[key] = (min(first, pod.first), max(last, pod.last))
    return [_revision(attempt, key, *span) for key, span in sorted(spans.items())]


def _revision(attempt: Attempt, key: str, since: float, until: float) -> Revision:
    identity = attempt.identity
    return Revision(
        tenant=identity.tenant,
        cluster=identity.cluster,
        namespace=identity.namespace,
        service=identity.service,
        key=key,
        since=since,
        until=until,
    )
