"""By which attributes OpenTelemetry, and which labels Loki's senders tell who wrote a line."""

from __future__ import annotations

from collections.abc import Mapping

from detector.logs.lines import Origin
from pipelines.ingest.logs.named import Names, Role, names_of

__all__ = ["LOKI", "LOKI_NAMES", "LONGEST_WORD", "OTEL", "OTEL_NAMES", "told_origin"]

# Of a service, a pod …: what is longer is cut.
LONGEST_WORD = 256
# https://opentelemetry.io/docs/specs/semconv/resource/; the preferred name first.
OTEL: Mapping[Role, tuple[str, ...]] = {
    Role.SERVICE: ("service.name", "k8s.deployment.name", "k8s.container.name"),
    Role.NAMESPACE: ("k8s.namespace.name", "service.namespace"),
    Role.CLUSTER: ("k8s.cluster.name",),
    Role.POD: ("k8s.pod.name", "service.instance.id", "host.name"),
    Role.VERSION: ("service.version", "container.image.tag"),
    Role.LEVEL: ("level", "severity", "log.level", "loglevel"),
    Role.TRACE: ("trace_id", "traceid", "trace.id"),
    Role.STACK: ("exception.stacktrace",),
}


# Labels and structured metadata: what Loki makes of OpenTelemetry's names, what Promtail's, Alloy's
# and Fluent Bit's configurations call them; the preferred name first.
LOKI: Mapping[Role, tuple[str, ...]] = {
    Role.SERVICE: (
        "service_name", "service", "app_kubernetes_io_name", "app", "application",
        "k8s_deployment_name", "deployment", "container", "container_name", "k8s_container_name",
        "job", "compose_service", "unit", "systemd_unit", "filename",
    ),
    Role.NAMESPACE: (
        "namespace", "k8s_namespace_name", "kubernetes_namespace_name", "service_namespace",
    ),
    Role.CLUSTER: ("cluster", "k8s_cluster_name"),
    Role.POD: (
        "pod", "pod_name", "k8s_pod_name", "kubernetes_pod_name", "service_instance_id", "instance",
        "host", "hostname", "host_name", "node_name",
    ),
    Role.VERSION: (
        "service_version", "version", "app_kubernetes_io_version", "image_tag",
        "container_image_tag",
    ),
    Role.LEVEL: ("severity_text", "level", "detected_level", "severity", "lvl", "loglevel"),
    Role.TRACE: ("trace_id", "traceID", "traceid", "traceId"),
    Role.STACK: ("exception_stacktrace",),
}  # fmt: skip


def told_origin(told: Mapping[str, str], table: Mapping[Role, tuple[str, ...]]) -> Origin:
    """Whose lines they are, as a resource's attributes or a stream's labels tell."""

    def named(role: Role) -> str:
        return next((told[name][:LONGEST_WORD] for name in table[role] if told.get(name)), "")

    return Origin(
        service=named(Role.SERVICE),
        namespace=named(Role.NAMESPACE),
        cluster=named(Role.CLUSTER),
        pod=named(Role.POD),
        version=named(Role.VERSION),
    )


def _names(table: Mapping[Role, tuple[str, ...]]) -> Names:
    return names_of((name, role) for role, names in table.items() for name in names)


OTEL_NAMES = _names(OTEL)
LOKI_NAMES = _names(LOKI)
