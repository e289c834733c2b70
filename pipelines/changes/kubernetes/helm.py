"""Releases of Helm, by the labels of the Secrets that it keeps them in; they are never opened.

Each revision of a release is one Secret, whose label `status` says how far it is. Which chart it
was only its content tells, and that has the values, too.
"""

from __future__ import annotations

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase
from pipelines.changes.kubernetes.objects import Meta, written
from pipelines.changes.kubernetes.telling import Telling
from pipelines.changes.moments import moment_ms

__all__ = ["release_events", "release_gone"]

_BEGUN = {
    "pending-install": ChangeKind.DEPLOYMENT,
    "pending-upgrade": ChangeKind.DEPLOYMENT,
    "pending-rollback": ChangeKind.ROLLBACK,
    "uninstalling": ChangeKind.REMOVAL,
}
# Each passes through a pending one, and says no more what it was: a change keeps its kind.
_ENDED = {
    "deployed": (ChangeKind.OTHER, ChangePhase.SUCCEEDED),
    "superseded": (ChangeKind.OTHER, ChangePhase.SUCCEEDED),
    "failed": (ChangeKind.OTHER, ChangePhase.FAILED),
    "uninstalled": (ChangeKind.REMOVAL, ChangePhase.SUCCEEDED),
}
_REMOVALS = frozenset({"uninstalling", "uninstalled"})


def release_events(telling: Telling, meta: Meta) -> tuple[ChangeEvent, ...]:
    """That an install, upgrade, rollback or removal of a release began, and how it ended."""
    labels = meta.labels or {}
    status, modified = labels.get("status", ""), _modified(meta)
    if labels.get("owner") != "helm" or not labels.get("name"):
        return ()
    if status in _BEGUN:
        at = modified if status in _REMOVALS else meta.created
        return _event(telling, meta, _BEGUN[status], ChangePhase.STARTED, at)
    begun = _event(telling, meta, ChangeKind.DEPLOYMENT, ChangePhase.STARTED, meta.created)
    if status not in _ENDED:
        return ()
    kind, phase = _ENDED[status]
    # What is superseded was modified by what came after it.
    at = meta.created if status == "superseded" else max(modified, meta.created)
    ended = _event(telling, meta, kind, phase, at)
    return ended if kind is ChangeKind.REMOVAL else begun + ended


def release_gone(telling: Telling, meta: Meta, now: int) -> tuple[ChangeEvent, ...]:
    """A release whose Secret goes while it is uninstalled is no more; else Helm cleans up."""
    if (meta.labels or {}).get("status") != "uninstalling":
        return ()
    return _event(telling, meta, ChangeKind.REMOVAL, ChangePhase.SUCCEEDED, now)


def _modified(meta: Meta) -> int:
    """When its labels were written last, by Helm's word or else the API server's."""
    told = moment_ms((meta.labels or {}).get("modifiedAt", ""))
    wrote = written(meta, "f:metadata/f:labels")
    return told or (meta.created if wrote is None else wrote.at)


def _event(
    telling: Telling, meta: Meta, kind: ChangeKind, phase: ChangePhase, at: int
) -> tuple[ChangeEvent, ...]:
    labels = meta.labels or {}
    name, number = labels["name"], labels.get("version", "")
    is_removal = kind is ChangeKind.REMOVAL
    subject = f"{meta.uid}/removal" if is_removal else meta.uid
    words = "is removed" if is_removal else f"revision {number}"
    return telling.event(
        meta,
        f"{subject}/{phase.value}",
        subject=subject,
        at=at,
        kind=kind,
        phase=phase,
        title=f"release {name} of Helm: {words}",
        service=name,
        version="" if is_removal else number,
    )
