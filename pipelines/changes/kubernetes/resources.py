"""Which resources of the API are read for what, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.changes.kubernetes.objects import (
    ControllerRevision,
    Hpa,
    Node,
    ReplicaSet,
    Thing,
    Workload,
)
from pipelines.changes.kubernetes.settings import KubernetesSettings

__all__ = ["Resource", "resources_of"]

_ACCOUNT = "type!=kubernetes.io/service-account-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource and its objects; `form` is what is decoded, metadata alone for a `Thing`."""

    name: str
    what: str
    objects: str
    group: str
    form: type[Thing]
    selectors: tuple[tuple[str, str], ...] = ()
    has_namespaces: bool = True

    @property
    def is_bare(self) -> bool:
        """Whether metadata alone are asked for."""
        return self.form is Thing

    def path(self, namespace: str) -> str:
        """Of its list, in a namespace or in all."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"/{self.group}{inside}/{self.name}"


_APPS, _CORE = "apis/apps/v1", "api/v1"
_ALL = (
    Resource(
        name="deployments", what="deployment", objects="workloads", group=_APPS, form=Workload
    ),
    Resource(
        name="replicasets", what="revision", objects="workloads", group=_APPS, form=ReplicaSet
    ),
    Resource(
        name="statefulsets", what="stateful set", objects="workloads", group=_APPS, form=Workload
    ),
    Resource(name="daemonsets", what="daemon set", objects="workloads", group=_APPS, form=Workload),
    Resource(
        name="controllerrevisions",
        what="revision",
        objects="workloads",
        group=_APPS,
        form=ControllerRevision,
    ),
    Resource(name="configmaps", what="config map", objects="config-maps", group=_CORE, form=Thing),
    Resource(
        name="horizontalpodautoscalers",
        what="autoscaler",
        objects="autoscalers",
        group="apis/autoscaling/v2",
        form=Hpa,
    ),
    Resource(
        name="nodes", what="node", objects="nodes", group=_CORE, form=Node, has_namespaces=False
    ),
    Resource(
        name="secrets",
        what="secret",
        objects="secrets",
        group=_CORE,
        form=Thing,
        selectors=(("fieldSelector", _ACCOUNT), ("labelSelector", "owner!=helm")),
    ),
    Resource(
        name="secrets",
        what="release",
        objects="helm",
        group=_CORE,
        form=Thing,
        selectors=(
            ("fieldSelector", "type=helm.sh/release.v1"),
            ("labelSelector", "owner=helm"),
        ),
    ),
)


def resources_of(settings: KubernetesSettings) -> Iterator[tuple[Resource, str]]:
    """Each resource that is to be watched, with the namespace; an empty word for all."""
    for resource in _ALL:
        if resource.objects in settings.objects:
            for namespace in settings.namespaces if resource.has_namespaces else ():
                yield resource, namespace
            if not settings.namespaces or not resource.has_namespaces:
                yield resource, ""
