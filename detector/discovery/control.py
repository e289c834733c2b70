"""Whom the canary is compared with: the asked control, or the stable pods of its own scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.arms import Side, resolve
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

__all__ = ["Arms", "Weigh", "arms_of"]

Revisions = Mapping[frozenset[str], set[str]]
# The traffic of each group of pods in the hour before the start.
Weigh = Callable[[Candidate, Revisions], Mapping[frozenset[str], float]]
# Pods of another container or port of the same service do other work.
_SAME = ("container", "endpoint", "port")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Both arms as selectors with their scope; `control` is a choice of alternatives."""

    canary: Side
    control: tuple[tuple[Matcher, ...], ...]
    control_series: tuple[Labels, ...]
    notes: tuple[str, ...] = ()


def arms_of(candidate: Candidate, canary: Side, asked: Asked, weigh: Weigh) -> Arms:
    """The arms of a service whose canary is known; `InputError` for arms that span clusters."""
    scope = _scope(candidate, canary, asked)
    inside = Side(
        matchers=merged((candidate.service,), scope, canary.matchers),
        series=canary.series,
        how=canary.how,
    )
    notes = (f"The canary was told {canary.how}.",) if canary.how else ()
    if asked.control is not None:
        return _told(candidate, inside, asked, notes)
    return _found(candidate, inside, scope, asked, weigh, notes)


def _scope(candidate: Candidate, canary: Side, asked: Asked) -> tuple[Matcher, ...]:
    """Cluster and namespace of the canary as matchers."""
    pack = candidate.pack
    cluster = _one(pack.clusters, canary.series, asked.cluster)
    if cluster is None and not asked.across_clusters:
        _refuse_clusters(candidate, canary.series, "canary")
    namespace = _one(pack.namespaces, canary.series, asked.namespace)
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


def _told(candidate: Candidate, canary: Side, asked: Asked, notes: tuple[str, ...]) -> Arms:
    """The asked control, in its own scope."""
    assert asked.control is not None
    control = resolve(asked.control, candidate.series, candidate.pod_label)
    if control is None:
        matchers = merged((candidate.service,), asked.control)
        return Arms(canary=canary, control=(matchers,), control_series=(), notes=notes)
    scope = _scope(candidate, control, asked)
    if not asked.across_clusters:
        _refuse_clusters(candidate, (*canary.series, *control.series), "control")
    shared = values_of(candidate.pod_label, canary.series)
    left = tuple(s for s in control.series if s not in canary.series)
    if not left:
        notes = (*notes, "Canary and control select the same series: nothing is compared.")
    both = shared & values_of(candidate.pod_label, left)
    if both and not shared <= both:
        notes = (*notes, f"{len(both)} pods match canary and control; they count as canary.")
    if control.how:
        notes = (*notes, f"The control was told {control.how}.")
    return Arms(
        canary=canary,
        control=(merged((candidate.service,), scope, control.matchers),),
        control_series=left,
        notes=notes,
    )


def _found(
    candidate: Candidate,
    canary: Side,
    scope: tuple[Matcher, ...],
    asked: Asked,
    weigh: Weigh,
    notes: tuple[str, ...],
) -> Arms:
    """The scope minus the canary: of several workloads the one that held most traffic."""
    same = (*scope, *_same(candidate, canary, scope))
    inside = merged((candidate.service,), same)
    rest = [s for s in candidate.series if fits(same, s) and not fits(canary.matchers, s)]
    label = candidate.pod_label
    pods = values_of(label, canary.series)
    groups = revisions((s for s in rest if s.get(label) not in pods), label)
    if not groups:
        return _alone(candidate, canary, inside, rest, notes)
    chosen = _heaviest(candidate, groups, weigh)
    if len(groups) > 1:
        told = describe({chosen: groups[chosen]})
        note = f"Of several workloads the control is {told}; there are {describe(groups)}."
        notes = (*notes, note)
    held = tuple(s for s in rest if s.get(label) in groups[chosen])
    control = _control(candidate, canary, chosen, groups[chosen], pods, inside)
    return Arms(canary=canary, control=control, control_series=held, notes=notes)


def _same(candidate: Candidate, canary: Side, scope: Sequence[Matcher]) -> list[Matcher]:
    """Container and port of the canary, where the rest of the service has others too."""
    out = []
    for label in _SAME:
        own = values_of(label, canary.series)
        if len(own) == 1 and values_of(label, candidate.series) != own:
            rest = [s for s in candidate.series if fits(scope, s)]
            if any(s.get(label) in own and s not in canary.series for s in rest):
                out.append(equal(label, next(iter(own))))
    return out


def _alone(
    candidate: Candidate,
    canary: Side,
    inside: Sequence[Matcher],
    rest: Sequence[Labels],
    notes: tuple[str, ...],
) -> Arms:
    """Nothing beside the canary's pods: other series of the same pods, or nothing at all."""
    control = _others(canary, inside)
    if not rest and not _choosing(canary, inside):
        why = f"The canary's selector matches all of {candidate.service.value}"
        notes = (*notes, f"{why}: nothing is left to compare with.")
    elif not rest:
        notes = (*notes, "No other pods of the service served since an hour before the start.")
    return Arms(canary=canary, control=control, control_series=tuple(rest), notes=notes)


def _choosing(canary: Side, inside: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """The canary's own matchers, those of the shared scope left out."""
    return tuple(matcher for matcher in canary.matchers if matcher not in inside)


def _others(canary: Side, inside: Sequence[Matcher]) -> tuple[tuple[Matcher, ...], ...]:
    """The scope minus the canary, as alternatives."""
    return tuple(merged(inside, part) for part in negated(_choosing(canary, inside)))


def _heaviest(candidate: Candidate, groups: Revisions, weigh: Weigh) -> frozenset[str]:
    if len(groups) == 1:
        return next(iter(groups))
    traffic = weigh(candidate, groups)
    return max(groups, key=lambda key: (traffic.get(key, 0.0), len(groups[key]), sorted(key)))


def _control(
    candidate: Candidate,
    canary: Side,
    chosen: frozenset[str],
    pods: set[str],
    not_these: frozenset[str],
    inside: Sequence[Matcher],
) -> tuple[tuple[Matcher, ...], ...]:
    """What selects the chosen workload, pods to come included."""
    if not chosen:
        return _others(canary, inside)
    named = [part.partition(":") for part in sorted(chosen)]
    if any(kind == "prefix" for kind, _, _ in named):
        return (merged(inside, (selecting(pods, not_these, candidate.pod_label),)),)
    hashes = [label for label in HASH_LABELS if any(s.get(label) for s in candidate.series)]
    told = [equal(hashes[0] if kind == "hash" else kind, value) for kind, _, value in named]
    return (merged(inside, told),)
