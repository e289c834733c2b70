"""Arms for a service of which no rollout is told: two live versions, else some of its own pods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.discovery.matching import Labels, any_of, values_of
from detector.discovery.splits import Split, SplitKind
from detector.selector import format_query
from detector.series import Query

__all__ = ["Rehearsal", "placebo_arms", "rehearsal"]

_MOST = 3
_CANARIES = frozenset({"canary", "preview", "candidate", "next", "experiment"})
_STABLES = frozenset({"stable", "primary", "baseline", "active"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Selectors of both arms, and in words what they are.

    `is_placebo`: both are of one version, so that nothing but chance can differ.
    """

    canary: str
    control: str
    is_placebo: bool
    words: str


def rehearsal(found: Sequence[Split], series: Sequence[Labels], pod_label: str) -> Rehearsal | None:
    """Who could be compared now; None for a service of fewer than two pods."""
    for split in found:
        if not split.against and len(split.values) == 2:
            return _versions(split)
    return placebo_arms(values_of(pod_label, series), pod_label)


def _versions(split: Split) -> Rehearsal:
    """Of two live versions the one that says so is the canary, else the one with fewer pods."""
    few, many = sorted(
        split.values, key=lambda value: (_role(value), len(split.values[value]), _later(value))
    )
    by = split.kind.value if split.kind is SplitKind.NAME else f"the label {split.label}"
    words = f"two versions are live by {by}: {few}, taken for the canary, and {many}"
    return Rehearsal(
        canary=split.selectors[few], control=split.selectors[many], is_placebo=False, words=words
    )


def _role(value: str) -> int:
    """What a name says of its role: first those of canaries, last those of the stable version."""
    words = set(re.split(r"[^a-z]+", value.lower()))
    return (not words & _CANARIES) + bool(words & _STABLES)


def _later(value: str) -> tuple[int, ...]:
    return tuple(-ord(char) for char in value)


def placebo_arms(pods: Iterable[str], pod_label: str) -> Rehearsal | None:
    """A third of the pods, three at most, against the others: nothing but chance differs."""
    named = sorted(pods)
    count = min(max(len(named) // 3, 1), _MOST)
    if len(named) <= count:
        return None
    ours, theirs = named[:count], named[count:]
    words = f"no second version is live: {count} of its {len(named)} pods against the others"
    return Rehearsal(
        canary=_selector(ours, pod_label),
        control=_selector(theirs, pod_label),
        is_placebo=True,
        words=words,
    )


def _selector(pods: Sequence[str], pod_label: str) -> str:
    return format_query(Query("x", (any_of(pod_label, pods),)))[1:]
