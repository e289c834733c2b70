"""Rollouts that the gate judges are changes, too, whether or not anybody tells of them."""

from __future__ import annotations

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place
from detector.gate.attempt import Attempt
from detector.gate.verdict import Outcome, Verdict
from detector.series import MatchOp

__all__ = ["AFTER_MS", "BEFORE_MS", "KINDS", "SOURCE", "is_rollout", "rollout_events"]

SOURCE = "/serinus/rollouts"
# Who deploys tells of it about when its canary is first seen.
BEFORE_MS, AFTER_MS = 900_000, 120_000
KINDS = frozenset({ChangeKind.DEPLOYMENT, ChangeKind.ROLLBACK})
# Labels that say where it is, and not what it is.
_PLACES = frozenset({"service", "namespace", "cluster", "job", "container", "track"})


def rollout_events(attempt: Attempt, verdict: Verdict) -> tuple[ChangeEvent, ...]:
    """The start of a rollout, and its end once its newest verdict is one.

    Nothing while its canary was not seen.
    """
    if attempt.started_at is None:
        return ()
    begun = _event(attempt, ChangePhase.STARTED, attempt.started_at)
    if attempt.latch is not None:
        return begun, _event(attempt, ChangePhase.FAILED, attempt.latch.at)
    if verdict.final and verdict.outcome is Outcome.PASS:
        return begun, _event(attempt, ChangePhase.SUCCEEDED, verdict.as_of.timestamp())
    return (begun,)


def is_rollout(change: Change, attempt: Attempt) -> bool:
    """Whether a change is this rollout, told by the gate itself or by who deployed it."""
    if change.source == SOURCE:
        return change.subject == attempt.id
    identity, place = attempt.identity, change.place
    if attempt.started_at is None or place.service != identity.service:
        return False
    is_there = _is_in(place.namespace, identity.namespace) and _is_in(
        place.cluster, identity.cluster
    )
    began = round(1000 * attempt.started_at)
    is_then = began - BEFORE_MS <= change.started_at < began + AFTER_MS
    return is_there and is_then and change.kind in KINDS


def _is_in(told: str, known: str | None) -> bool:
    """Where one of them does not say, nothing speaks against it."""
    return not told or not known or told == known


def _event(attempt: Attempt, phase: ChangePhase, at: float) -> ChangeEvent:
    identity = attempt.identity
    kind = ChangeKind.ROLLBACK if attempt.rollback is not None else ChangeKind.DEPLOYMENT
    return ChangeEvent(
        source=SOURCE,
        id=f"{attempt.id}/{phase.value}",
        subject=attempt.id,
        at=round(1000 * at),
        kind=kind,
        phase=phase,
        place=Place(
            service=identity.service,
            namespace=identity.namespace or "",
            cluster=identity.cluster or "",
        ),
        version=attempt.revision or "",
        title=f"rollout of {identity.rollout or identity.service}",
        attributes=_named(attempt),
    )


def _named(attempt: Attempt) -> tuple[tuple[str, str], ...]:
    """What the canary's selector calls it: series that leave their range may name it, too."""
    matchers = () if attempt.plan is None else attempt.plan.canary
    said = {
        one.label: one.value
        for one in matchers
        if one.op is MatchOp.EQUAL and one.value and one.label not in _PLACES
    }
    return tuple(sorted({**said, "rollout": attempt.id}.items()))
