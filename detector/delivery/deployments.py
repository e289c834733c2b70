"""Deployments out of the change log and incidents: which failed, and when that was mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    by_service: dict[str, list[Change]] = {}
    for change in ordered:
        by_service.setdefault(change.place.service, []).append(change)
    blamed = _blamed(incidents)
    return tuple(
        _deployment(change, by_service[change.place.service], blamed)
        for change in ordered
        if _is_deployment(change)
    )


def _is_deployment(change: Change) -> bool:
    kinds = {event.kind for event in change.events} | {change.kind}
    return ChangeKind.DEPLOYMENT in kinds and change.place.environment.lower() in _PRODUCTION


def _at(change: Change) -> int:
    return change.started_at if change.ended_at is None else change.ended_at


def _deployment(
    change: Change, of_service: Sequence[Change], blamed: Mapping[str, Sequence[Incident]]
) -> Deployment:
    back, incidents = _rollback(change, of_service), blamed.get(change.id, ())
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
        mended = [_by_next(change, of_service, back)]
    return Deployment(
        change=change.id,
        service=change.place.service,
        version=change.version,
        at=_at(change),
        lead_ms=_lead(change, of_service),
        failures=tuple(failures),
        mended=tuple(mended),
    )


def _rollback(change: Change, of_service: Sequence[Change]) -> Change | None:
    """What took it back: itself, or the next thing that was done to its service."""
    if change.kind is ChangeKind.ROLLBACK:
        return change
    later = (one for one in of_service if _is_step(one) and _at(one) > _at(change))
    following = next(later, None)
    if following is None or following.kind is not ChangeKind.ROLLBACK:
        return None
    return following if _at(following) - _at(change) <= ROLLED_BACK_MS else None


def _is_step(change: Change) -> bool:
    return change.kind is ChangeKind.ROLLBACK or _is_deployment(change)


def _by_next(change: Change, of_service: Sequence[Change], back: Change | None) -> Mended:
    """Without an incident it was wrong until it was taken back, or the next one went well."""
    later = (
        one
        for one in of_service
        if _is_deployment(one) and _at(one) > _at(change) and one.phase is ChangePhase.SUCCEEDED
    )
    ending = back if back is not None else next(later, None)
    end = None if ending is None else _at(ending)
    return Mended(what=change.id if ending is None else ending.id, began=change.started_at, end=end)


def _lead(change: Change, of_service: Sequence[Change]) -> int | None:
    """From the first merge of what it deploys, by version or commit."""
    names = _names(change)
    merges = [
        one.started_at
        for one in of_service
        if one.kind is ChangeKind.MERGE and one.started_at <= _at(change) and names & _names(one)
    ]
    return _at(change) - min(merges) if merges else None


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
