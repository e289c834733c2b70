"""Nodes: that one came or went, takes no more pods, or is not ready."""

from __future__ import annotations

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase
from pipelines.changes.kubernetes.objects import Meta, Node, written
from pipelines.changes.kubernetes.telling import Telling
from pipelines.changes.moments import moment_ms

__all__ = ["node_events", "node_left"]

_CORDON = "f:spec/f:unschedulable"
# A node that joins becomes ready a little later, which is no news of its own.
_JOINING_MS = 600_000


def node_events(telling: Telling, found: Node, was_cordoned: bool, now: int) -> list[ChangeEvent]:
    """What a node says of itself; that it takes pods again shows only against how it was."""
    meta = found.metadata
    joined = _told(telling, meta, "joined", meta.created, f"node {meta.name} joined")
    return [*joined, *_readiness(telling, found), *_cordon(telling, found, was_cordoned, now)]


def node_left(telling: Telling, meta: Meta, now: int) -> tuple[ChangeEvent, ...]:
    """That a node is gone."""
    return _told(telling, meta, "left", now, f"node {meta.name} left")


def _readiness(telling: Telling, found: Node) -> tuple[ChangeEvent, ...]:
    """It begins as it is no longer ready, and ends as it is again."""
    meta, ready = found.metadata, found.ready
    at = moment_ms(ready.last_transition_time)
    if at is None or at < meta.created + _JOINING_MS:
        return ()
    is_ready = ready.status == "True"
    words = "is ready again" if is_ready else "is not ready"
    return telling.event(
        meta,
        f"{meta.uid}/ready/{ready.status}/{at}",
        subject=f"{meta.uid}/ready",
        at=at,
        kind=ChangeKind.NODE,
        phase=ChangePhase.SUCCEEDED if is_ready else ChangePhase.STARTED,
        title=f"node {meta.name} {words}",
    )


def _cordon(telling: Telling, found: Node, was_cordoned: bool, now: int) -> tuple[ChangeEvent, ...]:
    meta, is_cordoned = found.metadata, found.spec.unschedulable
    wrote = written(meta, _CORDON) if is_cordoned else None
    at = now if wrote is None else wrote.at
    if not is_cordoned and not was_cordoned:
        return ()
    words = "takes no more pods" if is_cordoned else "takes pods again"
    return telling.event(
        meta,
        f"{meta.uid}/cordon/{is_cordoned}/{meta.resource_version if wrote is None else at}",
        subject=f"{meta.uid}/cordon",
        at=at,
        kind=ChangeKind.NODE,
        phase=ChangePhase.STARTED if is_cordoned else ChangePhase.SUCCEEDED,
        title=f"node {meta.name} {words}",
        actor="" if wrote is None else wrote.by,
    )


def _told(telling: Telling, meta: Meta, what: str, at: int, title: str) -> tuple[ChangeEvent, ...]:
    return telling.event(meta, f"{meta.uid}/{what}", at=at, kind=ChangeKind.NODE, title=title)
