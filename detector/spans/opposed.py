"""Which versions of a service stand on which side of a rollout, by the pods of both sides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from detector.gate.presence import revision_keys
from detector.spans.names import Node, NodeKind
from detector.spans.state import SpanState

__all__ = ["Versions", "opposed", "versions_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Versions of a service that its spans tell: all of them, and of each pod its own."""

    every: frozenset[str]
    of_pod: Mapping[str, str]


def versions_of(state: SpanState, service: str) -> Versions:
    """As far as numbers are remembered."""
    origins, nodes, _ = state.names.listed()
    mine = [node.version for node in nodes if _is(node, service)]
    pods = {o.pod: o.version for o in origins if o.service == service and o.pod and o.version}
    return Versions(every=frozenset(mine), of_pod=pods)


def _is(node: Node, service: str) -> bool:
    return node.kind is NodeKind.SERVICE and node.name == service


def opposed(
    versions: Versions, canary: Iterable[str], control: Iterable[str], revision: str | None = None
) -> tuple[frozenset[str], frozenset[str]]:
    """Versions of the canary and of the control, by the names of their pods.

    `revision` is the canary's, where its pods are not found in the spans. Without any pod of the
    control in the spans all other versions are its. A version of both sides is of neither.
    """
    ours, theirs = (_told(versions, pods) for pods in (canary, control))
    if not ours and revision in versions.every:
        ours = frozenset({revision}) if revision else frozenset()
    if ours and not theirs:
        theirs = versions.every - ours
    return ours - theirs, theirs - ours


def _told(versions: Versions, pods: Iterable[str]) -> frozenset[str]:
    """What pods say of themselves; else the hash of their template, which stands for it."""
    found = {version for pod in pods for version in _of(versions, pod)}
    return frozenset(found & versions.every)


def _of(versions: Versions, pod: str) -> Collection[str]:
    if pod in versions.of_pod:
        return (versions.of_pod[pod],)
    return [key.removeprefix("hash:") for key in revision_keys(pod, {})]
