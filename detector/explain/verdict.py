"""A verdict in words, for whoever reads it and asks why: the short of it first, then the details.

Everything told is taken from the verdict, its attempt and what was played from its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.explain.next_step import where_to_look
from detector.explain.signal import (
    account,
    blamed,
    bound_of,
    deciding,
    is_self_check,
    threshold,
)
from detector.explain.trail import Mark, why_not_earlier
from detector.gate.attempt import Attempt
from detector.gate.cure import cure_of
from detector.gate.decision import Override
from detector.gate.policy import Mode
from detector.gate.reason import ReasonCode
from detector.gate.ruling import underlying
from detector.gate.telling import name_of
from detector.gate.verdict import Effect, Outcome, Verdict
from detector.gate.words import clock, duration

__all__ = ["Explanation", "Passage", "explained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A titled part of the details."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`short`: what a person needs at three in the morning. `details`: for those who ask on."""

    short: tuple[str, ...]
    details: tuple[Passage, ...]


def explained(
    verdict: Verdict,
    attempt: Attempt,
    *,
    trail: Sequence[Mark] = (),
    bearable: float | None = None,
    override: Override | None = None,
) -> Explanation:
    """The explanation; without a trail it does not tell why not earlier.

    `bearable`: a tolerance, in the unit of the failed signal's effect, that was tried on the same
    samples and makes them no fail.
    """
    parts = (
        ("Why", account(verdict)),
        ("Why not earlier", why_not_earlier(verdict, attempt, trail)),
        ("How the threshold came about", threshold(verdict, attempt)),
        ("What would have made it pass", _to_pass(verdict, bearable)),
        ("What was left out", _left_out(verdict, attempt)),
        ("What to look at next", where_to_look(verdict, attempt)),
    )
    details = (Passage(title=title, lines=tuple(lines)) for title, lines in parts)
    return Explanation(
        short=tuple(_short(verdict, attempt, override)),
        details=tuple(p for p in details if p.lines),
    )


def _short(verdict: Verdict, attempt: Attempt, override: Override | None) -> Iterator[str]:
    yield f"{name_of(verdict)}: {verdict.outcome.value}. {verdict.reason.text}"
    if verdict.answer is not verdict.outcome:
        yield _told(verdict)
    if override is not None:
        until = clock(override.until)
        yield f"{override.person} decided so, not the statistics; it stands until {until}."
    elif verdict.outcome is Outcome.FAIL:
        yield from _short_fail(verdict, attempt)
    elif verdict.outcome is Outcome.INCONCLUSIVE:
        yield f"It was not seen to be worse, nor known to be safe. {cure_of(verdict).text}"


def _told(verdict: Verdict) -> str:
    """What the controller heard, where the mode changed it."""
    what = {
        Mode.SHADOW: "pass: mode shadow only watches",
        Mode.ADVISE: "pass: mode advise tells people and stops nothing",
        Mode.PAUSE: "inconclusive: in mode pause a person decides",
    }.get(verdict.mode, verdict.answer.value)
    return f"The controller was told {what}."


def _short_fail(verdict: Verdict, attempt: Attempt) -> Iterator[str]:
    signal = deciding(verdict)
    if signal is None:
        yield "It failed earlier and stays failed: samples since then do not take it back."
        return
    latch = attempt.latch
    since = f"since {clock(signal.since.timestamp())}" if signal.since else "since its start"
    certain = f", certain at {clock(latch.at)}" if latch is not None else ""
    where = "all canary pods" if signal.scope == "arm" else f"the pod {signal.scope}"
    yield f"{blamed(signal)} of {where}: worse {since}{certain}."


def _to_pass(verdict: Verdict, bearable: float | None) -> Iterator[str]:
    match verdict.outcome:
        case Outcome.PASS:
            return
        case Outcome.INCONCLUSIVE:
            yield cure_of(verdict).text
            yield from _needs(verdict)
            open_ = deciding(verdict)
            yield from () if open_ is None else bound_of(open_)
        case Outcome.FAIL:
            yield from _tolerance(verdict, bearable)


def _needs(verdict: Verdict) -> Iterator[str]:
    needs = verdict.needs
    if needs.requests:
        yield f"It still lacked {needs.requests:,} canary requests."
    if needs.seconds:
        yield f"That is about {duration(needs.seconds)} at the traffic of then."
    if needs.canary_pods:
        yield f"With {needs.canary_pods} canary pods the same traffic would have told."


def _tolerance(verdict: Verdict, bearable: float | None) -> Iterator[str]:
    """For a fail: a better release, or the tolerance that was tried."""
    yield (
        "A release that is not worse. A fail is not taken back by itself; a new attempt is judged"
        " anew."
    )
    signal = deciding(verdict)
    if signal is not None and signal.effect is not None and bearable is not None:
        harm, key = _harm(signal.effect, bearable)
        yield (
            f"Only if harm of this size is acceptable for {verdict.service}: with `tolerate{key}`"
            f" for {signal.name} in its policy, which is {harm}, the same samples are no fail"
            " (tried)."
        )
    if signal is not None:
        yield from bound_of(signal)
    yield "If it is a false alarm: `serinus override`, and keep this evidence for the review."


def _harm(effect: Effect, end: float) -> tuple[str, str]:
    """An end of the interval in words, and as it is written in a policy."""
    if effect.kind == "difference":
        return f"{100 * end:.2g} points more", f"_points: {end:.2g}"
    return f"{100 * (end - 1):.0f} % more", f": {max(end - 1, 0):.2f}"


def _left_out(verdict: Verdict, attempt: Attempt) -> Iterator[str]:
    """What the verdict does not rest on."""
    yield from (note for note in verdict.notes if not is_self_check(note))
    if attempt.plan is not None:
        for missing in attempt.plan.missing:
            yield f"{missing.name} was not judged: {missing.why}"
    advisory = [s.name for s in verdict.signals if not s.judged]
    if advisory:
        yield f"Only shown, never a fail: {', '.join(advisory)}."
    late = underlying(verdict.reason)
    if verdict.reason.code == ReasonCode.DEADLINE_REACHED and late is not verdict.reason:
        yield "Samples after the deadline: the answer is made of what was known then."
