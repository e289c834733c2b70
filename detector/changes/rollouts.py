"""Rollouts that the gate judges are changes, too, whether or not anybody tells of them."""

from __future__ import annotations

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.gate.attempt import Attempt
from detector.gate.verdict import Outcome, Verdict
from detector.series import MatchOp

__all__ = ["SOURCE", "rollout_events"]

SOURCE = "/serinus/rollouts"
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
