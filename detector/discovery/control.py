"""Whom the canary is compared with: the asked control, or the stable pods of its own scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.arms import Side
from detector.discovery.asked import Asked
from detector.discovery.matching import (
    Labels,
    equal,
    first_label,
    fits,
    merged,
    negated,
    values_of,
)
from detector.discovery.traffic import Candidate
from detector.discovery.workloads import HASH_LABELS, describe, revisions, selecting
from detector.errors import InputError
from detector.series import Matcher
from detector.signals.signal import Unit

__all__ = ["Arms", "Weigh", "found_control", "told_control"]

Selectors = tuple[tuple[Matcher, ...], ...]
Revisions = Mapping[frozenset[str], set[str]]
# The traffic of each group of pods in the hour before the start.
Weigh = Callable[[Candidate, Revisions], Mapping[frozenset[str], float]]
# Pods of another container or port of the same service do other work.
_SAME = ("container", "endpoint", "port")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Both arms as selectors with their scope; `control` is a choice of alternatives."""

    canary: Side
    control: Selectors
    control_series: tuple[Labels, ...]
    notes: tuple[str, ...] = ()


def told_control(candidate: Candidate, canary: Side, control: Side, asked: Asked) -> Arms:
    """Both arms as asked, each in its own scope; `InputError` where they span clusters."""
    ours, theirs = (_inside(candidate, side, asked) for side in (canary, control))
    if not asked.across_clusters:
        _refuse_clusters(candidate, (*canary.series, *control.series), "control")
    left = tuple(s for s in control.series if not fits(canary.matchers, s))
    notes = _told_how(canary, "canary") + _told_how(control, "control")
    notes += _overlap(candidate, canary, left)
    return Arms(canary=ours, control=(theirs.matchers,), control_series=left, notes=notes)


def _overlap(candidate: Candidate, canary: Side, left: Sequence[Labels]) -> tuple[str, ...]:
    if not left:
        return ("Canary and control select the same series: nothing is left to compare with.",)
    ours = values_of(candidate.pod_label, canary.series)
    both = ours & values_of(candidate.pod_label, left)
    if not both or both == ours:
        return ()
    return (f"{len(both)} of {len(ours)} canary pods match the control too; they are canary.",)


def _told_how(side: Side, arm: str) -> tuple[str, ...]:
    return (f"The {arm} was found {side.how}.",) if side.how else ()


def _inside(candidate: Candidate, side: Side, asked: Asked) -> Side:
    """A side with the matchers of its service, cluster and namespace."""
    scope = merged(candidate.service if side.is_of_service else (), _scope(candidate, side, asked))
    return Side(matchers=merged(scope, side.matchers), series=side.series, how=side.how)


def _scope(candidate: Candidate, side: Side, asked: Asked) -> tuple[Matcher, ...]:
    """Cluster and namespace of a side as matchers."""
    pack = candidate.pack
    cluster = _one(pack.clusters, side.series, asked.cluster)
    if cluster is None and not asked.across_clusters:
        _refuse_clusters(candidate, side.series, "canary")
    namespace = _one(pack.namespaces, side.series, asked.namespace)
    return tuple(matcher for matcher in (cluster, namespace) if matcher is not None)


def _one(names: Sequence[str], series: Sequence[Labels], told: str | None) -> Matcher | None:
    label = first_label(names, series)
    if label is None:
        return None
    values = {told} if told is not None else values_of(label, series)
    return equal(label, next(iter(values))) if len(values) == 1 else None


def _refuse_clusters(candidate: Candidate, series: Sequence[Labels], arm: str) -> None:
    label = first_label(candidate.pack.clusters, series)
    clusters = sorted(values_of(label, series)) if label else []
    if len(clusters) > 1:
        raise InputError(
            f"the {arm} spans the clusters {', '.join(clusters)}; ask about one at a time with"
            " cluster, or let the policy say allow_cross_cluster: true",
            field="cluster" if arm == "canary" else arm,
            semantic=True,
        )


def found_control(candidate: Candidate, canary: Side, asked: Asked, weigh: Weigh) -> Arms:
    """The canary as asked, and as control the rest of its scope.

    That is the workload (of several the one that `weigh` finds heaviest) whose pods are not the
    canary's; where no pods tell workloads apart, all series that the canary's selector leaves.
    """
    inside = _inside(candidate, canary, asked)
    scope = _scope(candidate, canary, asked)
    shared = merged(candidate.service, scope, _same(candidate, canary, scope))
    rest = [s for s in candidate.series if fits(shared, s) and not fits(canary.matchers, s)]
    notes = _told_how(canary, "canary")
    groups = _workloads(candidate, canary, rest)
    if not groups:
        return _remaining(candidate, inside, shared, rest, notes)
    chosen = _heaviest(candidate, groups, weigh)
    if len(groups) > 1:
        told = describe({chosen: groups[chosen]})
        notes += (f"Of several workloads the control is {told}; there are {describe(groups)}.",)
    return Arms(
        canary=inside,
        control=_selecting(candidate, inside, chosen, groups[chosen], shared),
        control_series=tuple(s for s in rest if s.get(candidate.pod_label) in groups[chosen]),
        notes=notes,
    )


def _same(candidate: Candidate, canary: Side, scope: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Container and port of the canary, where others of the service have them too."""
    rest = [s for s in candidate.series if fits(scope, s) and not fits(canary.matchers, s)]
    out = []
    for label in _SAME:
        own, others = values_of(label, canary.series), values_of(label, rest)
        if len(own) == 1 and own < others:
            out.append(equal(label, next(iter(own))))
    return tuple(out)


def _workloads(candidate: Candidate, canary: Side, rest: Sequence[Labels]) -> Revisions:
    """The other pods by their workload; none where series stand for something else."""
    label = candidate.pod_label
    if candidate.pack.unit is not Unit.POD:
        return {}
    ours = values_of(label, canary.series)
    return revisions((s for s in rest if s.get(label) and s[label] not in ours), label)


def _heaviest(candidate: Candidate, groups: Revisions, weigh: Weigh) -> frozenset[str]:
    if len(groups) == 1:
        return next(iter(groups))
    traffic = weigh(candidate, groups)
    return max(groups, key=lambda key: (traffic.get(key, 0.0), len(groups[key]), sorted(key)))


def _remaining(
    candidate: Candidate,
    canary: Side,
    shared: Sequence[Matcher],
    rest: Sequence[Labels],
    notes: tuple[str, ...],
) -> Arms:
    """What the selector leaves of the canary's own pods or of series without pods, if anything."""
    if not rest:
        notes += (_nothing_left(candidate, canary, shared),)
    control = _others(candidate, canary, shared)
    return Arms(canary=canary, control=control, control_series=tuple(rest), notes=notes)


def _nothing_left(candidate: Candidate, canary: Side, shared: Sequence[Matcher]) -> str:
    if not _choosing(canary, shared):
        return "The canary's selector matches all of the service: nothing is left to compare with."
    return (
        "All series of the service since an hour before the start match the canary: there is no"
        " control. Is this its first deployment?"
    )


def _choosing(canary: Side, shared: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """The canary's own matchers, those of the shared scope left out."""
    return tuple(matcher for matcher in canary.matchers if matcher not in shared)


def _others(candidate: Candidate, canary: Side, shared: Sequence[Matcher]) -> Selectors:
    """The scope minus the canary, as alternatives; nothing where the scope names no service."""
    if not candidate.service:
        return ()
    return tuple(merged(shared, part) for part in negated(_choosing(canary, shared)))


def _selecting(
    candidate: Candidate,
    canary: Side,
    chosen: frozenset[str],
    pods: set[str],
    shared: Sequence[Matcher],
) -> Selectors:
    """What selects the chosen workload, pods to come included."""
    if not chosen:
        return _others(candidate, canary, shared)
    named = [part.partition(":") for part in sorted(chosen)]
    if any(kind == "prefix" for kind, _, _ in named):
        ours = values_of(candidate.pod_label, canary.series)
        return (merged(shared, (selecting(pods, ours, candidate.pod_label),)),)
    hashes = [label for label in HASH_LABELS if any(s.get(label) for s in candidate.series)]
    told = [equal(hashes[0] if kind == "hash" else kind, value) for kind, _, value in named]
    return (merged(shared, told),)
