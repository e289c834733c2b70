"""What a pack says: metric names, labels and codes of one instrumentation, as typed values."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from detector.signals.signal import Shape, Unit

__all__ = [
    "CLUSTERS",
    "NAMESPACES",
    "PODS",
    "SERVICES",
    "Durations",
    "Errors",
    "Pack",
    "Requests",
    "Resource",
    "Role",
]

# Labels that name a thing, the usual first. Which one a series has depends on who scrapes it.
SERVICES = (
    "service", "app", "app_kubernetes_io_name", "kubernetes_name", "service_name", "k8s_app",
    "job", "application", "deployment", "workload", "k8s_deployment_name", "container",
)  # fmt: skip
PODS = (
    "pod", "k8s_pod_name", "kubernetes_pod_name", "pod_name", "exported_pod",
    "instance", "service_instance_id", "host_name",
)  # fmt: skip
NAMESPACES = ("namespace", "k8s_namespace_name", "kubernetes_namespace", "exported_namespace")
CLUSTERS = ("cluster", "k8s_cluster_name", "cluster_name", "cluster_id")


class Errors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests are errors: the first of `labels` that the series carry decides.

    `match` is the regular expression of its bad values; a series that `without` matches by
    another label is none. A label none of whose values is `like` a code is passed over.
    """

    labels: tuple[str, ...]
    match: str
    like: str = ".+"
    without: dict[str, str] = {}


class Requests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A counter of requests; `where` must match and `without` must not, label by label."""

    metric: str
    errors: Errors
    where: dict[str, str] = {}
    without: dict[str, str] = {}


class Durations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A classic histogram by its `_bucket` series; `scale` turns its unit into seconds."""

    metric: str
    scale: float = 1.0
    where: dict[str, str] = {}
    without: dict[str, str] = {}


class Role(StrEnum):
    """What a resource metric is read for."""

    START_TIME = "start_time"
    RESTARTS = "restarts"
    OOM = "oom"
    CPU = "cpu"
    MEMORY = "memory"


class Resource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A metric of containers or processes; of one role the lowest `rank` that exists is read.

    `pods` are the labels that name the pod, none for those of the request series.
    """

    role: Role
    metric: str
    shape: Shape
    rank: int = 0
    pods: tuple[str, ...] = ()
    scale: float = 1.0
    where: dict[str, str] = {}
    without: dict[str, str] = {}


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instrumentation; `unit` is what one series of its requests stands for.

    `health` names, by label, the requests that are probes and not traffic.
    """

    name: str
    title: str
    published: str
    unit: Unit = Unit.POD
    services: tuple[str, ...] = SERVICES
    pods: tuple[str, ...] = PODS
    namespaces: tuple[str, ...] = NAMESPACES
    clusters: tuple[str, ...] = CLUSTERS
    requests: tuple[Requests, ...] = ()
    durations: tuple[Durations, ...] = ()
    health: dict[str, str] = {}
    resources: tuple[Resource, ...] = ()
