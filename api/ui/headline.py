"""The top of a page: what the newest verdict means, for somebody who was just woken."""

from __future__ import annotations

from dataclasses import dataclass

from api.ui.wording import ICONS, about, day_clock, mode_text, needs_text
from detector.gate.decision import ModeChange, Override, standing_mode, standing_override
from detector.gate.policy import Mode
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage
from detector.gate.verdict import Outcome, Verdict
from pipelines.flows.records import Rollout

__all__ = ["Headline", "headline", "notices"]

# After so long without a question the page says that nobody asks any more.
_SILENT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The newest verdict in words."""

    outcome: Outcome
    icon: str
    word: str
    action: str
    reason: str
    code: str
    needs: str
    final: str
    told: str


def headline(verdict: Verdict, rollout: Rollout, now: float) -> Headline:
    """The verdict's outcome, what to do, what is missing, and when that is final."""
    told = ""
    if verdict.answer is not verdict.outcome:
        told = f"Controllers are told {verdict.answer.value}: the mode is {verdict.mode.value}."
    return Headline(
        outcome=verdict.outcome,
        icon=ICONS[verdict.outcome],
        word=verdict.outcome.value,
        action=_action(verdict),
        reason=verdict.reason.text,
        code=str(verdict.reason.code),
        needs="" if verdict.final else needs_text(verdict.needs) or verdict.waiting or "",
        final=_final(verdict, rollout.deadline, now),
        told=told,
    )


def _action(verdict: Verdict) -> str:
    match verdict.outcome:
        case Outcome.FAIL:
            return "Roll back"
        case Outcome.PASS if verdict.stage is Stage.FINAL:
            return "May become the new stable"
        case Outcome.PASS:
            return "Go on to the next step"
        case Outcome.INCONCLUSIVE if verdict.final:
            return "Undecided: a person has to decide"
        case Outcome.INCONCLUSIVE:
            return "Wait"


def _final(verdict: Verdict, deadline: float | None, now: float) -> str:
    """Whether it can change, and by when it no longer can."""
    if verdict.reason.code == ReasonCode.OVERRIDDEN:
        return "Final while the decision of a person stands."
    if verdict.final and verdict.outcome is Outcome.FAIL:
        return "Final: a fail stays for this attempt, whatever comes later."
    if verdict.final and verdict.outcome is Outcome.PASS:
        return "Final: it passed at the final stage."
    if verdict.final:
        return f"Final: the deadline, {day_clock(deadline, near=now)}, has passed."
    if deadline is None:
        return "Not final: it may change with the next samples. No deadline was given."
    when = f"{day_clock(deadline, near=now)}, {about(deadline - now)}"
    return f"Not final: it may change with the next samples. The deadline is {when}."


def notices(rollout: Rollout, modes: tuple[ModeChange, ...], now: float) -> tuple[str, ...]:
    """What a person must know before reading on: break-glass, overrides, silence."""
    attempt, verdicts = rollout.attempt, rollout.page.verdicts
    found = []
    glass = standing_mode(modes, attempt.identity.service, now)
    if glass is not None and glass.mode is not None:
        found.append(glass_text(glass, now))
    elif attempt.policy.mode is not Mode.ENFORCE:
        found.append(f"The policy's mode is {mode_text(attempt.policy.mode)}.")
    override = standing_override(rollout.overrides, now)
    if override is not None:
        found.append(_override_text(override, verdicts[0] if verdicts else None, now))
    silent = now - attempt.last_asked
    if verdicts and not verdicts[0].final and silent > _SILENT_S:
        since = day_clock(attempt.last_asked, near=now)
        found.append(f"Nobody has asked since {since} ({about(-silent)}): this is the answer then.")
    return tuple(found)


def glass_text(glass: ModeChange, now: float) -> str:
    """A break-glass mode in words."""
    scope = f"service {glass.service}" if glass.service else "all services"
    mode = mode_text(glass.mode) if glass.mode is not None else "ended"
    until = day_clock(glass.until, near=now)
    return f"Break-glass for {scope}: {mode}. Set by {glass.person} until {until}: {glass.reason}"


def _override_text(override: Override, verdict: Verdict | None, now: float) -> str:
    until = day_clock(override.until, near=now)
    text = f"{override.person} decided {override.outcome.value} until {until}: {override.reason}"
    if verdict is None or verdict.as_of.timestamp() < override.at:
        text += " (since the verdict below; the next question is answered so)"
    return text
