"""What made a pod, by the pod's name."""

from __future__ import annotations

import re

__all__ = ["workload_of"]

# Kubernetes makes hashes and suffixes of letters and digits that spell no words.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_WORKLOADS = (
    re.compile(rf"(?P<name>.+)-{_SAFE}{{6,10}}-{_SAFE}{{5}}"),
    re.compile(rf"(?P<name>.+?)(?:-\d{{8,10}})?-{_SAFE}{{5}}"),
    re.compile(r"(?P<name>.+)-\d{1,4}"),
)


def workload_of(pod: str) -> str:
    """The name of what made a pod, as Kubernetes builds names; the pod's own where it made none.

    >>> [workload_of(pod) for pod in ("cart-6d9f7c8b5d-x2b4z", "db-0", "agent-x2b4z", "alone")]
    ['cart', 'db', 'agent', 'alone']
    """
    found = (pattern.fullmatch(pod) for pattern in _WORKLOADS)
    return next((one["name"] for one in found if one is not None), pod)
