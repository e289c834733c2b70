"""Canary and control of an attempt over time, from its stored samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from detector.errors import NotFoundError
from detector.gate.attempt import Attempt
from detector.gate.builder import FrameBuilder
from detector.gate.curve import Curve, curves
from detector.gate.record import Chunk
from detector.gate.session import Session
from detector.gate.spoken import Spoken, spoken
from detector.ports import Stores
from pipelines.flows.tape import Fed, TapeReader
from pipelines.flows.turns import Recent, Turns

__all__ = ["Curves"]

_WAIT_S = 5.0


@dataclass(slots=True)
class _Playing:
    """How far one attempt's tape was played."""

    builder: FrameBuilder
    head: str = ""
    drawn: tuple[Curve, ...] | None = None
    told: tuple[tuple[str, ...], Spoken] | None = None
    _reader: TapeReader = field(default_factory=TapeReader)

    def hear(self, chunks: Sequence[Chunk]) -> None:
        """Take chunks that follow on the head."""
        for chunk in chunks:
            for event in self._reader.read(chunk.body):
                if isinstance(event, Fed):
                    # A builder notes what it asks for, to know later what an answer covers.
                    self.builder.readings()
                    self.builder.append(event.readings, event.answers, now=event.now)
            self.head = chunk.hash
        if chunks:
            self.drawn = self.told = None


class Curves:
    """Draws from the store alone, so that looking at a page asks nothing of the metric source.

    The newest `kept` attempts stay half played in memory: a page that refreshes costs its new
    samples only. Safe for threads.
    """

    def __init__(self, stores: Stores, *, most: int = 240, kept: int = 8) -> None:
        self._stores, self._most = stores, most
        self._playing: Recent[_Playing] = Recent(kept)
        self._turns = Turns()

    def of(self, id: str) -> tuple[Curve, ...]:
        """The curves of an attempt; none before its first sample or after its samples are gone.

        `NotFoundError` for an attempt that there is not, `StoreError` where the store fails.
        """
        with self._played(id) as (attempt, playing):
            if attempt.plan is None or playing is None:
                return ()
            if playing.drawn is None:
                frame, scale = playing.builder.frame(), attempt.policy.time_scale
                playing.drawn = curves(frame, attempt.plan, most=self._most, time_scale=scale)
            return playing.drawn

    def spoken(self, id: str, templates: Sequence[str]) -> Spoken:
        """What is known of an attempt's pods and log templates; errors as `of`."""
        with self._played(id) as (attempt, playing):
            if attempt.plan is None or playing is None:
                return Spoken()
            wanted = tuple(templates)
            if playing.told is None or playing.told[0] != wanted:
                frame, scale = playing.builder.frame(), attempt.policy.time_scale
                most = self._most // 2
                told = spoken(frame, attempt.plan, wanted, most=most, time_scale=scale)
                playing.told = wanted, told
            return playing.told[1]

    @contextmanager
    def _played(self, id: str) -> Iterator[tuple[Attempt, _Playing | None]]:
        """The attempt with its tape played to the head, which nobody else plays meanwhile."""
        attempt = self._stores.attempts.get(id)
        if attempt.plan is None or not attempt.head:
            yield attempt, None
            return
        with self._turns.of(id, timeout_s=_WAIT_S):
            try:
                playing = self._to_head(attempt)
            except NotFoundError:
                playing = None
            yield attempt, playing

    def _to_head(self, attempt: Attempt) -> _Playing:
        playing = self._playing.get(attempt.id)
        if playing is not None and playing.head == attempt.head:
            return playing
        # What fails half-way is not kept.
        self._playing.drop(attempt.id)
        chunks = self._stores.points.chain(attempt.head)
        begin = _after(playing.head, chunks) if playing is not None else None
        if playing is None or begin is None:
            playing, begin = _Playing(_builder(attempt)), 0
        playing.hear(chunks[begin:])
        self._playing.put(attempt.id, playing)
        return playing


def _after(head: str, chunks: Sequence[Chunk]) -> int | None:
    """Where the chunks after `head` begin, None where it is not among them."""
    return next((at for at, chunk in enumerate(chunks, 1) if chunk.hash == head), None)


def _builder(attempt: Attempt) -> FrameBuilder:
    """A builder with the very bins that the attempt's judge has, none of them dropped."""
    plan, start, interval = attempt.plan, attempt.started_at, attempt.interval
    if plan is None or start is None or interval is None:
        raise ValueError("an attempt without a plan has no samples")
    scale = attempt.policy.time_scale
    judge = Session(plan, attempt.policy, start=start, interval=interval)
    return FrameBuilder(
        plan,
        start=start,
        step=judge.step,
        history_s=attempt.policy.history_s * scale,
        settle_s=judge.settle,
        time_scale=scale,
    )
