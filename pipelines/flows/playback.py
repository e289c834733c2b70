"""Judgements from tapes: what replays, restarts, the past and the deadline have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detector.gate.attempt import Attempt
from detector.gate.judgement import Judgement
from detector.gate.reason import Reason, ReasonCode
from detector.gate.record import Chunk
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances, nothing
from detector.gate.verdict import Outcome
from pipelines.flows.watch import SessionFactory, Watch, watch_of

__all__ = ["judged", "playback"]


def playback(
    attempt: Attempt,
    chunks: Sequence[Chunk],
    factory: SessionFactory,
    *,
    until: float = float("inf"),
) -> Watch:
    """A watch that has heard the chunks, as far as they were due by `until`."""
    watch = watch_of(attempt, factory)
    watch.play(chunks, until=until)
    return watch


def judged(
    attempt: Attempt,
    seen: Circumstances,
    watch: Watch | None,
    closing_watch: Callable[[str, float], Watch],
) -> Judgement:
    """The judgement of a moment; past the deadline that of the deadline, unless it failed since.

    `closing_watch(head, until)` plays the samples up to a chunk, as far as due by the deadline.
    """
    if watch is None or not seen.head:
        return nothing(seen.problem or _unread(attempt))
    now = watch.ask(as_of=seen.as_of, stage=seen.stage, deadline=seen.deadline)
    deadline, head = seen.deadline, seen.closing_head
    if head is None or deadline is None or now.outcome is Outcome.FAIL:
        return now
    if not head:
        return nothing(seen.problem or _unread(attempt))
    known = watch.closings.get((deadline, head))
    if known is None and seen.as_of == watch.clock == deadline and head == watch.head:
        # Asked at the deadline itself: nothing was heard since, and nothing lies beyond it.
        known = watch.closings[deadline, head] = now
    if known is None:
        then = closing_watch(head, deadline)
        known = then.ask(as_of=deadline, stage=Stage.FINAL, deadline=deadline)
        watch.closings[deadline, head] = known
    return known


def _unread(attempt: Attempt) -> Reason:
    text = f"No sample of {attempt.identity.service} has been read yet."
    return Reason(ReasonCode.COLLECTING, text)
