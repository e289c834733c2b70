"""What was decided when: a timeline that tells changes, not repetitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from api.ui.wording import ICONS, day_clock, exactly
from detector.gate.attempt import Attempt, Weight
from detector.gate.decision import ModeChange, Override
from detector.gate.verdict import Outcome, Verdict

__all__ = ["Moment", "decisions", "story"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened at `at` (unix seconds), and until when it stayed so.

    `kind` is `decision`, `weight`, `override`, `mode`, `latch` or `start`.
    """

    at: float
    kind: str
    head: str
    text: str = ""
    outcome: Outcome | None = None
    until: float | None = None
    count: int = 1
    verdict: str | None = None

    @property
    def icon(self) -> str:
        """The outcome as a sign."""
        return "" if self.outcome is None else ICONS[self.outcome]

    @property
    def exact(self) -> str:
        """For `<time datetime>`."""
        return exactly(self.at)

    def clock(self, near: float) -> str:
        """When, and until when."""
        begin = day_clock(self.at, near=near)
        if self.until is None or self.until - self.at < 1:
            return begin
        return f"{begin.removesuffix(' UTC')} – {day_clock(self.until, near=near)}"


def decisions(verdicts: Sequence[Verdict]) -> tuple[Moment, ...]:
    """Verdicts, newest first, as runs of the same decision, newest first."""
    found: list[Moment] = []
    last: object = None
    for verdict in reversed(verdicts):
        same = _same(verdict)
        if same == last:
            found[-1] = _longer(found[-1], verdict)
        else:
            found.append(_decision(verdict))
        last = same
    return tuple(reversed(found))


def _same(verdict: Verdict) -> object:
    reason = str(verdict.reason.code)
    return (verdict.outcome, verdict.answer, verdict.final, verdict.stage, verdict.mode, reason)


def _decision(verdict: Verdict) -> Moment:
    head = verdict.outcome.value
    if verdict.answer is not verdict.outcome:
        head += f", told as {verdict.answer.value} (mode {verdict.mode.value})"
    if verdict.final:
        head += ", final"
    return Moment(
        at=verdict.as_of.timestamp(),
        kind="decision",
        head=f"{head} · {verdict.reason.code}",
        text=verdict.reason.text,
        outcome=verdict.outcome,
        verdict=verdict.id,
    )


def _longer(moment: Moment, verdict: Verdict) -> Moment:
    """The run with one more verdict; it is told in the newest words."""
    return replace(
        moment,
        until=verdict.as_of.timestamp(),
        count=moment.count + 1,
        text=verdict.reason.text,
        verdict=verdict.id,
    )


def story(
    attempt: Attempt,
    verdicts: Sequence[Verdict],
    overrides: Sequence[Override],
    modes: Sequence[ModeChange],
    *,
    whole: bool,
) -> tuple[Moment, ...]:
    """All that happened, newest first; where the page is not the `whole`, within its span."""
    found = [*decisions(verdicts), *_beside(attempt, overrides, modes)]
    if verdicts and not whole:
        since = verdicts[-1].as_of.timestamp()
        found = [moment for moment in found if moment.at >= since]
    return tuple(sorted(found, key=lambda moment: moment.at, reverse=True))


def _beside(
    attempt: Attempt, overrides: Sequence[Override], modes: Sequence[ModeChange]
) -> Iterator[Moment]:
    if attempt.started_at is not None:
        yield Moment(at=attempt.started_at, kind="start", head="first sample of the canary")
    for weight in attempt.weights:
        yield _weighed(weight)
    if attempt.latch is not None:
        text = f"{attempt.latch.signal}: from this moment on the samples suffice for a fail."
        yield Moment(
            at=attempt.latch.at, kind="latch", head="evidence of harm is enough", text=text
        )
    for override in overrides:
        yield _overridden(override)
    for mode in modes:
        if mode.at >= attempt.asked_at:
            head = f"break-glass: mode {mode.mode} by {mode.person}"
            yield Moment(at=mode.at, kind="mode", head=head, text=mode.reason)


def _weighed(weight: Weight) -> Moment:
    text = "Read from the controller's own gauge." if weight.is_read else ""
    head = f"canary weight {weight.weight:g} %"
    return Moment(at=weight.at, kind="weight", head=head, text=text)


def _overridden(override: Override) -> Moment:
    until = day_clock(override.until, near=override.at)
    return Moment(
        at=override.at,
        kind="override",
        head=f"{override.person} decided {override.outcome.value} until {until}",
        text=override.reason,
        outcome=override.outcome,
    )
