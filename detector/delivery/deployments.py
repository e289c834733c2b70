"""Deployments out of the change log and incidents: which failed, and when that was mended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.incidents.incident import Incident
from detector.incidents.record import KeptIncident, SaidKind

__all__ = ["Deployment", "Failure", "Mended", "cause_of", "deployments_of"]

# A rollback so long after a deployment is of that deployment.
ROLLED_BACK_MS = 24 * 3_600_000
# Incidents are blamed on a change that is likelier than not the cause of them.
_BLAMED = 0.5
# Where somebody tells the environment, others than these are not production.
_PRODUCTION = frozenset({"", "prod", "production", "live"})
_SHORT = 7


class Failure(StrEnum):
    """Why a deployment counts as failed: it did so by itself, or what followed."""

    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was wrong because of a deployment, and until when; `end` is None while it is."""

    what: str
    began: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment of a service; times are unix milliseconds.

    `at` is when it ended, or where nobody told that, began. `lead_ms` is from the first merge that
    is in it. `failures` are empty where all went well; `mended` is what they took.
    """

    change: str
    service: str
    version: str
    at: int
    lead_ms: int | None
    failures: tuple[Failure, ...]
    mended: tuple[Mended, ...]

    @property
    def has_failed(self) -> bool:
        """Whether it counts among the failed ones."""
        return bool(self.failures)


def deployments_of(
    changes: Iterable[Change], incidents: Iterable[KeptIncident]
) -> tuple[Deployment, ...]:
    """The deployments to production among some changes, the oldest first.

    A deployment that was taken back under its own subject is one that was rolled back.
    """
    ordered = sorted(changes, key=lambda change: (_at(change), change.id))
    courses: dict[str, _Course] = {}
    for change in ordered:
        courses.setdefault(change.place.service, _Course()).add(change)
    blamed = _blamed(incidents)
    return tuple(
        _deployment(change, courses[change.place.service], blamed)
        for change in ordered
        if _is_deployment(change)
    )


@dataclass(slots=True)
class _Course:
    """What was done to one service, in its order: a service has thousands of deployments a year."""

    steps: list[Change] = field(default_factory=list)
    went_well: list[Change] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        """The next one; of each name the first merge counts."""
        if _is_step(change):
            self.steps.append(change)
        if _is_deployment(change) and change.phase is ChangePhase.SUCCEEDED:
            self.went_well.append(change)
        if change.kind is ChangeKind.MERGE:
            for name in _names(change):
                first = self.merged.get(name, change.started_at)
                self.merged[name] = min(first, change.started_at)


def _after(changes: Sequence[Change], at: int) -> Change | None:
    """The first of some in their order that was later."""
    place = bisect_right(changes, at, key=_at)
    return changes[place] if place < len(changes) else None


def _is_deployment(change: Change) -> bool:
    kinds = {event.kind for event in change.events} | {change.kind}
    return ChangeKind.DEPLOYMENT in kinds and change.place.environment.lower() in _PRODUCTION


def _at(change: Change) -> int:
    return change.started_at if change.ended_at is None else change.ended_at


def _deployment(
    change: Change, course: _Course, blamed: Mapping[str, Sequence[Incident]]
) -> Deployment:
    back, incidents = _rollback(change, course), blamed.get(change.id, ())
    failures = [
        failure
        for failure, has in (
            (Failure.FAILED, change.phase is ChangePhase.FAILED),
            (Failure.ROLLED_BACK, back is not None),
            (Failure.INCIDENT, bool(incidents)),
        )
        if has
    ]
    mended = [Mended(what=one.id, began=one.began, end=one.resolved_at) for one in incidents]
    if failures and not mended:
        mended = [_by_next(change, course, back)]
    return Deployment(
        change=change.id,
        service=change.place.service,
        version=change.version,
        at=_at(change),
        lead_ms=_lead(change, course),
        failures=tuple(failures),
        mended=tuple(mended),
    )


def _rollback(change: Change, course: _Course) -> Change | None:
    """What took it back: itself, or the next thing that was done to its service."""
    if change.kind is ChangeKind.ROLLBACK:
        return change
    following = _after(course.steps, _at(change))
    if following is None or following.kind is not ChangeKind.ROLLBACK:
        return None
    return following if _at(following) - _at(change) <= ROLLED_BACK_MS else None


def _is_step(change: Change) -> bool:
    return change.kind is ChangeKind.ROLLBACK or _is_deployment(change)


def _by_next(change: Change, course: _Course, back: Change | None) -> Mended:
    """Without an incident it was wrong until it was taken back, or the next one went well."""
    ending = back if back is not None else _after(course.went_well, _at(change))
    end = None if ending is None else _at(ending)
    return Mended(what=change.id if ending is None else ending.id, began=change.started_at, end=end)


def _lead(change: Change, course: _Course) -> int | None:
    """From the first merge of what it deploys, by version or commit."""
    merges = [course.merged[name] for name in _names(change) if name in course.merged]
    first = min(merges, default=None)
    return None if first is None or first > _at(change) else _at(change) - first


def _names(change: Change) -> frozenset[str]:
    """What its commit or version is called, in short."""
    words = {change.version, *(word for name, word in change.attributes if name == "sha")}
    return frozenset(word[:_SHORT] for word in words if word)


def _blamed(incidents: Iterable[KeptIncident]) -> dict[str, list[Incident]]:
    found: dict[str, list[Incident]] = {}
    for kept in incidents:
        cause = cause_of(kept)
        if cause is not None:
            found.setdefault(cause, []).append(kept.incident)
    return found


def cause_of(kept: KeptIncident) -> str | None:
    """The change that an incident comes of: what people said last, else what is likely."""
    said = [one for one in kept.said if one.kind in _VERDICTS]
    if said:
        return said[-1].change if said[-1].kind is SaidKind.CAUSED_BY else None
    first = next(iter(kept.incident.suspects.suspects), None)
    return first.change.id if first is not None and first.probability > _BLAMED else None


_VERDICTS = frozenset({SaidKind.CAUSED_BY, SaidKind.NO_CHANGE, SaidKind.NO_INCIDENT})
