"""A shop in memory, judged by the real engine: what the pages are looked at with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from detector.gate.policy import Policy
from detector.gate.request import Stage, VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Verdict
from detector.logs.counted import Template
from detector.ports import Stores
from detector.series import FloatArray, Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Absent, Kind, Shape, Signal, Unit
from pipelines.flows.gate import Gate, GateSettings
from pipelines.stores.memory import memory_stores
from pipelines.testing import FakeSource, FixedDiscovery

T0 = 1_790_000_000.0
EVERY = 15.0
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
STARTED = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)
MEMORY = Family(metric="process_resident_memory_bytes", shape=Shape.GAUGE)
FIVES = (Matcher("code", MatchOp.MATCHES, "5.."),)


def _bound(signal: Signal, total: Family, bad: tuple[Matcher, ...] = ()) -> BoundSignal:
    return BoundSignal(signal=signal, pack="test", unit=Unit.POD, total=total, bad=bad)


SIGNALS = (
    _bound(Signal(name="error_rate", kind=Kind.RATIO, required=True), REQUESTS, FIVES),
    _bound(Signal(name="latency", kind=Kind.LATENCY, required=True), BUCKETS),
    _bound(Signal(name="tail95", kind=Kind.LATENCY), BUCKETS),
    _bound(Signal(name="restarts", kind=Kind.EVENTS), STARTED),
    _bound(
        Signal(name="memory_growth", kind=Kind.GAUGE, unit="bytes", judged=False, grows=True),
        MEMORY,
    ),
)


LINES = Family(metric="serinus_log_lines_total", shape=Shape.COUNTER)
LOGS = BoundSignal(
    signal=Signal(name="log_templates", kind=Kind.EVENTS, absent=Absent.ZERO),
    pack="serinus-logs",
    unit=Unit.POD,
    total=LINES,
    apart="template",
)
discover = FixedDiscovery(requests=REQUESTS, signals=SIGNALS, start_time=STARTED)
logged = FixedDiscovery(requests=REQUESTS, signals=(*SIGNALS, LOGS), start_time=STARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A template of error lines: lines per request on both sides, of the canary's from `bad_from`.

    What it reads like is what people are told, whoever wrote it.
    """

    id: str
    canary: float
    control: float = 0.0
    text: str = ""
    sample: str = ""


@dataclass(slots=True)
class Clock:
    """A clock that is set."""

    at: float = T0

    def __call__(self) -> float:
        """The time that was set."""
        return self.at


@dataclass(slots=True, kw_only=True)
class Shop:
    """Pods with counters and histograms, and a gate that judges them.

    `errors` and `slower` (log) are the canary's from `bad_from` seconds after `start` on; the
    control has served for `before` seconds.
    """

    errors: float = 0.004
    slower: float = 0.0
    bad_from: float = 120.0
    per_s: float = 30.0
    service: str = "checkout"
    minutes: float = 30.0
    before: float = 7500.0
    seed: int = 7
    said: Sequence[Said] = ()
    start: float = T0
    policy: Policy = field(default_factory=Policy)
    source: FakeSource = field(default_factory=FakeSource)
    stores: Stores = field(default_factory=memory_stores)
    clock: Clock = field(default_factory=Clock)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        until = self.start + 60 * self.minutes
        for number in range(6):
            self._pod(
                rng, f"{self.service}-5c4b8d-st{number}", "stable", self.start - self.before, until
            )
        for number in range(3):
            self._pod(rng, f"{self.service}-6d9f7c-ca{number}", "canary", self.start, until)
        self.gate = Gate(
            source=self.source,
            catalog=self.source,
            stores=self.stores,
            clock=self.clock,
            discover=logged if self.said else discover,
            session_factory=Session,
            settings=GateSettings(texts=self.texts),
        )

    def texts(self, tenant: str, ids: Sequence[str]) -> Mapping[str, Template]:
        """What the templates say."""
        known = {one.id: Template(id=one.id, text=one.text, sample=one.sample) for one in self.said}
        return {id: known[id] for id in ids if id in known and known[id].text}

    def _pod(
        self, rng: np.random.Generator, name: str, track: str, born: float, until: float
    ) -> None:
        times = np.arange(born + rng.uniform(1, EVERY), until, EVERY)
        labels = {"service": self.service, "pod": name, "track": track}
        many = rng.poisson(self.per_s / 3 * EVERY, len(times)).astype(float)
        is_bad = (times >= self.start + self.bad_from) & (track == "canary")
        bad = rng.binomial(many.astype(int), np.where(is_bad, self.errors, 0.004)).astype(float)
        for code, counts in (("200", many - bad), ("500", bad)):
            self._add(
                REQUESTS, {**labels, "code": code}, times, np.cumsum(counts, dtype=np.float64)
            )
        z = (np.log(EDGES) - np.log(0.06) - self.slower * is_bad[:, None]) / 0.7
        shares = np.diff(1 / (1 + np.exp(-1.7 * z)), prepend=0.0, append=1.0, axis=1)
        below = np.cumsum(np.cumsum(rng.multinomial(many.astype(int), shares), axis=0), axis=1)
        for edge, counts in zip((*map(str, EDGES), "+Inf"), below.T, strict=True):
            self._add(BUCKETS, {**labels, "le": edge}, times, counts.astype(np.float64))
        for one in self.said:
            lines = rng.poisson(many * np.where(is_bad, one.canary, one.control)).astype(float)
            told = {**labels, "level": "error", "template": one.id}
            self._add(LINES, told, times, np.cumsum(lines, dtype=np.float64))
        self._add(STARTED, labels, times, np.full(len(times), float(times[0]) - 5))
        self._add(MEMORY, labels, times, 2e8 + 1e3 * np.arange(len(times), dtype=np.float64))

    def _add(
        self, family: Family, labels: dict[str, str], times: FloatArray, values: FloatArray
    ) -> None:
        self.source.store.add({"__name__": family.metric, **labels}, times, values)

    def ask(self, after: float, **changes: object) -> Verdict:
        """The question of a controller `after` seconds from the start."""
        self.clock.at = self.start + after
        base: dict[str, object] = {
            "service": self.service,
            "canary": '{track="canary"}',
            "rollout": self.service,
            "namespace": "shop",
            "revision": "v2.3.1",
            "policy": self.policy,
        }
        return self.gate.judge(VerdictRequest(**{**base, **changes}))  # type: ignore[arg-type]

    def roll(self, minutes: float, *, every: float = 30.0, **changes: object) -> Verdict:
        """Asks from the start on; the weight grows each five minutes."""
        weights = (5.0, 20.0, 50.0, 100.0)
        verdict = self.ask(60.0, weight=weights[0], **changes)
        for after in np.arange(60.0 + every, 60 * minutes + 1, every):
            weight = weights[min(3, int(after // 300))]
            verdict = self.ask(float(after), weight=weight, **changes)
        return verdict


def moment(after: float) -> datetime:
    """A moment after T0."""
    return datetime.fromtimestamp(T0 + after, UTC)


def final(shop: Shop, after: float) -> Verdict:
    """Asks whether it may become stable."""
    return shop.ask(after, stage=Stage.FINAL)
