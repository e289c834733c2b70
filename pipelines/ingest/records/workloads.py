"""Whose a log is in Kubernetes: by the path of its file, and what made a pod by the pod's name."""

from __future__ import annotations

import re

from detector.logs.lines import Origin

__all__ = ["origin_of_path", "workload_of"]

_PODS = re.compile(r"/pods/(?P<namespace>[^_/]+)_(?P<pod>[^_/]+)_[^/]+/(?P<container>[^/]+)/[^/]+$")
_CONTAINERS = re.compile(
    r"/containers/(?P<pod>[^_/]+)_(?P<namespace>[^_/]+)_(?P<container>[^/]+)-[0-9a-f]{64}\.log$"
)
# Kubernetes makes hashes and suffixes of letters and digits that spell no words.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_WORKLOADS = (
    re.compile(rf"(?P<name>.+)-{_SAFE}{{6,10}}-{_SAFE}{{5}}"),
    re.compile(rf"(?P<name>.+?)(?:-\d{{8,10}})?-{_SAFE}{{5}}"),
    re.compile(r"(?P<name>.+)-\d{1,4}"),
)


def origin_of_path(path: str) -> Origin | None:
    """Pod, namespace and service by the path that kubelets give to logs; None for other paths.

    >>> origin_of_path("/var/log/pods/shop_cart-6d9f7c8b5d-x2b4z_8f0a/app/0.log").service
    'cart'
    """
    found = _PODS.search(path) or _CONTAINERS.search(path)
    if found is None:
        return None
    pod = found["pod"]
    return Origin(service=workload_of(pod), namespace=found["namespace"], pod=pod)


def workload_of(pod: str) -> str:
    """The name of what made a pod, as Kubernetes builds names; the pod's own where it made none.

    >>> [workload_of(pod) for pod in ("cart-6d9f7c8b5d-x2b4z", "db-0", "agent-x2b4z", "alone")]
    ['cart', 'db', 'agent', 'alone']
    """
    found = (pattern.fullmatch(pod) for pattern in _WORKLOADS)
    return next((one["name"] for one in found if one is not None), pod)
