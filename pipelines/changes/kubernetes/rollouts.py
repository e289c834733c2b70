"""Rollouts of workloads: a revision of their template began, and how it went.

A revision is a ReplicaSet of a deployment, or a ControllerRevision of a set: there is one for each
template, and one that is used again was rolled back to. All that is told is read from what the
objects say now, with its time, so it does not matter which of them come, when, and how often.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase
from pipelines.changes.kubernetes.objects import (
    ControllerRevision,
    Meta,
    ReplicaSet,
    Template,
    Workload,
    written,
)
from pipelines.changes.kubernetes.telling import Telling, service_of, version_of
from pipelines.changes.moments import moment_ms

__all__ = [
    "Revision",
    "Rollout",
    "current",
    "deployment",
    "removed",
    "revision_of_replica_set",
    "revision_of_set",
    "rollout_events",
    "stateful_set",
    "workload_of",
]

_NUMBER, _HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
_DONE, _STUCK = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
_TEMPLATE = "f:spec/f:template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One template of a workload; `used_at` is when it was last made the current one, if known."""

    owner: str
    number: int
    name: str
    created: int
    is_reused: bool
    used_at: int | None
    version: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A workload: which revision it is at (None: the newest), and how far, if that may be trusted.

    `since` is when its template was last written, or earlier. Times are unix milliseconds.
    """

    kind: str
    meta: Meta
    service: str
    replicas: int | None
    revision: int | str | None
    phase: ChangePhase
    ended_at: int | None
    since: int | None
    actor: str = ""


def revision_of_replica_set(found: ReplicaSet) -> Revision | None:
    """None where it is no deployment's, or not numbered yet."""
    owner, notes = found.metadata.owner, found.metadata.annotations or {}
    number = notes.get(_NUMBER, "")
    if owner is None or owner.kind != "Deployment" or not _is_number(number):
        return None
    is_reused = bool(notes.get(_HISTORY))
    return _revision(found.metadata, owner.uid, int(number), found.spec.template, is_reused, None)


def revision_of_set(found: ControllerRevision) -> Revision | None:
    """None where it is nobody's. Nothing but its number is ever written after it was made."""
    owner = found.metadata.owner
    if owner is None:
        return None
    bumped = written(found.metadata, "f:revision")
    at = None if bumped is None else bumped.at
    is_reused = at is not None and at > found.metadata.created
    template = found.data.spec.template
    return _revision(found.metadata, owner.uid, found.revision, template, is_reused, at)


def _revision(
    meta: Meta, owner: str, number: int, template: Template, is_reused: bool, used_at: int | None
) -> Revision:
    return Revision(
        owner=owner,
        number=number,
        name=meta.name,
        created=meta.created,
        is_reused=is_reused,
        used_at=used_at,
        version=version_of(template.labels, template.images),
        image=template.images[0] if template.images else "",
    )


def workload_of(kind: str, found: Workload) -> Rollout:
    """What a workload of this kind says of its rollout."""
    match kind:
        case "deployment":
            return deployment(found)
        case "stateful set":
            return stateful_set(found)
        case _:
            return _daemon_set(found)


def deployment(found: Workload) -> Rollout:
    """Its status is trusted once its controller has seen what is wanted."""
    progress = found.condition("Progressing")
    told = moment_ms(progress.last_update_time)
    phases = {_DONE: ChangePhase.SUCCEEDED, _STUCK: ChangePhase.FAILED}
    phase = phases.get(progress.reason, ChangePhase.STARTED)
    number = (found.metadata.annotations or {}).get(_NUMBER, "")
    revision = int(number) if _is_number(number) else 0
    rollout = _rollout("deployment", found, revision, phase, told)
    return rollout if told is None or rollout.since is None else _earlier(rollout, told)


def stateful_set(found: Workload) -> Rollout:
    """It is done once all its pods are of the revision that is wanted."""
    status = found.status
    is_done = (
        status.current_revision == status.update_revision
        and min(status.updated_replicas, status.ready_replicas) >= found.spec.replicas
    )
    return _rollout("stateful set", found, status.update_revision, _phase(is_done), None)


def _daemon_set(found: Workload) -> Rollout:
    status, wanted = found.status, found.status.desired_number_scheduled
    is_done = status.updated_number_scheduled >= wanted and status.number_available >= wanted
    return _rollout("daemon set", found, None, _phase(is_done), None)


def _phase(is_done: bool) -> ChangePhase:
    return ChangePhase.SUCCEEDED if is_done else ChangePhase.STARTED


def _rollout(
    kind: str, found: Workload, revision: int | str | None, phase: ChangePhase, told: int | None
) -> Rollout:
    meta, wrote = found.metadata, written(found.metadata, _TEMPLATE)
    status = written(meta, "f:status", subresource="status")
    ended = told if told is not None else None if status is None else status.at
    is_seen = found.status.observed_generation >= meta.generation
    return Rollout(
        kind=kind,
        meta=_bare(meta),
        service=service_of(meta.labels, found.spec.template.labels, otherwise=meta.name),
        replicas=None if kind == "daemon set" else found.spec.replicas,
        revision=revision,
        phase=phase if is_seen else ChangePhase.STARTED,
        ended_at=ended,
        since=None if wrote is None else wrote.at,
        actor="" if wrote is None else wrote.by,
    )


def _bare(meta: Meta) -> Meta:
    """What is kept of it, for its notes are long."""
    return Meta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        generation=meta.generation,
        creation_timestamp=meta.creation_timestamp,
    )


def _earlier(rollout: Rollout, told: int) -> Rollout:
    """Who writes a template later writes other fields, too; the end of its rollout stays."""
    assert rollout.since is not None
    return replace(rollout, since=min(rollout.since, told))


def current(rollout: Rollout, revisions: Collection[Revision]) -> Revision | None:
    """The revision that a workload is at; None while it is not known."""
    wanted = rollout.revision
    if wanted is None:
        return max(revisions, key=lambda one: one.number, default=None)
    return next((one for one in revisions if wanted in {one.number, one.name}), None)


def rollout_events(
    telling: Telling, rollout: Rollout, revisions: Collection[Revision]
) -> tuple[ChangeEvent, ...]:
    """That rollouts of revisions began, and that the latest ended, if it has; by their numbers.

    Of one that another overtook while nobody looked only the start is known.
    """
    now = current(rollout, revisions)
    if now is None:
        return ()
    before = sorted(
        (one for one in revisions if one.number < now.number and not one.is_reused),
        key=lambda one: one.number,
    )
    overtaken = [
        event
        for one in before
        for event in _event(telling, rollout, one, ChangePhase.STARTED, one.created)
    ]
    return (*overtaken, *_latest(telling, rollout, now))


def _latest(telling: Telling, rollout: Rollout, at: Revision) -> tuple[ChangeEvent, ...]:
    began = _began(rollout, at)
    if began is None or began < telling.since:
        return ()
    begun = _event(telling, rollout, at, ChangePhase.STARTED, began)
    if rollout.phase is ChangePhase.STARTED or rollout.ended_at is None:
        return begun
    # Of a daemon set nothing says which revision its status speaks of, but that it is younger.
    if rollout.revision is None and rollout.ended_at <= began:
        return begun
    return begun + _event(telling, rollout, at, rollout.phase, max(began, rollout.ended_at))


def _began(rollout: Rollout, at: Revision) -> int | None:
    """A new revision when it was made; one that is used again when it was said to be."""
    if not at.is_reused:
        return at.created
    return at.used_at if at.used_at is not None else rollout.since


def _event(
    telling: Telling, rollout: Rollout, at: Revision, phase: ChangePhase, when: int
) -> tuple[ChangeEvent, ...]:
    subject = f"{at.owner}/{at.number}"
    words = f"{rollout.kind} {rollout.meta.name}: revision {at.number}"
    return telling.event(
        rollout.meta,
        f"{subject}/{phase.value}",
        subject=subject,
        at=when,
        kind=ChangeKind.ROLLBACK if at.is_reused else ChangeKind.DEPLOYMENT,
        phase=phase,
        title=f"{words}, {'back to ' if at.is_reused else ''}{at.version}",
        service=rollout.service,
        version=at.version,
        artifact=at.image,
        actor=rollout.actor,
    )


def removed(telling: Telling, rollout: Rollout, now: int) -> tuple[ChangeEvent, ...]:
    """That a workload is gone."""
    return telling.event(
        rollout.meta,
        f"{rollout.meta.uid}/removed",
        at=now,
        kind=ChangeKind.REMOVAL,
        title=f"{rollout.kind} {rollout.meta.name} was removed",
        service=rollout.service,
    )


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 16
