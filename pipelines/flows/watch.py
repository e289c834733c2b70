"""One attempt being watched: its judge, what it was told so far, and how the next samples come.

Everything the judge learns is an event. Live events and events from the tape take the same way,
so that a watch rebuilt from the store stands where the lost one stood.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from detector.errors import SourceError
from detector.gate.aa_policy import checked
from detector.gate.attempt import Attempt
from detector.gate.course import Streamed, untold
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy
from detector.gate.presence import Presence
from detector.gate.reason import Reason, ReasonCode
from detector.gate.record import Chunk
from detector.gate.request import Stage
from detector.ports import Judge, MetricCatalog, MetricSource
from detector.series import Answer, Query, Series
from detector.signals.plan import Plan, Reading
from pipelines.flows.fresh import Fresh
from pipelines.flows.remembering import Bystanders, Remembering, slices_of
from pipelines.flows.steering import Steering
from pipelines.flows.tape import Event, Fed, Remembered, Seen, TapeReader, TapeWriter, Told

__all__ = ["NARROW_S", "OVERLAP_S", "SessionFactory", "Watch", "watch_of"]

# What comes late is looked for once a minute; polls in between read little.
OVERLAP_S = 600.0
NARROW_S = 90.0
_WIDE_EVERY_S = 60.0
_NARROW_STEPS = 6
# A warned answer is asked for again this long before its holes are taken for the truth.
_PATIENCE_S = 120.0
# How long after such holes no pass is given: the window in which coverage is asked for.
_DOUBT_S = 300.0
_ROUNDS = 3


class SessionFactory(Protocol):
    """Makes the judge of an attempt."""

    def __call__(self, plan: Plan, policy: Policy, *, start: float, interval: float) -> Judge:
        """A judge that knows nothing yet."""
        ...


@dataclass(slots=True, kw_only=True)
class Watch:
    """The running state of one attempt; not safe for threads."""

    plan: Plan
    policy: Policy
    start: float
    interval: float
    judge: Judge
    presence: Presence
    fresh: Fresh
    steering: Steering
    remembering: Remembering
    bystanders: Bystanders
    clock: float
    head: str = ""
    partial: Reason | None = None
    closings: dict[tuple[float, str], Judgement] = field(default_factory=dict)
    _known: frozenset[Reading] = frozenset()
    _looked_back: float = float("-inf")
    _reader: TapeReader = field(default_factory=TapeReader)
    _writer: TapeWriter = field(default_factory=TapeWriter)
    _holes_since: float | None = None
    _doubt_until: float = float("-inf")

    @property
    def scale(self) -> float:
        """Real seconds of one engine second."""
        return self.policy.time_scale

    @property
    def history_start(self) -> float:
        """From when on samples are read."""
        return self.start - self.policy.history_s * self.scale

    def apply(self, event: Event) -> None:
        """Tell the judge."""
        match event:
            case Told():
                self.judge.set_weight(event.at, event.weight)
                self.steering.take(event)
            case Fed():
                self.judge.feed(event.readings, event.answers, now=event.now)
                self.presence.take(event.readings, event.answers)
                self.fresh.take(event.readings, event.answers)
                self.clock = max(self.clock, event.now)
            case Remembered():
                self.judge.recall(event.memory)
            case Seen():
                self.judge.look(event.elsewhere)

    def play(self, chunks: Iterable[Chunk], *, until: float = float("inf")) -> None:
        """Hear a tape, or its next part; with `until`, as far as it was due then and no further."""
        self._reader.follow(self._writer)
        for chunk in chunks:
            events = tuple(_until(self._reader.read(chunk.body), until, self._due(until)))
            for event in events:
                # A judge may note what it asks for, to know later what an answer covers.
                self.judge.readings()
                self.apply(event)
            self.head = chunk.hash
            if any(isinstance(e, Fed) and e.now >= until for e in events):
                break
        self._writer.heard(self._reader.labels, self._reader.readings)
        self._known = frozenset(self.judge.readings())

    def is_due(self, now: float) -> bool:
        """Whether a boundary became final since the last read: nothing else changes an answer."""
        return not self.head or self._boundary(now) > self._boundary(self.clock)

    def _boundary(self, now: float) -> int:
        return math.floor((now - self.judge.settle - self.start) / self.judge.step)

    def _due(self, now: float) -> float:
        """When the newest boundary became final: a gauge counts up to there, asked then or not."""
        if math.isinf(now):
            return now
        return self.start + self.judge.settle + self._boundary(now) * self.judge.step

    def tell(self, at: float, weight: float | None) -> tuple[Event, ...]:
        """The event of a weight that was sent and is new."""
        if weight is None or (weight == self.steering.weight and self.steering.is_sent):
            return ()
        event = Told(at=at, weight=weight)
        self.apply(event)
        return (event,)

    def read(
        self, source: MetricSource, now: float, left_s: Callable[[], float]
    ) -> tuple[tuple[Event, ...], SourceError | None]:
        """Read what is new up to `now` and feed it; what was fed before an error stays fed."""
        events: list[Event] = []
        asked: set[Reading] = set()
        try:
            for _ in range(_ROUNDS):
                todo = [r for r in self.judge.readings() if r not in asked]
                if not todo:
                    break
                gauges = () if asked else self.steering.queries
                asked.update(todo)
                told, fed = self._fetch(source, todo, gauges, now, left_s)
                if self._must_wait(fed, now):
                    return tuple(events), None
                # Weights first: the samples may make bins final in which a step begins.
                heard: tuple[Event, ...] = (*told, fed)
                for event in heard:
                    self.apply(event)
                events += heard
        except SourceError as error:
            return tuple(events), error
        if self._overlap(now) >= OVERLAP_S * self.scale:
            self._looked_back = now
        self._known = frozenset(asked)
        final = Fed(now=now, readings=(), answers=())
        self.apply(final)
        return (*events, final), None

    def recall(
        self,
        source: MetricSource,
        catalog: MetricCatalog,
        now: float,
        left_s: Callable[[], float],
        told: Callable[[Plan], Streamed | None] = lambda _: None,
    ) -> tuple[tuple[Event, ...], SourceError | None]:
        """Read what the judge wants to know where no control serves, and tell it.

        `told` is what a stream tells of the plan's service, None where there is none.
        """
        events: list[Event] = []
        try:
            if self.judge.wants_memory:
                memory = self.remembering.memory(source, left_s)
                memory = replace(memory, stream=self._streamed(told(self.plan)))
                events.append(Remembered(at=now, memory=memory))
                self.apply(events[-1])
            due = self.judge.wants_witness or self.bystanders.is_due(now)
            if self.judge.wants_elsewhere and due:
                elsewhere = self.bystanders.look(source, catalog, now, left_s)
                events.append(Seen(at=now, elsewhere=elsewhere))
                self.apply(events[-1])
        except SourceError as error:
            return tuple(events), error
        return tuple(events), None

    def _streamed(self, told: Streamed | None) -> Streamed | None:
        """A stream knows the time as it is, and no clock that runs faster."""
        if told is None or self.scale == 1.0:
            return told
        return untold(self.plan, "the policy's clock is not that of the stream")

    def _overlap(self, now: float) -> float:
        """How far before the last read samples are looked for once more, in seconds."""
        if now - self._looked_back >= _WIDE_EVERY_S * self.scale:
            return OVERLAP_S * self.scale
        return max(NARROW_S * self.scale, _NARROW_STEPS * self.judge.step)

    def _fetch(
        self,
        source: MetricSource,
        todo: Sequence[Reading],
        gauges: Sequence[Query],
        now: float,
        left_s: Callable[[], float],
    ) -> tuple[tuple[Told, ...], Fed]:
        """Old readings since the last read less the overlap, new ones with all the history.

        A gauge of weights comes along with the first of them.
        """
        recent = max(self.history_start, self.clock - self._overlap(now))
        found: dict[Reading, Answer] = {}
        told: tuple[Told, ...] = ()
        for since, group in (
            (recent, [r for r in todo if r in self._known]),
            (self.history_start, [r for r in todo if r not in self._known]),
        ):
            if group:
                queries = [*(r.query for r in group), *gauges]
                answers = source.read(queries, since, now, timeout_s=left_s())
                found.update(zip(group, answers, strict=not gauges))
                if gauges:
                    told, gauges = self._shown(answers[-1], now), ()
        readings = tuple(todo)
        fresh = self.fresh.new(readings, [found[r] for r in readings])
        return told, Fed(now=self.clock, readings=readings, answers=fresh)

    def _shown(self, gauge: Answer, now: float) -> tuple[Told, ...]:
        return self.steering.news(gauge, since=self._due(self.clock), until=self._due(now))

    def _must_wait(self, fed: Fed, now: float) -> bool:
        """Whether an answer with holes is to be asked for again rather than believed."""
        warnings = tuple(dict.fromkeys(itertools.chain(*(a.warnings for a in fed.answers))))
        if not warnings:
            self._holes_since = None
            if now >= self._doubt_until:
                self.partial = None
            return False
        text = "; ".join(warnings[:3])
        self.partial = Reason(
            ReasonCode.PARTIAL_DATA, f"The source warns that series may be missing: {text}"
        )
        if self._holes_since is None:
            self._holes_since = now
        if now - self._holes_since < _PATIENCE_S * self.scale:
            return True
        self._doubt_until = now + _DOUBT_S * self.scale
        return False

    def record(self, events: Sequence[Event]) -> bytes:
        """The events as the body of the next chunk."""
        return self._writer.write(events)

    def ask(self, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
        """What the judge says."""
        return self.judge.judge(as_of=as_of, stage=stage, deadline=deadline)


def watch_of(attempt: Attempt, factory: SessionFactory) -> Watch:
    """A watch that has heard nothing yet; the attempt has its plan, start and interval."""
    plan, start, interval = attempt.plan, attempt.started_at, attempt.interval
    if plan is None or start is None or interval is None:
        raise ValueError("an attempt without a plan cannot be watched")
    policy = attempt.policy
    return Watch(
        plan=plan,
        policy=policy,
        start=start,
        interval=interval,
        judge=factory(plan, checked(policy, attempt.aa), start=start, interval=interval),
        presence=Presence(plan, interval, policy.time_scale),
        fresh=Fresh(),
        steering=Steering(gauge=plan.weight, start=start, scale=policy.time_scale),
        remembering=Remembering(
            plan=plan,
            start=start,
            scale=policy.time_scale,
            slices=slices_of(plan, interval, policy.time_scale),
        ),
        bystanders=Bystanders(plan=plan, start=start, scale=policy.time_scale, interval=interval),
        clock=start - policy.history_s * policy.time_scale,
    )


def _until(events: Iterable[Event], until: float, due: float) -> Iterable[Event]:
    """What of the events was known by `until`; of a gauge what counted by `due`."""
    for event in events:
        if isinstance(event, Told):
            if event.at <= (due if event.is_read else until):
                yield event
            continue
        if isinstance(event, Remembered):
            yield event
            continue
        if isinstance(event, Seen):
            if event.at <= until:
                yield event
            continue
        if until == float("inf"):
            yield event
            continue
        answers = tuple(_cut(answer, until) for answer in event.answers)
        yield replace(event, now=min(event.now, until), answers=answers)


def _cut(answer: Answer, until: float) -> Answer:
    kept = []
    for series in answer.series:
        end = int(series.times.searchsorted(until, side="right"))
        if end:
            kept.append(
                Series(labels=series.labels, times=series.times[:end], values=series.values[:end])
            )
    return Answer(series=tuple(kept), warnings=answer.warnings)
