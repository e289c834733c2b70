"""Which cluster is watched, and what of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OBJECTS", "KubernetesSettings"]

# What may be watched, by the words of the configuration. Who may list Secrets may read them.
OBJECTS = ("workloads", "config-maps", "autoscalers", "nodes", "secrets", "helm")


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesSettings:
    """How a cluster is reached. Without a kubeconfig it is the one that serinus runs in.

    `namespaces` are all where none is named. What was changed within `lookback_s` before the start
    is told, too.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str = ""
    tenant: str = "default"
    namespaces: tuple[str, ...] = ()
    objects: tuple[str, ...] = OBJECTS[:4]
    lookback_s: float = 86_400.0
    timeout_s: float = 10.0
    watch_s: float = 60.0
