"""What is known of the objects of a cluster, and what news of them the change log hears."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.changes.change import ChangeEvent, ChangeKind
from detector.changes.ports import ChangeLog
from detector.errors import SourceError
from pipelines.changes.kubernetes.configuration import configured, unconfigured
from pipelines.changes.kubernetes.helm import release_events, release_gone
from pipelines.changes.kubernetes.nodes import node_events, node_left
from pipelines.changes.kubernetes.objects import (
    ControllerRevision,
    Hpa,
    Meta,
    Node,
    ReplicaSet,
    Thing,
    Workload,
)
from pipelines.changes.kubernetes.resources import Resource
from pipelines.changes.kubernetes.rollouts import (
    Revision,
    Rollout,
    removed,
    revision_of_replica_set,
    revision_of_set,
    rollout_events,
    workload_of,
)
from pipelines.changes.kubernetes.scaling import limits_changed, scaled
from pipelines.changes.kubernetes.telling import Telling

__all__ = ["Watched"]

_OBJECTS_MAX = 200_000
# What is written more often is state that a program keeps, or its daily work, and no news.
_OFTEN, _WHILE_MS = 4, 3_600_000
# An object has about a dozen of them at a time: as many as a deployment keeps revisions.
_TOLD = 32
_RESTLESS = frozenset({ChangeKind.CONFIG, ChangeKind.SCALING, ChangeKind.NODE})
_LABELS = frozenset(
    {"app.kubernetes.io/name", "app", "owner", "name", "status", "version", "modifiedAt"}
)


@dataclass(slots=True)
class _Known:
    """What is remembered of one object: little, for there are many."""

    meta: Meta
    rollout: Rollout | None = None
    revision: Revision | None = None
    is_cordoned: bool = False
    told: tuple[str, ...] = ()
    often: tuple[int, ...] = ()


class Watched:
    """Hears of objects from feeds, in any order and as often as they like; safe for threads.

    `tell` takes what is new to the change log, and counts it; `StoreError` where that is away.
    """

    def __init__(
        self,
        telling: Telling,
        log: ChangeLog,
        tenant: str,
        *,
        clock: Callable[[], float],
        placed: Callable[[ChangeEvent], ChangeEvent],
    ) -> None:
        self._telling, self._log, self._tenant = telling, log, tenant
        self._clock, self._placed = clock, placed
        self._known: dict[tuple[str, str], dict[str, _Known]] = {}
        self._revisions: dict[str, dict[str, Revision]] = {}
        self._rollouts: dict[str, _Known] = {}
        self._lock = threading.Lock()
        self.kept = self.told_before = self.restless = 0

    @property
    def objects(self) -> int:
        """How many are known."""
        return sum(len(some) for some in self._known.values())

    def listed(self, resource: Resource, namespace: str, found: Sequence[Thing]) -> None:
        """These are all; those that were and are not among them went meanwhile."""
        there = {one.metadata.uid for one in found}
        with self._lock:
            known = self._of(resource, namespace)
            for left in [known[uid] for uid in known.keys() - there]:
                self._gone(resource, namespace, left)
            for one in found:
                self._seen(resource, namespace, one)

    def seen(self, resource: Resource, namespace: str, found: Thing) -> None:
        """One is new or otherwise."""
        with self._lock:
            self._seen(resource, namespace, found)

    def gone(self, resource: Resource, namespace: str, found: Thing) -> None:
        """One is no more."""
        with self._lock:
            known = self._of(resource, namespace).get(found.metadata.uid)
            if known is not None:
                self._gone(resource, namespace, known)

    def _of(self, resource: Resource, namespace: str) -> dict[str, _Known]:
        return self._known.setdefault((f"{resource.objects}/{resource.name}", namespace), {})

    def _now(self) -> int:
        return round(1000 * self._clock())

    def _seen(self, resource: Resource, namespace: str, found: Thing) -> None:
        known, uid = self._of(resource, namespace), found.metadata.uid
        before = known.get(uid)
        if before is None and self.objects >= _OBJECTS_MAX:
            raise SourceError(f"more than {_OBJECTS_MAX:,} objects: name some namespaces")
        now = _Known(meta=_kept(found.metadata))
        if before is not None:
            now.told, now.often = before.told, before.often
        events = self._events(resource, found, before, now)
        self._tell(now, events)
        known[uid] = now

    def _gone(self, resource: Resource, namespace: str, known: _Known) -> None:
        self._tell(known, self._last_words(resource, known))
        self._of(resource, namespace).pop(known.meta.uid, None)
        self._rollouts.pop(known.meta.uid, None)
        if known.revision is not None:
            self._forget(known.revision, known.meta.uid)

    def _forget(self, revision: Revision, uid: str) -> None:
        of_owner = self._revisions.get(revision.owner, {})
        of_owner.pop(uid, None)
        if not of_owner:
            self._revisions.pop(revision.owner, None)

    def _events(
        self, resource: Resource, found: Thing, before: _Known | None, now: _Known
    ) -> Sequence[ChangeEvent]:
        meta, at = found.metadata, self._now()
        match found:
            case Workload():
                return self._of_workload(resource, found, before, now)
            case ReplicaSet():
                return self._of_revision(revision_of_replica_set(found), now)
            case ControllerRevision():
                return self._of_revision(revision_of_set(found), now)
            case Hpa():
                return limits_changed(self._telling, found)
            case Node():
                now.is_cordoned = found.spec.unschedulable
                was = before is not None and before.is_cordoned
                return node_events(self._telling, found, was, at)
            case _ if resource.objects == "helm":
                return release_events(self._telling, meta)
            case _:
                return configured(self._telling, resource.what, meta)

    def _of_workload(
        self, resource: Resource, found: Workload, before: _Known | None, now: _Known
    ) -> Sequence[ChangeEvent]:
        now.rollout = workload_of(resource.what, found)
        self._rollouts[found.metadata.uid] = now
        was = None if before is None else before.rollout
        size = scaled(self._telling, was, now.rollout, found.metadata, self._now())
        return [*self._rolled(now.rollout), *size]

    def _of_revision(self, revision: Revision | None, now: _Known) -> Sequence[ChangeEvent]:
        now.revision = revision
        if revision is None:
            return ()
        self._revisions.setdefault(revision.owner, {})[now.meta.uid] = revision
        owner = self._rollouts.get(revision.owner)
        if owner is not None and owner.rollout is not None:
            # Remembered with the workload, by which it will be told again.
            self._tell(owner, self._rolled(owner.rollout))
        return ()

    def _rolled(self, rollout: Rollout) -> Sequence[ChangeEvent]:
        revisions = self._revisions.get(rollout.meta.uid, {})
        return rollout_events(self._telling, rollout, list(revisions.values()))

    def _last_words(self, resource: Resource, known: _Known) -> Sequence[ChangeEvent]:
        now = self._now()
        match resource.objects:
            case "workloads":
                return () if known.rollout is None else removed(self._telling, known.rollout, now)
            case "nodes":
                return node_left(self._telling, known.meta, now)
            case "helm":
                return release_gone(self._telling, known.meta, now)
            case "config-maps" | "secrets":
                return unconfigured(self._telling, resource.what, known.meta, now)
            case _:
                return ()

    def _tell(self, known: _Known, events: Sequence[ChangeEvent]) -> None:
        """What of it was not told yet, and is no daily work of the object."""
        fresh = [event for event in events if event.id not in known.told]
        news, often = _calm(known.often, fresh)
        if news:
            placed = [self._placed(event) for event in news]
            changed = self._log.add(self._tenant, placed)
            self.kept += len(changed)
            self.told_before += max(0, len(news) - len(changed))
        self.restless += len(fresh) - len(news)
        known.told = (*known.told, *(event.id for event in fresh))[-_TOLD:]
        known.often = often


def _calm(
    often: tuple[int, ...], events: Sequence[ChangeEvent]
) -> tuple[list[ChangeEvent], tuple[int, ...]]:
    """Those that are news, and when the latest such were."""
    news: list[ChangeEvent] = []
    for event in events:
        lately = [at for at in often if at > event.at - _WHILE_MS]
        if event.kind not in _RESTLESS or len(lately) < _OFTEN:
            news.append(event)
        if event.kind in _RESTLESS:
            often = (*often, event.at)[-_OFTEN:]
    return news, often


def _kept(meta: Meta) -> Meta:
    """Its name, and the labels that are needed once it is gone."""
    labels = {name: word for name, word in (meta.labels or {}).items() if name in _LABELS}
    return Meta(name=meta.name, namespace=meta.namespace, uid=meta.uid, labels=labels or None)
