"""How many pods a workload has: it was scaled, or its autoscaler may scale it otherwise."""

from __future__ import annotations

from detector.changes.change import ChangeEvent, ChangeKind
from pipelines.changes.kubernetes.objects import Hpa, Meta, written
from pipelines.changes.kubernetes.rollouts import Rollout
from pipelines.changes.kubernetes.telling import Telling, service_of

__all__ = ["limits_changed", "scaled"]

_SPEC, _REPLICAS = "f:spec", "f:spec/f:replicas"


def scaled(
    telling: Telling, before: Rollout | None, now: Rollout, notes: Meta, at: int
) -> tuple[ChangeEvent, ...]:
    """That a workload was scaled.

    By the subresource `scale` the API server notes when it was; otherwise it shows only against
    how it was before, and is told as of `at`. `notes` are its metadata in full.
    """
    noted = written(notes, _REPLICAS, subresource="scale")
    is_other = before is not None and before.replicas != now.replicas
    if noted is None and not is_other:
        return ()
    was = "" if before is None or not is_other else f" from {before.replicas}"
    uid = now.meta.uid
    return telling.event(
        now.meta,
        f"{uid}/scaled/{now.meta.generation if noted is None else noted.at}",
        at=at if noted is None else noted.at,
        kind=ChangeKind.SCALING,
        title=f"{now.kind} {now.meta.name} was scaled{was} to {now.replicas}",
        service=now.service,
        actor="" if noted is None else noted.by,
    )


def limits_changed(telling: Telling, found: Hpa) -> tuple[ChangeEvent, ...]:
    """That an autoscaler was given other limits or goals after it was made."""
    meta, wrote = found.metadata, written(found.metadata, _SPEC)
    if wrote is None or wrote.at <= meta.created:
        return ()
    least = 1 if found.spec.min_replicas is None else found.spec.min_replicas
    target = found.spec.scale_target_ref.name
    return telling.event(
        meta,
        f"{meta.uid}/spec/{wrote.at}",
        at=wrote.at,
        kind=ChangeKind.SCALING,
        title=f"autoscaler {meta.name} of {target}: {least} to {found.spec.max_replicas} pods",
        service=service_of(meta.labels, otherwise=target),
        actor=wrote.by,
    )
