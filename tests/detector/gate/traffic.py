"""A small metric store of raw samples, and pods that serve traffic, for tests of the builder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from detector.gate.builder import FrameBuilder
from detector.gate.frame import Frame
from detector.selector import matches
from detector.series import Answer, FloatArray, Matcher, MatchOp, Series
from detector.signals.plan import BoundSignal, Family, Plan, Reading
from detector.signals.signal import Kind, Shape, Signal, Unit

REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="seconds_bucket", shape=Shape.BUCKETS)
STARTED = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)
RESTARTS = Family(metric="restarts_total", shape=Shape.COUNTER, joined=True)
CPU = Family(metric="cpu_seconds_total", shape=Shape.COUNTER, joined=True)
MEMORY = Family(metric="memory_bytes", shape=Shape.GAUGE, joined=True)
FIVES = (Matcher("code", MatchOp.MATCHES, "5.."),)
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def bound(name: str, kind: Kind, total: Family, **more: object) -> BoundSignal:
    return BoundSignal(
        signal=Signal(name=name, kind=kind),
        pack="test",
        unit=Unit.POD,
        total=total,
        **more,  # type: ignore[arg-type]
    )


ERRORS = bound("error_rate", Kind.RATIO, REQUESTS, bad=FIVES)
LATENCY = bound("latency", Kind.LATENCY, BUCKETS)


def plan(*signals: BoundSignal, start_time: Family | None = None, unit: Unit = Unit.POD) -> Plan:
    return Plan(
        service="web",
        canary=(Matcher("track", MatchOp.EQUAL, "canary"),),
        control=((Matcher("track", MatchOp.EQUAL, "stable"),),),
        requests=REQUESTS,
        signals=signals or (ERRORS,),
        start_time=start_time,
        unit=unit,
    )


class Store:
    """Series by labels; answers readings as a metric source does."""

    def __init__(self) -> None:
        self.series: dict[str, list[Series]] = {}

    def put(
        self, metric: str, times: Iterable[float], values: Iterable[float], **labels: str
    ) -> None:
        series = Series(
            labels={"__name__": metric, **labels},
            times=np.array(list(times), np.float64),
            values=np.array(list(values), np.float64),
        )
        self.series.setdefault(metric, []).append(series)

    def answer(self, reading: Reading, start: float, end: float) -> Answer:
        return Answer(series=tuple(self._cut(reading, start, end)))

    def _cut(self, reading: Reading, start: float, end: float) -> Iterable[Series]:
        for series in self.series.get(reading.query.metric, []):
            if all(matches(matcher, series.labels) for matcher in reading.query.matchers):
                low, high = np.searchsorted(series.times, [start, end], side="right")
                if high > low:
                    part = slice(int(low), int(high))
                    yield Series(
                        labels=series.labels,
                        times=series.times[part],
                        values=series.values[part],
                    )

    def poll(self, builder: FrameBuilder, now: float, overlap: float = 1e9) -> None:
        """Read until no new pod holds anything back."""
        before: Sequence[Reading] = ()
        while True:
            readings = builder.readings()
            if readings == before:
                return
            answers = [self.answer(reading, now - overlap, now) for reading in readings]
            builder.append(readings, answers, now=now)
            before = readings


def build(
    store: Store,
    what: Plan,
    *,
    until: float,
    polls: Sequence[float] = (),
    start: float = 0.0,
    step: float = 15.0,
    history: float = 600.0,
    time_scale: float = 1.0,
) -> FrameBuilder:
    """A builder fed at each poll and at `until`."""
    builder = FrameBuilder(
        what,
        start=start,
        step=step,
        history_s=history,
        settle_s=1.34 * step + 5.0 * time_scale,
        time_scale=time_scale,
    )
    for now in [*polls, until]:
        store.poll(builder, now)
    return builder


def frame_of(store: Store, what: Plan, **options: object) -> Frame:
    return build(store, what, **options).frame()  # type: ignore[arg-type]


def scrapes(begin: float, end: float, every: float = 15.0) -> FloatArray:
    return np.arange(begin, end, every)
