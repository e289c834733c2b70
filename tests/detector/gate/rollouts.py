"""Small rollouts as arrays: what a frame would hold, drawn from known rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from detector.gate.frame import Arm, Counts, Frame, Histogram, truncated
from detector.gate.judgement import Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.session import Session
from detector.series import Answer, FloatArray
from detector.signals.plan import BoundSignal, Family, Plan, Reading
from detector.signals.signal import Kind, Shape, Signal, Unit

EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
RESTARTS = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)


def bound(name: str, kind: Kind, family: Family, **more: bool) -> BoundSignal:
    """A signal of the Prometheus-client conventions."""
    signal = Signal(name=name, kind=kind, **more)  # type: ignore[arg-type]
    return BoundSignal(signal=signal, pack="test", unit=Unit.POD, total=family)


PLAN = Plan(
    service="checkout",
    canary=(),
    control=((),),
    requests=REQUESTS,
    signals=(
        bound("error_rate", Kind.RATIO, REQUESTS, required=True),
        bound("latency", Kind.LATENCY, BUCKETS, required=True),
        bound("tail95", Kind.LATENCY, BUCKETS),
        bound("tail99", Kind.LATENCY, BUCKETS, judged=False),
        bound("restarts", Kind.EVENTS, RESTARTS),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One rollout. `requests` per second in all, `shares` of the canary over equal spans.

    `errors`: base rate; `more_errors` is added and `slower` (log) applied on the canary from
    `begins` (share of the attempt) on; `arm` and `pods` are sds of log effects in health. A pod
    that is `used` so far at its usual load answers later the more it carries, like any queue.
    """

    seed: int = 1
    canary: int = 3
    control: int = 6
    requests: float = 100.0
    shares: Sequence[float] = (0.1, 0.3, 0.33)
    errors: float = 0.003
    more_errors: float = 0.0
    slower: float = 0.0
    begins: float = 0.0
    restarts_per_hour: float = 0.0
    only_pod: int | None = None
    arm: float = 0.02
    pods: float = 0.01
    used: float = 0.0
    step: float = 15.0
    bins: int = 100
    history: int = 480
    incident: slice | None = None


class Arrays:
    """Frames from arrays, in the shape in which the session takes them."""

    def __init__(self, frame: Frame) -> None:
        self._all = frame
        self._first = frame.first
        self._top = 0

    def readings(self) -> tuple[Reading, ...]:
        """Nothing is read."""
        return ()

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """Bins that are final at `now`."""
        del readings, answers
        self._top = min(int(now / self._all.step), self._all.first + self._all.bins)
        return self._top

    def frame(self) -> Frame:
        """The retained bins."""
        return dropped(truncated(self._all, self._top), self._first)

    def drop_before(self, bin_: int) -> None:
        """Forget."""
        self._first = max(self._first, min(bin_, self._top))


def dropped(frame: Frame, first: int) -> Frame:
    """The frame from bin `first` on."""
    cut = first - frame.first

    def arm(a: Arm) -> Arm:
        return replace(
            a,
            age=a.age[:, cut:],
            seen=a.seen[:, cut:],
            requests=a.requests[:, cut:],
            counts={k: Counts(n=c.n[:, cut:], x=c.x[:, cut:]) for k, c in a.counts.items()},
            histograms={
                k: Histogram(edges=h.edges, counts=h.counts[:, cut:])
                for k, h in a.histograms.items()
            },
            gauges={k: g[:, cut:] for k, g in a.gauges.items()},
        )

    lines = None if frame.lines is None else frame.lines.between(cut, frame.bins)
    return replace(
        frame, first=first, canary=arm(frame.canary), control=arm(frame.control), lines=lines
    )


def make(recipe: Recipe) -> Frame:
    """Draw the rollout."""
    rng = np.random.default_rng(recipe.seed)
    return Frame(
        start=0.0,
        step=recipe.step,
        first=-recipe.history,
        interval=recipe.step,
        canary=_arm(recipe, rng, canary=True),
        control=_arm(recipe, rng, canary=False),
    )


def _arm(r: Recipe, rng: np.random.Generator, *, canary: bool) -> Arm:
    pods = r.canary if canary else r.control
    time = np.arange(-r.history, r.bins, dtype=np.float64)
    fault = _fault(r, time, pods) if canary else np.zeros((pods, len(time)))
    n = rng.poisson(_traffic(r, time, canary=canary) / pods, (pods, len(time))).astype(float)
    shared = rng.normal(0, r.arm) if canary else 0.0
    each = rng.normal(0, r.pods, (pods, 1)) + shared
    rate = r.errors * np.exp(3 * each) * _incident(r, time) + r.more_errors * fault
    x = rng.binomial(n.astype(int), np.clip(rate, 0, 1)).astype(float)
    slow = r.slower * fault + 0.5 * np.log(_incident(r, time)) + _queue(r, time, canary=canary)
    counts = _histograms(rng, n, each + slow)
    hours = (n > 0) * r.step / 3600
    crashes = rng.poisson(hours * r.restarts_per_hour * fault).astype(float)
    age = (time + 1) * r.step * np.ones((pods, 1))
    return Arm(
        pods=tuple(f"checkout-{'v2' if canary else 'v1'}-{i}" for i in range(pods)),
        born=np.full(pods, 0.0 if canary else -np.inf),
        age=np.where(time >= 0, age, np.nan) if canary else np.full((pods, len(time)), np.inf),
        seen=np.ones((pods, 1)) * ((time >= 0) | (not canary)),
        requests=n,
        counts={"error_rate": Counts(n=n, x=x), "restarts": Counts(n=hours, x=crashes)},
        histograms={"latency": Histogram(edges=EDGES, counts=counts)},
        newest=r.bins * r.step,
    )


def _traffic(r: Recipe, time: FloatArray, *, canary: bool) -> FloatArray:
    at = np.clip(time * len(r.shares) // r.bins, 0, len(r.shares) - 1).astype(int)
    share = np.where(time >= 0, np.array(r.shares)[at], 0.0)
    return r.requests * r.step * (share if canary else 1 - share)


def _queue(r: Recipe, time: FloatArray, *, canary: bool) -> FloatArray:
    pods = r.canary if canary else r.control
    load = _traffic(r, time, canary=canary) / pods / (r.requests * r.step / r.control)
    busy = np.minimum(r.used * load, 0.95)
    waited: FloatArray = np.log1p(-r.used) - np.log1p(-busy)
    return waited


def _incident(r: Recipe, time: FloatArray) -> FloatArray:
    factor = np.ones(len(time))
    if r.incident is not None:
        inside = (time >= r.incident.start) & (time < r.incident.stop)
        factor[inside] = 8.0
    return factor


def _fault(r: Recipe, time: FloatArray, pods: int) -> FloatArray:
    active = (time >= r.begins * r.bins).astype(float) * np.ones((pods, 1))
    if r.only_pod is not None:
        active[np.arange(pods) != r.only_pod] = 0
    return active


def _histograms(rng: np.random.Generator, n: FloatArray, effect: FloatArray) -> FloatArray:
    z = (np.log(EDGES) - np.log(0.06) - effect[..., None]) / 0.7
    cdf = np.concatenate([stats.norm.cdf(z), np.ones((*effect.shape, 1))], axis=-1)
    shares = np.diff(cdf, prepend=0.0, axis=-1)
    return rng.multinomial(n.astype(int), shares).astype(float)


@dataclass
class Run:
    """A session over a frame, polled at given bins."""

    frame: Frame
    policy: Policy = field(default_factory=Policy)
    plan: Plan = PLAN
    memory: Memory = field(default_factory=lambda: Memory(at=0.0))

    def __post_init__(self) -> None:
        self.session = Session(
            self.plan,
            self.policy,
            start=0.0,
            interval=self.frame.step,
            frames=Arrays(self.frame),
        )

    def to(
        self, bin_: int, *, stage: Stage = Stage.STEP, deadline: float | None = None
    ) -> Judgement:
        """Feed up to the end of bin `bin_ - 1` and judge there."""
        now = bin_ * self.frame.step
        self.session.feed((), (), now=now)
        if self.session.wants_memory:
            self.session.recall(self.memory)
        return self.session.judge(as_of=now, stage=stage, deadline=deadline)

    def all(self) -> Judgement:
        """Feed and judge everything at once."""
        return self.to(self.frame.first + self.frame.bins)


def evidence_of(judgement: Judgement, name: str) -> float:
    """Log evidence of a signal."""
    signal = next(s for s in judgement.signals if s.name == name)
    return float(np.log(signal.evidence or 1.0))
