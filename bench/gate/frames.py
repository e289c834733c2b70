"""The same rollouts without raw samples: binned arrays straight from the rates, for research.

    rollout = draw(seed, Fault.LATENCY_25)          # or draw(seed) for a healthy one
    frame = binned(rollout, expected(rollout))      # detector.gate.frame.Frame, history included
    session = session_of(rollout, frame, Policy())  # detector.gate.session.Session on those bins
    for now in polls(rollout):                      # seconds from the start
        judgement = ask(session, rollout, now)      # feeds what is due and judges

`FrameFeed` stands in for the frame builder (same methods), so that the whole engine behind it runs
unchanged: about 0.1 s per rollout instead of a second. What it leaves out: scrape phase and
jitter, births of series, resets of counters (a container's restart costs no counts here), health
checks. Gaps of scrapes are bins without counts. Use it to compare mathematics, never to state an
operating characteristic; those come from raw samples through `Gate.judge` (operating.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator

from bench.gate.rates import EDGES, Rates
from bench.gate.rollout import HISTORY_S, Pod, Rollout
from bench.gate.samples import ORIGIN, SERVICE, at_times
from detector.gate.frame import Arm, Counts, Frame, Histogram, truncated
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.session import Session
from detector.series import Answer, FloatArray, Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Plan, Reading
from detector.signals.signal import Absent, Kind, Shape, Signal, Unit

__all__ = ["FrameFeed", "ask", "binned", "plan", "polls", "session_of"]


class FrameFeed:
    """A frame builder whose bins are all known; `append` only lets time pass."""

    def __init__(self, frame: Frame, settle_s: float) -> None:
        self._frame = frame
        self._settle = settle_s
        self._end = self._low = frame.first

    def readings(self) -> tuple[Reading, ...]:
        """Nothing is read."""
        return ()

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """Newest bin that is final at `now`, plus one."""
        frame = self._frame
        due = int((now - self._settle - frame.start) // frame.step)
        self._end = max(self._end, min(due, frame.first + frame.bins))
        return self._end

    def frame(self) -> Frame:
        """The retained final bins."""
        return _cut(truncated(self._frame, self._end), self._low)

    def drop_before(self, bin: int) -> None:
        """Forget older bins."""
        self._low = max(self._low, min(bin, self._end))


def _cut(frame: Frame, low: int) -> Frame:
    """Without the bins before `low`."""
    skip = low - frame.first
    if skip <= 0:
        return frame
    canary, control = (_cut_arm(arm, skip) for arm in (frame.canary, frame.control))
    return Frame(
        start=frame.start,
        step=frame.step,
        first=low,
        interval=frame.interval,
        canary=canary,
        control=control,
        notes=frame.notes,
    )


def _cut_arm(arm: Arm, skip: int) -> Arm:
    return Arm(
        pods=arm.pods,
        born=arm.born,
        age=arm.age[:, skip:],
        seen=arm.seen[:, skip:],
        requests=arm.requests[:, skip:],
        counts={k: Counts(n=c.n[:, skip:], x=c.x[:, skip:]) for k, c in arm.counts.items()},
        histograms={
            k: Histogram(edges=h.edges, counts=h.counts[:, skip:])
            for k, h in arm.histograms.items()
        },
        gauges={k: g[:, skip:] for k, g in arm.gauges.items()},
        newest=arm.newest,
    )


def binned(rollout: Rollout, rates: Rates) -> Frame:
    """The rollout in bins of its scrape interval, both arms, with counting noise."""
    rng = np.random.default_rng([rollout.seed, 79])
    step = rollout.interval
    first = -int(HISTORY_S // step)
    edges = np.arange(first, int(rollout.length // step) + 1, dtype=np.float64) * step
    arms = {}
    for canary in (True, False):
        rows = [i for i, p in enumerate(rollout.pods) if p.canary is canary]
        rows = [i for i in rows if rollout.pods[i].death > -HISTORY_S]
        rows.sort(key=lambda i: (rollout.pods[i].birth, rollout.pods[i].name))
        arms[canary] = _arm(rng, rollout, rates, rows, edges)
    return Frame(
        start=ORIGIN,
        step=step,
        first=first,
        interval=rollout.interval,
        canary=arms[True],
        control=arms[False],
    )


def _arm(rng: Generator, rollout: Rollout, rates: Rates, rows: list[int], edges: FloatArray) -> Arm:
    pods = [rollout.pods[i] for i in rows]
    age = np.stack([_ages(pod, edges) for pod in pods])
    seen = _seen(rollout, rows, edges) * ~np.isnan(age)
    mean = np.stack([_cells(rates.times, rates.buckets[i], edges) for i in rows])
    buckets = rng.poisson(mean * seen[..., None]).astype(np.float64)
    total = buckets.sum(axis=2)
    errors = np.stack([_cells(rates.times, rates.errors[i], edges) for i in rows])
    share = np.clip(errors / np.maximum(mean.sum(axis=2), 1e-12), 0, 1)
    failed = rng.binomial(total.astype(np.int64), share).astype(np.float64)
    again = np.stack([np.histogram(pod.starts[1:], edges)[0] for pod in pods]).astype(np.float64)
    step = edges[1] - edges[0]
    return Arm(
        pods=tuple(p.name for p in pods),
        born=np.array([p.birth + ORIGIN for p in pods]),
        age=age,
        seen=seen,
        requests=total,
        counts={
            "error_rate": Counts(n=total, x=failed),
            "restarts": Counts(n=~np.isnan(age) * step / 3600, x=again),
        },
        histograms={"latency": Histogram(edges=EDGES, counts=buckets)},
        newest=ORIGIN + float(edges[-1]),
    )


def _cells(times: FloatArray, sums: FloatArray, edges: FloatArray) -> FloatArray:
    return np.maximum(np.diff(at_times(times, sums, edges), axis=0), 0.0)


def _ages(pod: Pod, edges: FloatArray) -> FloatArray:
    """Age at each bin's end, NaN before birth; like the builder's it goes on after death."""
    starts = np.array(pod.starts)
    last = np.searchsorted(starts, edges[1:], side="right") - 1
    alive = (last >= 0) & (edges[:-1] < pod.death)
    return np.where(alive, edges[1:] - starts[np.maximum(last, 0)], np.nan)


def _seen(rollout: Rollout, rows: list[int], edges: FloatArray) -> FloatArray:
    seen = np.ones((len(rows), len(edges) - 1))
    for gap in rollout.gaps:
        if gap.end - gap.begin <= 60:
            continue
        lost = (edges[1:] > gap.begin) & (edges[:-1] < gap.end)
        for k, row in enumerate(rows):
            if gap.pod in (row, -2):
                seen[k, lost] = 0.0
    return seen


def _family(metric: str, shape: Shape) -> Family:
    return Family(metric=metric, shape=shape)


def _bound(name: str, kind: Kind, family: Family, absent: Absent = Absent.UNSURE) -> BoundSignal:
    required = name in ("error_rate", "latency", "tail95")
    signal = Signal(name=name, kind=kind, required=required, absent=absent)
    return BoundSignal(signal=signal, pack="bench", unit=Unit.POD, total=family)


def plan() -> Plan:
    """The signals that the frames carry, bound by hand."""
    requests = _family("http_requests_total", Shape.COUNTER)
    buckets = _family("http_request_duration_seconds_bucket", Shape.BUCKETS)
    restarts = _family("kube_pod_container_status_restarts_total", Shape.COUNTER)
    return Plan(
        service=SERVICE,
        canary=(Matcher("version", MatchOp.EQUAL, "v2"),),
        control=((Matcher("version", MatchOp.EQUAL, "v1"),),),
        requests=requests,
        signals=(
            _bound("error_rate", Kind.RATIO, requests, Absent.ZERO),
            _bound("latency", Kind.LATENCY, buckets),
            _bound("tail95", Kind.LATENCY, buckets),
            _bound("tail99", Kind.LATENCY, buckets),
            _bound("restarts", Kind.EVENTS, restarts, Absent.ZERO),
        ),
    )


def session_of(rollout: Rollout, frame: Frame, policy: Policy) -> Session:
    """A session that reads the frame's bins instead of raw samples."""
    session = Session(plan(), policy, start=ORIGIN, interval=rollout.interval)
    session.builder = FrameFeed(frame, session.settle)
    return session


def polls(rollout: Rollout, every_s: float = 60.0) -> Iterator[float]:
    """Seconds from the start at which a controller asks; the last is the rollout's end."""
    now = every_s
    while now < rollout.length:
        yield now
        now += every_s
    yield rollout.length


def ask(session: Session, rollout: Rollout, now: float) -> Judgement:
    """Let time pass to `now` (seconds from the start) and ask, as a controller would."""
    if rollout.told:
        for at, weight in rollout.steps:
            if at <= now:
                session.set_weight(ORIGIN + at, 100 * weight)
    session.feed((), (), now=ORIGIN + now)
    stage = Stage.FINAL if now >= rollout.length else Stage.STEP
    return session.judge(as_of=ORIGIN + now, stage=stage, deadline=ORIGIN + rollout.length)
