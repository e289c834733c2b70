"""The trail to a verdict: what was known at moments before it, played from its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detector.gate.explain_trail import Mark, mark_of
from detector.gate.record import Chunk
from pipelines.flows.evidence import Evidence
from pipelines.flows.playback import playback
from pipelines.flows.watch import SessionFactory, Watch, watch_of

__all__ = ["trail_of"]

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
