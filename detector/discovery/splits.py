"""Which label splits the versions of a service: pod hash, version, track, colour, workload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.discovery.matching import Labels, equal, literal, values_of
from detector.discovery.workloads import HASH_LABELS, hash_of, prefix_of
from detector.selector import format_query
from detector.series import Matcher, MatchOp, Query

__all__ = ["Split", "SplitKind", "splits"]

_VERSIONS = (
    "version", "app_kubernetes_io_version", "service_version", "app_version", "image_digest",
    "destination_version", "destination_canonical_revision", "revision", "release",
)  # fmt: skip
_TRACKS = ("track", "color", "colour", "slot", "role", "variant")
_WORKLOADS = (
    "destination_workload", "workload", "deployment", "k8s_deployment_name", "statefulset",
)  # fmt: skip
_EXAMPLES = 3


class SplitKind(StrEnum):
    """By what versions are told apart, the surest first."""

    HASH = "pod hash"
    NAME = "hash in the pods' names"
    VERSION = "version"
    TRACK = "track"
    WORKLOAD = "workload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A label that may split versions: its values with their pods.

    `selectors` are what selects each value. `against` says why it is not to be used, empty where
    it is.
    """

    label: str
    kind: SplitKind
    values: Mapping[str, frozenset[str]]
    selectors: Mapping[str, str]
    against: str = ""


def splits(series: Iterable[Labels], pod_label: str) -> tuple[Split, ...]:
    """Every label that may split the versions of a service, those of use first, the surest first.

    `series` are those of its requests. A label of which one pod has had two values tells either a
    role that moves from version to version, or something of the single request: it is shown with
    that, and never chosen. `pod_label` is empty where no label names the service's pods.
    """
    held = list(series)
    found = [*_labels(held, pod_label), *_names(held, pod_label)]
    order = list(SplitKind)
    return tuple(sorted(found, key=lambda one: (bool(one.against), order.index(one.kind))))


def _labels(series: Sequence[Labels], pod_label: str) -> Iterator[Split]:
    for kind, labels in (
        (SplitKind.HASH, HASH_LABELS),
        (SplitKind.VERSION, _VERSIONS),
        (SplitKind.TRACK, _TRACKS),
        (SplitKind.WORKLOAD, _WORKLOADS),
    ):
        for label in labels:
            carried = [s for s in series if s.get(label)]
            if carried:
                yield _by_label(label, kind, carried, pod_label, missing=len(series) - len(carried))


def _by_label(
    label: str, kind: SplitKind, carried: Sequence[Labels], pod_label: str, *, missing: int
) -> Split:
    values: dict[str, set[str]] = {}
    for labels in carried:
        values.setdefault(labels[label], set()).add(labels.get(pod_label, ""))
    against = _moves(label, values)
    if not against and missing:
        against = f"{missing} of {missing + len(carried)} series do not carry it"
    return Split(
        label=label,
        kind=kind,
        values={value: frozenset(pods - {""}) for value, pods in sorted(values.items())},
        selectors={value: _braces((equal(label, value),)) for value in values},
        against=against,
    )


def _moves(label: str, values: Mapping[str, set[str]]) -> str:
    """Why a label does not say one thing of one pod; empty where it does."""
    told: dict[str, list[str]] = {}
    for value, pods in values.items():
        for pod in pods - {""}:
            told.setdefault(pod, []).append(value)
    moved = {pod: sorted(held) for pod, held in told.items() if len(held) > 1}
    if not moved:
        return ""
    pod, held = min(moved.items())
    shown = ", ".join(held[:_EXAMPLES])
    return f"it changes its meaning: {pod} has had {label} {shown}; {len(moved)} pods have"


def _names(series: Sequence[Labels], pod_label: str) -> Iterator[Split]:
    """By the hash in the pods' names, where they have one."""
    pods = values_of(pod_label, series)
    sets: dict[str, set[str]] = {}
    for pod in pods:
        if hash_of(pod):
            sets.setdefault(prefix_of(pod), set()).add(pod)
    for pod in pods:  # named by other letters than those of Kubernetes, beside others of a set
        if not hash_of(pod) and f"{pod.rpartition('-')[0]}-" in sets:
            sets[f"{pod.rpartition('-')[0]}-"].add(pod)
    if not sets:
        return
    plain = pods - set().union(*sets.values())
    yield Split(
        label=pod_label,
        kind=SplitKind.NAME,
        values={prefix.rstrip("-"): frozenset(held) for prefix, held in sorted(sets.items())},
        selectors={
            prefix.rstrip("-"): _braces(
                (Matcher(pod_label, MatchOp.MATCHES, f"{literal(prefix)}.+"),)
            )
            for prefix in sets
        },
        against=f"{len(plain)} pods have no hash in their names" if plain else "",
    )


def _braces(matchers: tuple[Matcher, ...]) -> str:
    """Matchers as PromQL writes them."""
    return format_query(Query("x", matchers))[1:]
