"""The trail to a verdict: what was known at moments before it, played from its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from detector.explain.signal import deciding
from detector.explain.trail import Mark, mark_of
from detector.gate.policy import SignalPolicy
from detector.gate.record import Chunk
from detector.gate.verdict import Outcome
from pipelines.flows.evidence import Evidence
from pipelines.flows.playback import playback
from pipelines.flows.records import replayed
from pipelines.flows.watch import SessionFactory, Watch, watch_of

__all__ = ["bearable_of", "trail_of"]

_MARKS = 24
# Of fewer chunks the tape is played anew for each moment; there are as many as polls.
_FEW_CHUNKS, _FEW_MARKS = 8, 8
# By when the boundary at which it failed was judged.
_SETTLED_S = 60.0


def trail_of(evidence: Evidence, factory: SessionFactory) -> tuple[Mark, ...]:
    """Marks from the start to the verdict, oldest first; none before any sample was judged."""
    attempt, seen = evidence.attempt, evidence.stored.seen
    if not seen.head or attempt.plan is None or attempt.started_at is None:
        return ()
    if len(evidence.chunks) >= _FEW_CHUNKS:
        return _on_the_way(evidence, watch_of(attempt, factory))
    # After the fail there is nothing more to tell.
    end = seen.as_of if attempt.latch is None else min(attempt.latch.at + _SETTLED_S, seen.as_of)
    span = end - attempt.started_at
    moments = [attempt.started_at + span * n / _FEW_MARKS for n in range(1, _FEW_MARKS + 1)]
    return _apart(
        _mark(evidence, playback(attempt, evidence.chunks, factory, until=at), at) for at in moments
    )


def bearable_of(evidence: Evidence, factory: SessionFactory) -> float | None:
    """The least tolerance, in the effect's unit, with which the same samples are no fail.

    Both ends of the effect's interval and its middle are tried; None where none of them does.
    """
    verdict = evidence.stored.verdict
    signal = deciding(verdict) if verdict.outcome is Outcome.FAIL else None
    if signal is None or signal.effect is None or evidence.stored.seen.override is not None:
        return None
    effect = signal.effect
    for end in (effect.low, effect.value, effect.high):
        if end is not None and end > effect.tolerate:
            tried = _tolerant(evidence, signal.name, effect.kind, end)
            if replayed(tried, factory).outcome is not Outcome.FAIL:
                return end
    return None


def _tolerant(evidence: Evidence, name: str, kind: str, end: float) -> Evidence:
    """The same evidence under a policy that tolerates so much of a signal; nothing latched."""
    attempt, stored = evidence.attempt, evidence.stored
    old = attempt.policy.signals.get(name, SignalPolicy())
    is_points = kind == "difference"
    wish = replace(
        old,
        tolerate=None if is_points else end - 1,
        tolerate_points=end if is_points else None,
    )
    policy = replace(attempt.policy, signals={**attempt.policy.signals, name: wish})
    return replace(
        evidence,
        attempt=replace(attempt, policy=policy, latch=None),
        stored=replace(stored, seen=replace(stored.seen, latch=None)),
    )


def _on_the_way(evidence: Evidence, watch: Watch) -> tuple[Mark, ...]:
    """One pass over the tape, stopped at some of its chunks."""
    marks = []
    for part in _parts(evidence.chunks):
        watch.play(part)
        marks.append(_mark(evidence, watch, watch.clock))
    return _apart(marks)


def _apart(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """One for each moment; what was said of it last."""
    return tuple({mark.at: mark for mark in marks}.values())


def _parts(chunks: Sequence[Chunk]) -> Sequence[Sequence[Chunk]]:
    """The chunks in order, in so many parts or fewer."""
    size = -(-len(chunks) // _MARKS)
    return [chunks[at : at + size] for at in range(0, len(chunks), size)]


def _mark(evidence: Evidence, watch: Watch, at: float) -> Mark:
    seen = evidence.stored.seen
    return mark_of(watch.ask(as_of=at, stage=seen.stage, deadline=seen.deadline), at)
