"""Which change an incident comes from: a posterior over the changes before it, and over *none*.

Each change is weighed as a cause that had its own chance to go wrong (by kind, learned from what
people said), that shows itself some time after its exposure began, at the services that it can
reach. Against it stands that the service fell ill by itself, at the rate at which it does. The
ratio of both is Bayes' rule for one cause among many, as in J. Pearl, Probabilistic Reasoning in
Intelligent Systems, 1988, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.incidents.calls import CallMap, Relation
from detector.incidents.linking import Alone
from detector.incidents.origin import Origins, Shown, SpreadSettings, log_sum
from detector.incidents.symptom import Symptom

__all__ = [
    "NONE",
    "SHOWN",
    "Ground",
    "Reason",
    "Suspect",
    "SuspectSettings",
    "Suspects",
    "chance",
    "suspected",
]

_MINUTE_MS, _HOUR_MS = 60_000.0, 3_600_000.0
_KEPT = 10
# Services that show symptoms after so many others say nothing more of the cause.
SHOWN = 24


class Ground(StrEnum):
    """What speaks for or against a change."""

    TIMING = "timing"
    PLACE = "place"
    VERSIONS = "versions"
    KIND = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One ground, how much it weighs (natural log odds), and what it is about."""

    ground: Ground
    weight: float
    minutes: float = 0.0
    relation: Relation = Relation.NONE
    steps: int = 0
    service: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A change, the probability that the incident comes of it, and why."""

    change: Change
    probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Suspects, the likeliest first; `none` is the probability that no change was the cause."""

    suspects: tuple[Suspect, ...]
    none: float


NONE = Suspects(suspects=(), none=1.0)

_BAD = {
    ChangeKind.DEPLOYMENT: 0.05,
    ChangeKind.ROLLBACK: 0.01,
    ChangeKind.REMOVAL: 0.05,
    ChangeKind.CONFIG: 0.05,
    ChangeKind.FLAG: 0.03,
    ChangeKind.INFRASTRUCTURE: 0.03,
    ChangeKind.SCALING: 0.005,
    ChangeKind.NODE: 0.02,
    ChangeKind.MERGE: 0.001,
    ChangeKind.OTHER: 0.01,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectSettings:
    """`bad`: the chance that a change of a kind breaks something, before anything is seen.

    A broken change shows after `soon_ms` on average, a share of `later` after `later_ms` (it needs
    some traffic), of `late` after `late_ms` (a leak, a cache that runs out). Clocks differ by
    `skew_ms`. Where only those are odd that have its version it is `only_new` times as likely,
    where it is not among them `not_new` times, where it failed by itself `failed` times.
    """

    bad: Mapping[ChangeKind, float] = field(default_factory=lambda: _BAD)
    soon_ms: float = 6 * _MINUTE_MS
    later_ms: float = 25 * _MINUTE_MS
    late_ms: float = 2 * _HOUR_MS
    later: float = 0.2
    late: float = 0.15
    skew_ms: float = 2 * _MINUTE_MS
    back_ms: float = 24 * _HOUR_MS
    only_new: float = 20.0
    not_new: float = 0.1
    failed: float = 4.0
    spread: SpreadSettings = field(default_factory=SpreadSettings)


def suspected(
    symptoms: Sequence[Symptom],
    changes: Sequence[Change],
    calls: CallMap,
    alone: Alone,
    settings: SuspectSettings = SuspectSettings(),
) -> Suspects:
    """The suspects of an incident with these symptoms, among the changes of its last day.

    `alone` is how often services fall ill so by themselves.
    """
    if not symptoms:
        return NONE
    shown = _shown(symptoms)
    origins = Origins(shown.services, calls, settings.spread, alone.watched)
    weighed = [
        (change, reasons)
        for change in sorted(changes, key=lambda change: change.id)
        if (reasons := _weighed(change, shown, origins, alone, settings)) is not None
    ]
    none = log_sum([weight + math.log(alone.rate(name)) for name, weight in origins.likely.items()])
    weights = [sum(reason.weight for reason in reasons) - none for _, reasons in weighed]
    top = max([0.0, *weights])
    total = math.exp(-top) + sum(math.exp(weight - top) for weight in weights)
    found = [
        Suspect(change=change, probability=math.exp(weight - top) / total, reasons=reasons)
        for (change, reasons), weight in zip(weighed, weights, strict=True)
    ]
    found.sort(key=lambda one: (-one.probability, -one.change.started_at, one.change.id))
    return Suspects(suspects=tuple(found[:_KEPT]), none=math.exp(-top) / total)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of the symptoms bears on their cause: `services` with their starts, the first ones."""

    first: int
    services: list[Shown]
    clusters: frozenset[str]
    odd: dict[str, frozenset[str]]


def _shown(symptoms: Sequence[Symptom]) -> _Shown:
    services: dict[str, Shown] = {}
    odd: dict[str, frozenset[str]] = {}
    for symptom in sorted(symptoms, key=lambda symptom: (symptom.start, symptom.id)):
        name, was = symptom.service, services.get(symptom.service)
        services[name] = Shown(
            service=name,
            start=symptom.start if was is None else was.start,
            is_load=symptom.is_load and (was is None or was.is_load),
        )
        if symptom.versions:
            odd[name] = odd.get(name, frozenset()) | symptom.versions
    first = next(iter(services.values()))
    return _Shown(
        first=first.start,
        services=list(services.values())[:SHOWN],
        clusters=frozenset(symptom.cluster for symptom in symptoms if symptom.cluster),
        odd=odd,
    )


def _weighed(
    change: Change, shown: _Shown, origins: Origins, alone: Alone, settings: SuspectSettings
) -> tuple[Reason, ...] | None:
    """What speaks for a change; None for one that cannot have been it."""
    if change.place.cluster and shown.clusters and change.place.cluster not in shown.clusters:
        return None
    timing = _timing(change, shown.first, settings)
    if timing is None:
        return None
    place = _place(change, origins, alone)
    kind = Reason(ground=Ground.KIND, weight=chance(change, settings))
    versions = _versions(change, shown, settings)
    return (timing, place, kind, *((versions,) if versions is not None else ()))


def chance(change: Change, settings: SuspectSettings) -> float:
    """Natural logarithm of that of going wrong; one that failed by itself has shown more of it."""
    odds = settings.failed if change.phase is ChangePhase.FAILED else 1.0
    return math.log(min(0.9, odds * settings.bad[change.kind]))


def _timing(change: Change, onset: int, settings: SuspectSettings) -> Reason | None:
    """The density of an onset so long after the exposure began (or while it lasted)."""
    lag = float(onset - change.started_at)
    if lag < -3 * settings.skew_ms or lag > settings.back_ms:
        return None
    lasted = max(0.0, float((change.ended_at or change.started_at) - change.started_at))
    lasted = min(lasted, settings.late_ms)
    parts = (
        (1.0 - settings.later - settings.late, settings.soon_ms),
        (settings.later, settings.later_ms),
        (settings.late, settings.late_ms),
    )
    after = max(0.0, lag - lasted)
    density = sum(share * math.exp(-after / mean) / (mean + lasted) for share, mean in parts)
    if lag < 0:
        density *= math.exp(lag / (settings.skew_ms / 2))
    return Reason(ground=Ground.TIMING, weight=math.log(density), minutes=lag / _MINUTE_MS)


def _place(change: Change, origins: Origins, alone: Alone) -> Reason:
    """How well the changed service explains who shows symptoms, as the place where it began."""
    service = change.place.service
    if not service:
        return Reason(ground=Ground.PLACE, weight=origins.anywhere(alone.services))
    place = origins.place(service)
    return Reason(
        ground=Ground.PLACE,
        weight=place.weight,
        relation=place.relation,
        steps=place.steps,
        service=place.near,
    )


def _versions(change: Change, shown: _Shown, settings: SuspectSettings) -> Reason | None:
    """Difference in differences: whether only those are odd that have the change."""
    odd = shown.odd.get(change.place.service)
    if not change.version or odd is None:
        return None
    names = (change.version, *(word for _, word in change.attributes))
    is_in = any(name == version or version.startswith(name) for name in names for version in odd)
    others = tuple(sorted(odd - set(names)))
    ratio = settings.not_new if not is_in else settings.only_new if not others else 1.0
    return Reason(ground=Ground.VERSIONS, weight=math.log(ratio), words=others)
