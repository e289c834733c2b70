"""From what the statistics say to what is answered: latch, override, rollback, deadline, mode."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.gate.aa_words import aa_note
from detector.gate.attempt import Attempt, Latch
from detector.gate.decision import Override
from detector.gate.judgement import Judgement
from detector.gate.naming import Wording
from detector.gate.policy import Mode, RollbackRule
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.thrift import held_by_budget
from detector.gate.verdict import Needs, Outcome, Verdict, answer_of
from detector.slo.policy import Spent

__all__ = ["Circumstances", "first_step", "nothing", "rule", "underlying", "verdict_id"]

_EMPTY = (ReasonCode.NO_CANARY_DATA, ReasonCode.NO_CONTROL_DATA)
_UNSEEN = (ReasonCode.NO_CANARY_DATA, ReasonCode.STALE_DATA)
_UNDECIDED = "Undecided at the deadline ("


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that a verdict depends on beside the samples; stored with it, so that it replays.

    `problem`: the source did not answer, or one side is empty. `partial`: it warned that series
    may be missing. `closing_head` is set where the answer of the deadline stands, which was made
    from the samples up to that chunk; `head` names the newest chunk. `wordings`: what the log lines
    that the answer tells of say. `spent`: what was known of error budgets. `scanned`: why what
    scanners had told of the revision holds a pass, `exhausting`: why what promotion would do to
    the resources of the service holds a final one.
    """

    id: str
    as_of: float
    stage: Stage
    deadline: float | None
    mode: Mode
    started_at: float | None
    revision: str | None
    head: str
    closing_head: str | None = None
    override: Override | None = None
    latch: Latch | None = None
    problem: Reason | None = None
    partial: Reason | None = None
    rollback: str | None = None
    notes: tuple[str, ...] = ()
    wordings: tuple[Wording, ...] = ()
    scanned: Reason | None = None
    spent: tuple[Spent, ...] = ()
    exhausting: Reason | None = None

    @property
    def is_past_deadline(self) -> bool:
        """Whether an undecided answer is final now."""
        return self.deadline is not None and self.as_of >= self.deadline


def verdict_id(attempt: str, as_of: float, salt: str = "") -> str:
    """A name of one answer, in order of time: 12 hexadecimal digits of milliseconds, then 16."""
    digest = hashlib.sha256(f"{attempt} {as_of!r} {salt}".encode()).hexdigest()
    return f"{max(0, int(as_of * 1000)):012x}{digest[:16]}"


def nothing(reason: Reason, notes: tuple[str, ...] = ()) -> Judgement:
    """The judgement where no sample could be judged."""
    return Judgement(
        outcome=Outcome.INCONCLUSIVE,
        reason=reason,
        signals=(),
        needs=Needs(requests=None, seconds=None, canary_pods=None),
        exposure_since=None,
        evaluated_to=None,
        first_fail=None,
        notes=notes,
    )


def rule(attempt: Attempt, judgement: Judgement, seen: Circumstances) -> Verdict:
    """The verdict: the judgement under the circumstances it was asked in."""
    outcome, reason = _outcome(attempt, judgement, seen)
    identity = attempt.identity
    return Verdict(
        id=seen.id,
        outcome=outcome,
        answer=answer_of(outcome, seen.mode),
        final=_is_final(outcome, seen),
        stage=seen.stage,
        reason=reason,
        as_of=_utc(seen.as_of),
        started_at=None if seen.started_at is None else _utc(seen.started_at),
        exposure_since=(
            None if judgement.exposure_since is None else _utc(judgement.exposure_since)
        ),
        attempt=attempt.id,
        service=identity.service,
        rollout=identity.rollout,
        revision=seen.revision,
        policy=attempt.policy.digest,
        engine=attempt.engine,
        mode=seen.mode,
        signals=judgement.signals,
        needs=judgement.needs if outcome is Outcome.INCONCLUSIVE else Needs(),
        notes=(*judgement.notes, *seen.notes, *aa_note(attempt.aa)),
        waiting=judgement.waiting if outcome is Outcome.INCONCLUSIVE else None,
        aa=None if attempt.aa is None else attempt.aa.summary,
        limits=attempt.policy.limits,
        spent=seen.spent,
    )


def first_step(verdict: Verdict) -> Verdict:
    """The same verdict as the yes to a controller that asks before any traffic could be seen."""
    text = "The controller asks before the first exposure; what follows is judged."
    return _replaced(verdict, Outcome.PASS, Reason(ReasonCode.FIRST_STEP, text))


def _replaced(verdict: Verdict, outcome: Outcome, reason: Reason) -> Verdict:
    return replace(
        verdict,
        outcome=outcome,
        answer=answer_of(outcome, verdict.mode),
        reason=reason,
        needs=Needs(),
        waiting=None,
    )


def _outcome(attempt: Attempt, judgement: Judgement, seen: Circumstances) -> tuple[Outcome, Reason]:
    """The first decision that applies."""
    rules = (
        _override(seen),
        _fail(judgement, seen),
        _budget(attempt, seen),
        _scanned(seen),
        _problem(seen),
        _rollback(attempt, judgement, seen),
    )
    decided = next((r for r in rules if r is not None), None)
    if decided is None:
        decided = _undisturbed(judgement, seen)
    outcome, reason = decided
    if outcome is Outcome.INCONCLUSIVE and seen.override is None and seen.is_past_deadline:
        return outcome, _deadline_reached(reason)
    return outcome, reason


def _override(seen: Circumstances) -> tuple[Outcome, Reason] | None:
    made = seen.override
    if made is None:
        return None
    text = f"{made.person} decided {made.outcome} until {_iso(made.until)}: {made.reason}"
    return made.outcome, Reason(ReasonCode.OVERRIDDEN, text)


def _fail(judgement: Judgement, seen: Circumstances) -> tuple[Outcome, Reason] | None:
    if judgement.outcome is Outcome.FAIL:
        return Outcome.FAIL, judgement.reason
    if seen.latch is not None:
        return Outcome.FAIL, seen.latch.reason
    return None


def _budget(attempt: Attempt, seen: Circumstances) -> tuple[Outcome, Reason] | None:
    """Before a source that fails or has no canary yet: a controller's first step waits as well."""
    is_rollback = seen.rollback is not None
    reason = held_by_budget(attempt.policy, seen.spent, is_rollback=is_rollback)
    return None if reason is None else (Outcome.INCONCLUSIVE, reason)


def _scanned(seen: Circumstances) -> tuple[Outcome, Reason] | None:
    """Before anything could be seen of the canary: it need not be given traffic first."""
    return None if seen.scanned is None else (Outcome.INCONCLUSIVE, seen.scanned)


def _problem(seen: Circumstances) -> tuple[Outcome, Reason] | None:
    return None if seen.problem is None else (Outcome.INCONCLUSIVE, seen.problem)


def _rollback(
    attempt: Attempt, judgement: Judgement, seen: Circumstances
) -> tuple[Outcome, Reason] | None:
    """A known revision passes, if it is there to be seen."""
    if seen.rollback is None or attempt.policy.rollback is not RollbackRule.PASS:
        return None
    if seen.partial is not None or judgement.reason.code in _UNSEEN:
        return None
    text = f"A return to a revision that was stable before ({seen.rollback}); fails still apply."
    return Outcome.PASS, Reason(ReasonCode.ROLLBACK, text)


def _undisturbed(judgement: Judgement, seen: Circumstances) -> tuple[Outcome, Reason]:
    """What the statistics say, unless the samples may be incomplete."""
    if judgement.outcome is Outcome.PASS and seen.partial is not None:
        return Outcome.INCONCLUSIVE, seen.partial
    if judgement.outcome is Outcome.PASS and seen.exhausting is not None:
        return Outcome.INCONCLUSIVE, seen.exhausting
    reason = judgement.reason
    if reason.code in _EMPTY and judgement.notes:
        reason = Reason(reason.code, " ".join((reason.text, *judgement.notes)))
    return judgement.outcome, reason


def _deadline_reached(why: Reason) -> Reason:
    return Reason(ReasonCode.DEADLINE_REACHED, f"{_UNDECIDED}{why.code}): {why.text}")


def underlying(reason: Reason) -> Reason:
    """What kept a verdict open: the reason itself, past a deadline the one that stood then."""
    if reason.code != ReasonCode.DEADLINE_REACHED:
        return reason
    code, found, text = reason.text.removeprefix(_UNDECIDED).partition("): ")
    return Reason(code, text) if found else reason


def _is_final(outcome: Outcome, seen: Circumstances) -> bool:
    passed = outcome is Outcome.PASS and seen.stage is Stage.FINAL
    latched = outcome is Outcome.FAIL
    return latched or passed or seen.override is not None or seen.is_past_deadline


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _iso(at: float) -> str:
    return _utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")
