"""ConfigMaps and Secrets: that their content was written, which their metadata tell without it."""

from __future__ import annotations

from detector.changes.change import ChangeEvent, ChangeKind
from pipelines.changes.kubernetes.objects import Meta, written
from pipelines.changes.kubernetes.telling import Telling, service_of

__all__ = ["configured", "unconfigured"]

_CONTENT = ("f:data", "f:binaryData", "f:stringData")
# Candidates for a lead write their ConfigMap every few seconds.
_LEADER = "control-plane.alpha.kubernetes.io/leader"


def configured(telling: Telling, what: str, meta: Meta) -> tuple[ChangeEvent, ...]:
    """That a ConfigMap or Secret got other content after it was made.

    A new one changes nothing before a template names it, and that is a rollout.
    """
    wrote = written(meta, *_CONTENT)
    if wrote is None or wrote.at <= meta.created or _LEADER in (meta.annotations or {}):
        return ()
    return telling.event(
        meta,
        f"{meta.uid}/content/{wrote.at}",
        at=wrote.at,
        kind=ChangeKind.CONFIG,
        title=f"{what} {meta.name} was changed",
        service=service_of(meta.labels),
        actor=wrote.by,
    )


def unconfigured(telling: Telling, what: str, meta: Meta, now: int) -> tuple[ChangeEvent, ...]:
    """That one is gone."""
    return telling.event(
        meta,
        f"{meta.uid}/removed",
        at=now,
        kind=ChangeKind.CONFIG,
        title=f"{what} {meta.name} was removed",
        service=service_of(meta.labels),
    )
