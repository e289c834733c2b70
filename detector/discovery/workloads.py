"""Pods by the workload that made them: which revision a pod is of, and what selects its like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from detector.discovery.matching import Labels, any_of, literal
from detector.gate.presence import revision_keys
from detector.series import Matcher, MatchOp

__all__ = ["HASH_LABELS", "hash_of", "prefix_of", "revisions", "selecting"]

HASH_LABELS = (
    "rollouts_pod_template_hash", "pod_template_hash", "rollouts-pod-template-hash",
    "pod-template-hash", "hash", "controller_revision_hash",
)  # fmt: skip


def hash_of(pod: str) -> str:
    """The pod template's hash in a pod's name, empty where there is none.

    >>> hash_of("checkout-6d9f7c-k8w2d"), hash_of("checkout-0")
    ('6d9f7c', '')
    """
    keys = revision_keys(pod, {})
    return next((key.removeprefix("hash:") for key in keys), "")


def prefix_of(pod: str) -> str:
    """What the names of all pods of one ReplicaSet begin with, empty for other pods."""
    return f"{pod.rsplit('-', 1)[0]}-" if hash_of(pod) else ""


def revisions(series: Iterable[Labels], pod_label: str) -> dict[frozenset[str], set[str]]:
    """Pods by the revision that labels or names tell; the empty key holds what tells none."""
    found: dict[frozenset[str], set[str]] = {}
    for labels in series:
        pod = labels.get(pod_label, "")
        key = (
            frozenset({f"prefix:{prefix_of(pod)}"}) if hash_of(pod) else revision_keys(pod, labels)
        )
        found.setdefault(key, set()).add(pod)
    return found


def selecting(pods: Iterable[str], others: Iterable[str], pod_label: str) -> Matcher:
    """A matcher of these pods and of those that their ReplicaSets will still make.

    A ReplicaSet that also has `others` is not taken whole; its pods are named one by one.
    """
    mixed = {prefix_of(pod) for pod in others}
    whole, alone = _split(pods, mixed)
    if not whole:
        return any_of(pod_label, alone)
    patterns = [f"{literal(prefix)}.+" for prefix in whole] + [literal(pod) for pod in alone]
    return Matcher(pod_label, MatchOp.MATCHES, "|".join(patterns))


def _split(pods: Iterable[str], mixed: set[str]) -> tuple[Sequence[str], Sequence[str]]:
    whole: set[str] = set()
    alone: set[str] = set()
    for pod in pods:
        prefix = prefix_of(pod)
        if prefix and prefix not in mixed:
            whole.add(prefix)
        else:
            alone.add(pod)
    return sorted(whole), sorted(alone)


def describe(groups: Mapping[frozenset[str], set[str]]) -> str:
    """The groups in words, largest first."""
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), sorted(item[0])))
    return ", ".join(f"{_named(key)} ({len(pods)} pods)" for key, pods in ranked)


def _named(key: frozenset[str]) -> str:
    return ", ".join(part.partition(":")[2].rstrip("-") for part in sorted(key)) or "others"
