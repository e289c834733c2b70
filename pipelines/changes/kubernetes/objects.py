"""Objects of Kubernetes, as far as they tell of changes; whatever else they have is not kept."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from pipelines.changes.moments import moment_ms

__all__ = [
    "Condition",
    "ControllerRevision",
    "Hpa",
    "Meta",
    "Node",
    "ReplicaSet",
    "Template",
    "Thing",
    "Workload",
    "Written",
    "written",
]

_WRITERS_MAX = 100
Moment = Annotated[str, msgspec.Meta(max_length=64)]


class Struct(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What each is: names as Kubernetes has them, and unknown ones are skipped."""


class Writer(Struct, frozen=True):
    """Who wrote which fields last, and when, as the API server notes it."""

    manager: str = ""
    time: Moment = ""
    subresource: str = ""
    fields_v1: msgspec.Raw = msgspec.field(name="fieldsV1", default=msgspec.Raw(b"{}"))


class Owner(Struct, frozen=True):
    """Whose an object is."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Meta(Struct, frozen=True):
    """What every object has."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Moment = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None
    managed_fields: list[Writer] | None = None

    @property
    def created(self) -> int:
        """Unix milliseconds; 0 where it does not say."""
        return moment_ms(self.creation_timestamp) or 0

    @property
    def owner(self) -> Owner | None:
        """Whose it is, if anybody's."""
        return next((one for one in self.owner_references or () if one.controller), None)


class Container(Struct, frozen=True):
    """One container of a pod."""

    name: str = ""
    image: str = ""


class PodSpec(Struct, frozen=True):
    """What a pod is made of."""

    containers: list[Container] | None = None


class PodMeta(Struct, frozen=True):
    """What a pod is called by."""

    labels: dict[str, str] | None = None


class Template(Struct, frozen=True):
    """What pods are made by."""

    metadata: PodMeta = PodMeta()
    spec: PodSpec = PodSpec()

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        return self.metadata.labels or {}

    @property
    def images(self) -> tuple[str, ...]:
        """Of its containers, in their order."""
        return tuple(one.image for one in self.spec.containers or () if one.image)


class Condition(Struct, frozen=True):
    """What is true of an object, why, and since when."""

    type: str = ""
    status: str = ""
    reason: str = ""
    last_update_time: Moment = ""
    last_transition_time: Moment = ""


class WorkloadSpec(Struct, frozen=True):
    """What is wanted."""

    replicas: int = 1
    template: Template = Template()


class WorkloadStatus(Struct, frozen=True):
    """What is there; deployments, stateful sets and daemon sets have different ones of these."""

    observed_generation: int = 0
    conditions: list[Condition] | None = None
    updated_replicas: int = 0
    ready_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0


class Thing(Struct, frozen=True):
    """An object of which the metadata say enough."""

    metadata: Meta = Meta()


class Workload(Thing, frozen=True):
    """A deployment, stateful set or daemon set."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()

    def condition(self, wanted: str) -> Condition:
        """By its type; an empty one where there is none."""
        found = (one for one in self.status.conditions or () if one.type == wanted)
        return next(found, Condition())


class ReplicaSetSpec(Struct, frozen=True):
    """What is wanted."""

    template: Template = Template()


class ReplicaSet(Thing, frozen=True):
    """One revision of a deployment."""

    spec: ReplicaSetSpec = ReplicaSetSpec()


class RevisionData(Struct, frozen=True):
    """The part of a set that makes a revision."""

    spec: ReplicaSetSpec = ReplicaSetSpec()


class ControllerRevision(Thing, frozen=True):
    """One revision of a stateful or daemon set."""

    revision: int = 0
    data: RevisionData = RevisionData()


class Target(Struct, frozen=True):
    """What is scaled."""

    kind: str = ""
    name: str = ""


class HpaSpec(Struct, frozen=True):
    """Between what is scaled."""

    scale_target_ref: Target = Target()
    min_replicas: int | None = None
    max_replicas: int = 0


class Hpa(Thing, frozen=True):
    """What scales a workload by itself."""

    spec: HpaSpec = HpaSpec()


class NodeSpec(Struct, frozen=True):
    """What is wanted."""

    unschedulable: bool = False


class NodeStatus(Struct, frozen=True):
    """What is there."""

    conditions: list[Condition] | None = None


class Node(Thing, frozen=True):
    """A machine."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> Condition:
        """Whether it takes pods."""
        found = (one for one in self.status.conditions or () if one.type == "Ready")
        return next(found, Condition())


class Written(Struct, frozen=True):
    """Who wrote something last; `at` in unix milliseconds."""

    at: int
    by: str


def written(meta: Meta, *paths: str, subresource: str = "") -> Written | None:
    """Who wrote a field last, by the notes of the API server; None where nobody is noted.

    A path names nested fields, as `f:spec/f:template`. A note is of all that one manager wrote, so
    it may be younger than the field, and never older.
    """
    found = [
        Written(at=at, by=one.manager)
        for one in (meta.managed_fields or ())[:_WRITERS_MAX]
        if one.subresource == subresource and (at := moment_ms(one.time)) is not None
        if any(_has(one.fields_v1, path) for path in paths)
    ]
    return max(found, key=lambda one: one.at, default=None)


def _has(fields: msgspec.Raw, path: str) -> bool:
    tree: Any = msgspec.json.decode(fields)
    for name in path.split("/"):
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True
