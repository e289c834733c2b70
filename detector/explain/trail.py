"""Why a verdict did not come earlier: what was known at moments before it.

Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from detector.explain.signal import deciding
from detector.gate.attempt import Attempt
from detector.gate.judgement import Judgement
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome, Verdict
from detector.gate.words import duration

__all__ = ["Mark", "mark_of", "why_not_earlier"]

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was said of the samples up to a moment.

    `evidence` has that of each judged signal, and what it needs.
    """

    at: float
    outcome: Outcome
    code: str
    text: str
    evidence: dict[str, tuple[float, float]]


def mark_of(judgement: Judgement, at: float) -> Mark:
    """The mark of what the statistics said at `at`, which is of the samples judged by then."""
    return Mark(
        at=at if judgement.evaluated_to is None else judgement.evaluated_to,
        outcome=judgement.outcome,
        code=str(judgement.reason.code),
        text=judgement.reason.text,
        evidence={
            s.name: (s.evidence, s.needed)
            for s in judgement.signals
            if s.judged and s.evidence is not None and s.needed is not None
        },
    )


def why_not_earlier(verdict: Verdict, attempt: Attempt, trail: Sequence[Mark]) -> Iterator[str]:
    """The way to the verdict: when it could first be seen, and what held it up till then."""
    if verdict.reason.code == ReasonCode.OVERRIDDEN or verdict.started_at is None:
        return
    yield f"{_moment(verdict.started_at.timestamp())} the canary's first sample"
    signal = deciding(verdict)
    if verdict.outcome is Outcome.FAIL and signal is not None:
        yield from _evidence(signal.name, trail)
        yield from _certain(attempt)
    else:
        yield from _held(trail)


def _evidence(name: str, trail: Sequence[Mark]) -> Iterator[str]:
    """How the evidence grew to what is needed."""
    before = [m for m in trail if name in m.evidence and m.outcome is not Outcome.FAIL]
    for mark in _spread(before):
        evidence, needed = mark.evidence[name]
        share = evidence / needed
        held = f"; {mark.text}" if share >= 1 else ""
        yield (
            f"{_moment(mark.at)} evidence of harm in {name} {_short(evidence)} of the"
            f" {_short(needed)} that a fail needs{held}"
        )


def _certain(attempt: Attempt) -> Iterator[str]:
    latch = attempt.latch
    if latch is None:
        return
    yield f"{_moment(latch.at)} enough, and not from one burst: the fail stands from here"
    late = latch.found_at - latch.at
    if late >= 1:
        yield (
            f"{_moment(latch.found_at)} asked for the first time since, {duration(late)} later:"
            " samples settle for a while, and nothing is judged that nobody asks"
        )


def _held(trail: Sequence[Mark]) -> Iterator[str]:
    """What was in the way, each reason once, with since when."""
    last = ""
    for mark in trail:
        if mark.code != last:
            last = mark.code
            yield f"{_moment(mark.at)} {mark.outcome.value} ({mark.code}): {mark.text}"


def _spread(marks: Sequence[Mark]) -> Sequence[Mark]:
    """So many of them, evenly."""
    if len(marks) <= _SHOWN:
        return marks
    step = (len(marks) - 1) / (_SHOWN - 1)
    return [marks[round(n * step)] for n in range(_SHOWN)]


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.0e}"


def _moment(at: float) -> str:
    """Seconds matter here."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
