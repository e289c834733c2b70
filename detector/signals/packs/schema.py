"""What a pack says: metric names, labels and codes of one instrumentation, as typed values."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from detector.signals.packs.codes import Codes
from detector.signals.signal import Direction, Kind, Shape, Unit

__all__ = [
    "CLUSTERS",
    "NAMESPACES",
    "PODS",
    "SERVICES",
    "Durations",
    "Errors",
    "Extra",
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

    `codes` names a table of bad values, or `match` is the regular expression of them; a series
    that `without` matches by another label is none. A label none of whose values is `like` a code
    is passed over. `only_on_errors`: the label is on failed requests alone, so that a service
    without it has had none. `metrics`: failures are counted apart, by all series of these counters;
    with `only_on_errors` they begin with the first failure.
    Once parsed, `match` and `like` are filled in.
    """

    labels: tuple[str, ...] = ()
    codes: Codes | None = None
    match: str = ""
    like: str = ""
    without: dict[str, str] = {}
    only_on_errors: bool = False
    metrics: tuple[str, ...] = ()


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
    LOG_LINES = "log_lines"


class Resource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A metric of containers or processes; of one role the lowest `rank` that exists is read.

    `pods` are the labels that name the pod, none for those of the request series. `apart` is the
    label that tells the templates of log lines.
    """

    role: Role
    metric: str
    shape: Shape
    apart: str = ""
    rank: int = 0
    pods: tuple[str, ...] = ()
    scale: float = 1.0
    where: dict[str, str] = {}
    without: dict[str, str] = {}


class Extra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal of the service beside those of its requests, found by the arms or by their pods.

    Of one name the lowest `rank` that the service has is read. A ratio counts `errors` among the
    metric; latency is a histogram by its `_bucket` series; a rate is counted per request of the
    service; a gauge may be a counter's growth (`shape: counter`), and is divided by the load with
    `per_request`; of one that `grows` its growth is compared, not its level. With
    `instead_of` it is left out where that signal has data. Without `judged` it is shown and can
    fail nothing.
    """

    name: str
    kind: Kind
    metric: str
    shape: Shape | None = None
    direction: Direction = Direction.UP
    unit: str = "ratio"
    judged: bool = False
    errors: Errors | None = None
    per_request: bool = False
    grows: bool = False
    instead_of: str = ""
    rank: int = 0
    pods: tuple[str, ...] = ()
    scale: float = 1.0
    where: dict[str, str] = {}
    without: dict[str, str] = {}


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instrumentation; `unit` is what one series of its requests stands for.

    `spelled` says, by label, how a proxy writes a service's name (RE2 in which `<service>` and
    `<namespace>` stand for the names). `health` names, by label, the requests that are probes and
    not traffic. `missing` says, by signal, what a person can do where the service lacks it. Of
    packs that know a service equally well the lowest `rank` is read: what it serves, not what it
    works off.
    """

    name: str
    title: str
    published: str
    unit: Unit = Unit.POD
    rank: int = 0
    services: tuple[str, ...] = SERVICES
    spelled: dict[str, str] = {}
    pods: tuple[str, ...] = PODS
    namespaces: tuple[str, ...] = NAMESPACES
    clusters: tuple[str, ...] = CLUSTERS
    requests: tuple[Requests, ...] = ()
    durations: tuple[Durations, ...] = ()
    health: dict[str, str] = {}
    missing: dict[str, str] = {}
    resources: tuple[Resource, ...] = ()
    signals: tuple[Extra, ...] = ()
