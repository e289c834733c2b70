"""The two arms: whose series are the canary's, and whose are the control's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.discovery.matching import Labels, fits, values_of
from detector.discovery.workloads import HASH_LABELS, hash_of, selecting
from detector.series import Matcher

__all__ = ["Side", "by_pods", "resolve", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One arm: what selects it among the series of its service, and what that finds now.

    `how` is said where it is not the selector itself. `is_of_service` False: its series do not
    carry the service's name, so that its selector stands alone. `is_by_role`: it was told by the
    name that the canary usually has, not by the selector.
    """

    matchers: tuple[Matcher, ...]
    series: tuple[Labels, ...]
    how: str = ""
    is_of_service: bool = True
    is_by_role: bool = False


def resolve(asked: Sequence[Matcher], series: Sequence[Labels], pod_label: str) -> Side | None:
    """An arm by its selector on the series, else by the names of pods; None where it finds none."""
    found = tuple(labels for labels in series if fits(asked, labels))
    if found:
        return Side(matchers=tuple(asked), series=found)
    strange = unknown(asked, series) or _of_exporter(asked, pod_label)
    if not strange:
        return None
    renamed = _renamed(asked, strange, pod_label)
    if renamed is not None:
        return resolve(renamed, series, pod_label)
    return _by_hash(asked, strange, series, pod_label)


def unknown(asked: Sequence[Matcher], series: Sequence[Labels]) -> tuple[Matcher, ...]:
    """The matchers whose label no series carries."""
    return tuple(m for m in asked if not any(labels.get(m.label) for labels in series))


def _of_exporter(asked: Sequence[Matcher], pod_label: str) -> tuple[Matcher, ...]:
    """`pod` where that label is the exporter's own and another one tells the pods it reports of."""
    return () if pod_label == "pod" else tuple(m for m in asked if m.label == "pod")


def _renamed(
    asked: Sequence[Matcher], strange: Sequence[Matcher], pod_label: str
) -> tuple[Matcher, ...] | None:
    """`pod` where the source calls it otherwise."""
    if pod_label == "pod" or not any(m.label == "pod" for m in strange):
        return None
    return tuple(
        Matcher(pod_label, m.op, m.value) if m in strange and m.label == "pod" else m for m in asked
    )


def _by_hash(
    asked: Sequence[Matcher],
    strange: Sequence[Matcher],
    series: Sequence[Labels],
    pod_label: str,
) -> Side | None:
    """By the pod template's hash in the pods' names, where its label is not on the series."""
    if not all(matcher.label in HASH_LABELS for matcher in strange):
        return None
    pods = {
        pod
        for pod in values_of(pod_label, series)
        if all(fits((m,), {m.label: hash_of(pod)}) for m in strange)
    }
    return by_pods(pods, asked, strange, series, pod_label, "by the hash in the pods' names")


def by_pods(
    pods: set[str],
    asked: Sequence[Matcher],
    strange: Sequence[Matcher],
    series: Sequence[Labels],
    pod_label: str,
    how: str,
) -> Side | None:
    """An arm of named pods, beside the matchers that the series know."""
    plain = tuple(matcher for matcher in asked if matcher not in strange)
    found = tuple(s for s in series if s.get(pod_label) in pods and fits(plain, s))
    if not found:
        return None
    others = values_of(pod_label, series) - pods
    matcher = selecting(pods, others, pod_label)
    return Side(matchers=(*plain, matcher), series=found, how=how)
