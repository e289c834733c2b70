"""A gate on samples in memory, with a judge whose rule anybody can work out by hand.

The judge counts: a fail at the first boundary with `FAILS` canary errors, a pass from `ENOUGH`
canary requests on. It keeps the contract of the real one (boundaries, settling, notes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from detector.gate.design import Elsewhere
from detector.gate.judgement import FirstFail, Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage, VerdictRequest
from detector.gate.verdict import Needs, Outcome, Samples, SignalVerdict
from detector.ports import MetricCatalog, Stores
from detector.selector import parse_selector
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query
from detector.signals.plan import ArmName, BoundSignal, Family, Plan, Reading
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.flows.gate import Gate, GateSettings
from pipelines.stores.memory import memory_stores
from pipelines.testing import FakeSource

T0 = 1_790_000_000.0
STEP = 15.0
FAILS = 10
ENOUGH = 200
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
SIGNAL = BoundSignal(
    signal=Signal(name="error_rate", kind=Kind.RATIO, required=True),
    pack="test",
    unit=Unit.POD,
    total=REQUESTS,
    bad=(Matcher("code", MatchOp.MATCHES, "5.."),),
)


def discover(
    catalog: MetricCatalog, request: VerdictRequest, *, start: float, end: float, timeout_s: float
) -> Plan:
    """Binds the request counter of a service; notes the pods that exist beside the canary."""
    service = Matcher("service", MatchOp.EQUAL, request.service)
    query = Query(REQUESTS.metric, (service,))
    pods = catalog.label_values("pod", [query], start - 3600, end, timeout_s=timeout_s)
    canary = parse_selector(request.canary, field="canary")
    control = parse_selector(request.control or '{track="stable"}', field="control")
    return Plan(
        service=request.service,
        canary=(service, *canary),
        control=((service, *control),),
        requests=REQUESTS,
        signals=(SIGNAL,),
        notes=(f"Pods seen: {', '.join(pods) or 'none'}.",),
    )


@dataclass(slots=True)
class Counting:
    """The judge."""

    plan: Plan
    policy: Policy
    start: float
    interval: float
    step: float = STEP
    settle: float = 25.0
    done: int = 0
    fail: FirstFail | None = None
    wants_memory: bool = False
    wants_elsewhere: bool = False
    wants_witness: bool = False
    weights: list[tuple[float, float]] = field(default_factory=list)
    _series: dict[tuple[ArmName, frozenset[tuple[str, str]]], tuple[list[float], list[float]]] = (
        field(default_factory=dict)
    )

    def readings(self) -> tuple[Reading, ...]:
        """Both arms of the request counter."""
        arms = [(ArmName.CANARY, self.plan.canary), (ArmName.CONTROL, self.plan.control[0])]
        return tuple(
            Reading(family=REQUESTS, arm=arm, query=Query(REQUESTS.metric, matchers))
            for arm, matchers in arms
        )

    def feed(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> None:
        """Take samples; judge each boundary that became final."""
        for reading, answer in zip(readings, answers, strict=True):
            assert reading.arm is not None
            for s in answer.series:
                times, values = self._series.setdefault(
                    (reading.arm, frozenset(s.labels.items())), ([], [])
                )
                assert not set(times) & set(s.times), "a sample was fed twice"
                times += [float(t) for t in s.times]
                values += [float(v) for v in s.values]
        while self.start + (self.done + 1) * STEP + self.settle <= now:
            self.done += 1
            if self.fail is None and self.count(ArmName.CANARY, self.end, "5") >= FAILS:
                text = f"{FAILS} errors by boundary {self.done}"
                reason = Reason("error_rate_up", text)
                self.fail = FirstFail(at=self.end, signal="error_rate", reason=reason)

    def set_weight(self, at: float, weight: float) -> None:
        """Remember."""
        self.weights.append((at, weight))

    def recall(self, memory: Memory) -> None:
        """This judge needs no memory."""

    def look(self, elsewhere: Elsewhere) -> None:
        """Nor other services."""

    @property
    def end(self) -> float:
        """The newest boundary."""
        return self.start + self.done * STEP

    def count(self, arm: ArmName, until: float, code: str = "") -> float:
        """Requests of an arm with a code from the start to `until`."""
        total = 0.0
        for (which, labels), (times, values) in self._series.items():
            if which is arm and dict(labels)["code"].startswith(code):
                samples = sorted(zip(times, values, strict=True))
                before = [v for t, v in samples if t < self.start]
                known = [v for t, v in samples if t <= until]
                total += (known or [0.0])[-1] - (before or [0.0])[-1]
        return total

    def judge(self, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
        """Count."""
        seen = self.count(ArmName.CANARY, self.end)
        outcome, reason = Outcome.PASS, Reason(ReasonCode.HEALTHY, f"{seen:.0f} requests")
        if self.fail is not None:
            outcome, reason = Outcome.FAIL, self.fail.reason
        elif not any(arm is ArmName.CANARY for arm, _ in self._series):
            outcome, reason = Outcome.INCONCLUSIVE, Reason(ReasonCode.NO_CANARY_DATA, "no canary")
        elif not any(arm is ArmName.CONTROL for arm, _ in self._series):
            outcome, reason = Outcome.INCONCLUSIVE, Reason(ReasonCode.NO_CONTROL_DATA, "no control")
        elif seen < ENOUGH:
            outcome, reason = Outcome.INCONCLUSIVE, Reason(ReasonCode.LOW_TRAFFIC, f"{seen:.0f}")
        signal = SignalVerdict(
            name="error_rate",
            outcome=outcome,
            required=True,
            judged=True,
            unit="ratio",
            canary=np.float64(self.count(ArmName.CANARY, self.end, "5") / max(seen, 1)),
            control=float("nan"),
            effect=None,
            evidence=float("inf"),
            needed=1e9 / 3,
            samples=Samples(canary=seen, control=self.count(ArmName.CONTROL, self.end)),
            scope="arm",
            since=datetime.fromtimestamp(self.start, UTC),
            reason=reason,
            details={"stage": stage.value, "weights": float(len(self.weights))},
        )
        waiting = f"waiting for traffic: {seen:.0f} of {ENOUGH} requests"
        return Judgement(
            outcome=outcome,
            reason=reason,
            signals=(signal,) if self.done else (),
            needs=Needs(requests=max(0, int(ENOUGH - seen)), seconds=60),
            exposure_since=self.start,
            evaluated_to=self.end if self.done else None,
            first_fail=self.fail,
            notes=self.plan.notes,
            waiting=waiting,
        )


def counting(plan: Plan, policy: Policy, *, start: float, interval: float) -> Counting:
    """The session factory."""
    return Counting(plan, policy, start, interval)


class Clock:
    """A clock that is set."""

    def __init__(self, at: float = T0) -> None:
        self.at = at

    def __call__(self) -> float:
        """The time that was set."""
        return self.at


Rate = Callable[[float], float]


@dataclass(slots=True)
class World:
    """A shop in memory with its gate."""

    source: FakeSource = field(default_factory=FakeSource)
    stores: Stores = field(default_factory=memory_stores)
    clock: Clock = field(default_factory=Clock)
    settings: GateSettings = field(default_factory=GateSettings)
    factory: Callable[..., Counting] = counting
    made: Gate | None = None

    @property
    def gate(self) -> Gate:
        """The gate, made once; `restart` makes another on the same stores."""
        if self.made is None:
            self.restart()
        assert self.made is not None
        return self.made

    def restart(self) -> None:
        """A process that knows only what is stored."""
        self.made = Gate(
            source=self.source,
            catalog=self.source,
            stores=self.stores,
            clock=self.clock,
            discover=discover,
            session_factory=self.factory,
            settings=self.settings,
        )

    def pod(
        self,
        name: str,
        track: str,
        *,
        born: float,
        until: float,
        per_s: float = 2.0,
        errors: Mapping[float, float] | None = None,
        code: str = "200",
        service: str = "checkout",
        **labels: str,
    ) -> None:
        """Scrapes of one pod each 15 s: a counter of requests, and one of errors by time."""
        times = np.arange(born, until, STEP)
        base = {"service": service, "pod": name, "track": track, **labels}
        self._series({**base, "code": code}, times, np.floor((times - born) * per_s))
        if errors:
            at = np.array(sorted(errors))
            many = np.array([errors[t] for t in at])
            total = np.array([many[at <= t].sum() for t in times])
            self._series({**base, "code": "500"}, times, total)

    def _series(self, labels: dict[str, str], times: FloatArray, values: FloatArray) -> None:
        self.source.store.add({"__name__": REQUESTS.metric, **labels}, times, values)

    def shop(
        self, *, until: float = T0 + 3600, per_s: float = 2.0, canary: str = "web-bbbbb-fghjk"
    ) -> None:
        """Two stable pods for two hours and a canary pod from T0 on."""
        for name in ("web-zzzzz-bcdfg", "web-zzzzz-hjklm"):
            self.pod(name, "stable", born=T0 - 7200, until=until)
        self.pod(canary, "canary", born=T0, until=until, per_s=per_s)


def at(seconds: float) -> datetime:
    """A moment after T0."""
    return datetime.fromtimestamp(T0 + seconds, UTC)


def ask(**changes: object) -> VerdictRequest:
    """The usual question."""
    base: dict[str, object] = {"service": "checkout", "canary": '{track="canary"}'}
    return VerdictRequest(**{**base, **changes})  # type: ignore[arg-type]
