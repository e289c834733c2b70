"""What stands around a judgement: stage and deadline, latch, override, mode, and what failed."""

from __future__ import annotations

from detector.gate.attempt import Attempt, Latch, stage_at
from detector.gate.decision import standing_mode, standing_override
from detector.gate.needing import needs_note
from detector.gate.policy import Mode
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import Circumstances, verdict_id
from detector.gate.thrift import thrift_notes
from detector.gate.words import clock, duration
from detector.ports import Stores
from pipelines.flows.asked import Asked
from pipelines.flows.scans import scanned_of
from pipelines.flows.watch import Watch

__all__ = ["circumstances_of"]

# As old as a side's newest sample may be: below it a clock that wavers is not told.
_SET_BACK_S = 120.0


def circumstances_of(
    stores: Stores, asked: Asked, attempt: Attempt, watch: Watch | None, as_of: float
) -> Circumstances:
    """Everything beside the samples that the verdict of a moment depends on."""
    closing, deadline = attempt.closing, asked.deadline
    closed = closing is not None and deadline == closing.deadline and as_of >= deadline
    doubt = closing.doubt if closed and closing is not None else None
    partial = watch.partial if watch is not None else None
    spent = closing.spent if closed and closing is not None else asked.spent
    steering = watch.steering.notes() if watch is not None else ()
    moment = closing.deadline if closed and closing is not None else as_of
    return Circumstances(
        id=verdict_id(attempt.id, as_of, asked.request.stage),
        as_of=as_of,
        stage=stage_at(asked.request.stage, as_of, deadline, attempt.policy),
        deadline=deadline,
        mode=_mode(stores, attempt, as_of),
        started_at=attempt.started_at,
        revision=attempt.revision,
        head=watch.head if watch is not None else "",
        closing_head=closing.head if closed and closing is not None else None,
        override=standing_override(stores.overrides.of(attempt.id), as_of),
        # Now a fail stands whatever the clock says; of a past moment it may not be known yet.
        latch=attempt.latch if as_of >= asked.now else _due_latch(attempt, watch, as_of),
        problem=doubt if closed else asked.problem or _set_back(attempt, watch, as_of),
        partial=None if closed else partial,
        rollback=attempt.rollback,
        scanned=scanned_of(stores.scans, attempt, moment),
        notes=(
            *asked.notes,
            *steering,
            *thrift_notes(attempt.policy, spent),
            *needs_note(attempt.policy),
        ),
        spent=spent,
    )


def _set_back(attempt: Attempt, watch: Watch | None, as_of: float) -> Reason | None:
    """Nothing new is read until a clock that was set back has caught up: so nothing passes."""
    if watch is None or watch.clock - as_of <= _SET_BACK_S * attempt.policy.time_scale:
        return None
    return Reason(
        ReasonCode.STALE_DATA,
        f"The clock here stands {duration(watch.clock - as_of)} before what was read until"
        f" {clock(watch.clock)}: it was set back, and nothing new is read until it has caught up.",
    )


def _mode(stores: Stores, attempt: Attempt, at: float) -> Mode:
    identity = attempt.identity
    glass = standing_mode(stores.modes.of(identity.tenant), identity.service, at)
    return attempt.policy.mode if glass is None or glass.mode is None else glass.mode


def _due_latch(attempt: Attempt, watch: Watch | None, as_of: float) -> Latch | None:
    """The stored latch, where it was known or due at `as_of`."""
    latch = attempt.latch
    if latch is None:
        return None
    due = latch.found_at if watch is None else min(latch.found_at, latch.at + watch.judge.settle)
    return latch if due <= as_of else None
