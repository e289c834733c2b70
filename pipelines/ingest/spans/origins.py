"""Who wrote spans, from their resource's bytes: each is read once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detector.logs.lines import Origin
from detector.spans.masking import printable

__all__ = ["UNKNOWN_SERVICE", "Origins", "origin_of"]

# As SDKs name it where nobody did.
UNKNOWN_SERVICE = "unknown_service"
_MOST = 20_000
# By what each is told, the first that is there.
_SERVICE = ("service.name", "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name")
_NAMESPACE = ("k8s.namespace.name", "service.namespace")
_CLUSTER = ("k8s.cluster.name",)
_POD = ("k8s.pod.name", "service.instance.id", "host.name")
_VERSION = ("service.version", "container.image.tag", "deployment.version")


class Origins:
    """The origins of a tenant, by the bytes of their resources. Only a memory."""

    def __init__(self) -> None:
        self._known: dict[bytes, Origin] = {}
        # Of the message at hand, spans whose service nobody named.
        self.unnamed = 0

    def of(
        self, body: bytes, resources: NDArray[np.int64], resource: NDArray[np.int32]
    ) -> tuple[tuple[Origin, ...], NDArray[np.int32]]:
        """The origins of resources that lie at (R, 2) places, each once, and places of N spans."""
        if len(self._known) > _MOST:
            self._known.clear()
        told = [self._of(body[start:stop]) for start, stop in resources.tolist()]
        places = {origin: place for place, origin in enumerate(dict.fromkeys(told))}
        by_resource = np.array([places[origin] for origin in told], dtype=np.int32)
        is_unnamed = np.array([one.service == UNKNOWN_SERVICE for one in told], dtype=np.bool_)
        self.unnamed = int(is_unnamed[resource].sum()) if told else 0
        return tuple(places), by_resource[resource] if told else resource

    def _of(self, resource: bytes) -> Origin:
        found = self._known.get(resource)
        if found is None:
            found = self._known[resource] = origin_of(_attributes(resource))
        return found


def origin_of(attributes: Mapping[str, str]) -> Origin:
    """Who wrote, by the attributes of a resource."""
    return Origin(
        service=_first(attributes, _SERVICE) or UNKNOWN_SERVICE,
        namespace=_first(attributes, _NAMESPACE),
        cluster=_first(attributes, _CLUSTER),
        pod=_first(attributes, _POD),
        version=_first(attributes, _VERSION),
    )


def _first(attributes: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((attributes[name] for name in names if attributes.get(name)), "")


def _attributes(resource: bytes) -> dict[str, str]:
    """Texts only; nothing, where they cannot be read."""
    try:
        pairs = Resource.FromString(resource).attributes
    except DecodeError:
        return {}
    return {pair.key: printable(pair.value.string_value) for pair in pairs}
